"""Who decides, and when: checks, waits, starts, closes, forks and failures of one engine."""
