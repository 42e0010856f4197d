"""A schema in a module that asks for the engine which is being made of it."""

from reloadcheck.integrations.django import live

__all__ = ["live"]
