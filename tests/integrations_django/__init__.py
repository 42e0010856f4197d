"""A Django site with a live configuration: on its own, and on real servers and databases."""

ALL_SITES = "RIG_ALL_DJANGO_SITES"
"""The variable that has rotations tried on every kind of site, not only on some."""
