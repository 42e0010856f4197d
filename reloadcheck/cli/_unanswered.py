"""What is said where the words of a command are right, and nothing can answer it."""

from ..exceptions import UsageError

__all__ = ["UnansweredError"]


class UnansweredError(UsageError):
    """A store or an application that is not there: the command's help would be no help."""
