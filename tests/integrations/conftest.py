"""What the adapters' tests start from: the core's engines in memory, closed after each test."""

from tests.support.fixtures import Make, clock, make, text

__all__ = ["Make", "clock", "make", "text"]
