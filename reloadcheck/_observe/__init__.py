"""What is told: events, listeners, history and status."""
