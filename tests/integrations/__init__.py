"""Each framework with a live configuration, as its own users would write it."""
