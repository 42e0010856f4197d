"""What stands in the place of a secret."""

from typing import Final

__all__ = ["MASK"]

MASK: Final = "***"
