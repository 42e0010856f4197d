"""A library that is not installed, said as the command that installs it."""

__all__ = ["missing"]


def missing(error: ModuleNotFoundError, requirement: str) -> ModuleNotFoundError:
    """Return what to raise for a library that an adapter stands on; `requirement` as pip has it.

    What is missing inside that library is told as it is.
    """
    name = (error.name or "").partition(".")[0]
    words = f"{name} is not installed: pip install '{requirement}'"
    return ModuleNotFoundError(words, name=error.name, path=error.path)
