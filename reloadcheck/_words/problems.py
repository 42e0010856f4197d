"""What is wrong with a configuration, and where a value of it came from."""

from dataclasses import dataclass, field

from .keys import KeyPath, key_path_text, printable


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from: a file with line and column (both from 1), or a variable's name.

    `key` is line and column of the key before it, where that is known.
    """

    name: str
    line: int | None = None
    column: int | None = None
    key: tuple[int, int] | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        place = printable(self.name)
        for number in (self.line, self.column):
            if number is None:
                break
            place += f":{number}"
        return place


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a configuration; never quotes a value of it."""

    reason: str
    path: str | None = None
    line: int | None = None
    column: int | None = None
    key_path: KeyPath = ()

    def __str__(self) -> str:
        parts: list[str] = []
        if self.path is not None:
            parts.append(str(Origin(self.path, self.line, self.column)))
        if self.key_path:
            parts.append(key_path_text(self.key_path))
        parts.append(printable(self.reason))
        return ": ".join(parts)
