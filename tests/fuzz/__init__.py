"""Fuzz targets, one per parser: `python -m tests.fuzz yaml --seconds 60`."""
