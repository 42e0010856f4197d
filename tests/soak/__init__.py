"""Pools and clients of real servers, replaced while they are used: `python -m tests.soak`."""
