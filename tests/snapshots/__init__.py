"""Hold, and break: units of work, what they hold, and what becomes of old snapshots."""
