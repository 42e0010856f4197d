"""The status page: HTML, JSON and metrics for those who hold its token."""
