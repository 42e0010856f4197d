"""The frameworks' own tests, run bare and behind our doors: `python -m tests.transparency`."""
