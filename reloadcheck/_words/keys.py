"""How a key path is written as text, and which ones differ between two configurations.

Reading a path, and stepping along one, is `_config/key_path`'s.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

Key: TypeAlias = str | int
KeyPath: TypeAlias = tuple[Key, ...]
Tree: TypeAlias = dict[str, Any]
Pause: TypeAlias = Callable[[], None]

_LONGEST_KEY = 200


def printable(text: str) -> str:
    """Escape what could forge a line or steer a terminal: control and bidi characters."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode()
        for char in text
    )


def key_path_text(path: KeyPath) -> str:
    """Show a key path the way people write it: `database.hosts[2]."a.b"`, escaped.

    A key of more than 200 characters is cut: one of megabytes would fill the log and the history.
    """
    text = ""
    for key in path:
        if isinstance(key, int):
            text += f"[{key}]"
            continue
        if len(key) > _LONGEST_KEY:
            key = key[:_LONGEST_KEY] + "…"
        plain = key != "" and all(char.isalnum() or char in "_-" for char in key)
        shown = key if plain else '"' + printable(_escaped(key)) + '"'
        text += f".{shown}" if text else shown
    return text


def _escaped(key: str) -> str:
    return key.replace("\\", "\\\\").replace('"', '\\"')


def no_pause() -> None:
    """Go on at once."""


@dataclass(frozen=True, slots=True)
class Diff:
    """The key paths that changed their value, came and went; false when nothing differs."""

    changed: tuple[KeyPath, ...] = ()
    added: tuple[KeyPath, ...] = ()
    removed: tuple[KeyPath, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changed or self.added or self.removed)

    @property
    def key_paths(self) -> tuple[KeyPath, ...]:
        """Return all of them: what changed, then what came, then what went."""
        return (*self.changed, *self.added, *self.removed)
