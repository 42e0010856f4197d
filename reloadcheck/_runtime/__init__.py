"""How waiting and foreign code are run: clock, jobs, loops, pauses and the log."""
