"""What is told: status, codes, log, listeners, traces."""
