"""What stands in the place of a secret: one text, for whatever hides one."""

from typing import Final

__all__ = ["MASK"]

MASK: Final = "***"
