"""What an operator sees: status, page, logs, metrics, traces."""
