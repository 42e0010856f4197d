"""How waiting and foreign code are run: jobs, loops, contexts, references."""
