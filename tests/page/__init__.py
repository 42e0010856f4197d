"""What an operator opens: the status page, who may, and the metrics."""
