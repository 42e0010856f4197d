"""Schemas: what is accepted, what is refused, and problems that name keys and quote nothing."""
