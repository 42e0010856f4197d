"""Gunicorn's settings; each is overridden by its option on the command line."""

bind = "127.0.0.1:8000"
workers = 2
worker_class = "gthread"
threads = 4
graceful_timeout = 20
"""Seconds; the unit's TimeoutStopSec is longer."""
