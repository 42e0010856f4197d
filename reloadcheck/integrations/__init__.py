"""Thin adapters, one per framework; importing this imports none of them."""
