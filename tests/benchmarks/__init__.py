"""What being live costs, always as a ratio of two things measured in turn in one run.

`python -m tests.benchmarks` runs all of it, `--quick` its short form. Each benchmark is a module
with a function `run`, which takes how much to measure and gives a report. None changes with what
it finds.
"""
