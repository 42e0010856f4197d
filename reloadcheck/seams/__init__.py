"""The seams of an engine, as words: values and protocols that both sides know, and nothing else."""
