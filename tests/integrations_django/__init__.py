"""A Django site with a live configuration: on its own, and on real servers and databases."""
