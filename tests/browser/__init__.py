"""The status page in a real browser; a command of its own, for it needs Chromium."""
