"""Environment variables as a source: `APP_DATABASE__URL` sets `database.url`.

Takes a prefix, gives one document of the variables under it and the tree they make. It must never
read the environment twice, so that what one process serves cannot drift, nor quote a value.
"""

import os
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from ..exceptions import ConfigSyntaxError, OptionError
from ..types import Document, Key, KeyPath, Layer, Origin, Pause, Problem, Stamp, Tree, Untyped

__all__ = ["EnvironSource"]

_NEST: Final = "__"
_MAX_DEPTH: Final = 64
_NULLS: Final = ("null", "Null", "NULL", "~")


class EnvironSource:
    """The variables whose names start with `prefix`; an underscore is added where it has none.

    Two underscores nest. A name finds an existing key without regard to case, and is taken in lower
    case where there is none. A value is text until its field's type converts it; without a schema
    it is one YAML scalar. Where there is a list below it is a JSON list or `a,b`, where there is a
    mapping a JSON object, laid over it. The variables are read once, at the first load.
    """

    def __init__(self, prefix: str, environ: Mapping[str, str] | None = None) -> None:
        if not prefix.strip("_"):
            raise OptionError('EnvironSource needs a prefix, as in EnvironSource("APP")')
        self._prefix = prefix if prefix.endswith("_") else f"{prefix}_"
        self._environ = environ
        self._document: Document | None = None

    def __repr__(self) -> str:
        return f"EnvironSource({self._prefix!r})"

    @property
    def name(self) -> str:
        """Give the name of the whole: the prefix with a star."""
        return f"environment variables {self._prefix}*"

    def stamp(self) -> Stamp:
        """Give a stamp that never changes."""
        return Stamp(self._prefix)

    def read(self, stamp: Stamp, max_bytes: int) -> Sequence[Document]:
        """Give the variables as they were at the first read."""
        if self._document is None:
            environ = os.environ if self._environ is None else self._environ
            found = {
                name: value
                for name, value in sorted(environ.items())
                if name.startswith(self._prefix)
            }
            import json

            self._document = Document(self.name, json.dumps(found).encode(), "environ")
        if len(self._document.data) > max_bytes:
            raise ConfigSyntaxError(Problem(f"hold more than {max_bytes} bytes", path=self.name))
        return (self._document,)

    def layer(self, documents: Sequence[Document], below: Mapping[str, Any], pause: Pause) -> Layer:
        """Nest the variables, spelled as the keys that they override are."""
        tree: Tree = {}
        names: dict[KeyPath, str] = {}
        for document in documents:
            import json

            variables: dict[str, str] = json.loads(document.data)
            for variable, text in variables.items():
                key_path, old = self._key_path(variable, below)
                _claim(names, key_path, variable)
                _put(tree, key_path, _value(text, variable, old))
                pause()
        return Layer(tree, lambda key_path: self._origin(names, key_path), untyped=True)

    def _key_path(self, variable: str, below: Mapping[str, Any]) -> tuple[KeyPath, object]:
        """Return the key path that a variable means, and the value below that it replaces."""
        parts = variable.removeprefix(self._prefix).split(_NEST)
        if not all(parts):
            raise _error(variable, "names an empty key")
        if len(parts) > _MAX_DEPTH:
            raise _error(variable, f"nests deeper than {_MAX_DEPTH} keys")
        node: object = below
        keys: list[Key] = []
        for part in parts:
            keys.append(_spelled(part, node, variable))
            node = cast("Mapping[Key, object]", node).get(keys[-1]) if _is_mapping(node) else None
        return tuple(keys), node

    def _origin(self, names: Mapping[KeyPath, str], key_path: KeyPath) -> Origin:
        """Name the variable that set the key, a parent of it, or else something inside it."""
        for known, variable in names.items():
            if key_path[: len(known)] == known:
                return Origin(_shown(variable))
        for known, variable in names.items():
            if known[: len(key_path)] == key_path:
                return Origin(_shown(variable))
        return Origin(self.name)


def _is_mapping(node: object) -> bool:
    return isinstance(node, Mapping)


def _spelled(part: str, node: object, variable: str) -> Key:
    """Spell `part` as the one key of `node` that differs at most in case; else in lower case."""
    keys = cast("Mapping[Key, object]", node if _is_mapping(node) else {})
    found = [key for key in keys if str(key).lower() == part.lower()]
    if len(found) > 1:
        named = " and ".join(str(key) for key in found)
        raise _error(variable, f"could mean either of the keys {named}")
    return found[0] if found else part.lower()


def _claim(names: dict[KeyPath, str], key_path: KeyPath, variable: str) -> None:
    """Refuse two variables of which one sets what the other, or a parent of it, sets already."""
    for known, other in names.items():
        shorter = min(len(known), len(key_path))
        if known[:shorter] == key_path[:shorter]:
            problem = Problem(f"contradicts {_shown(other)}", _shown(variable), key_path=key_path)
            raise ConfigSyntaxError(problem)
    names[key_path] = variable


def _put(tree: Tree, key_path: KeyPath, value: object) -> None:
    node: dict[Any, Any] = tree
    for key in key_path[:-1]:
        node = node.setdefault(key, {})
    node[key_path[-1]] = value


def _value(text: str, variable: str, old: object) -> object:
    """Return what a variable sets: text, unless it replaces a list or lies over a mapping."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _error(variable, "is not valid UTF-8") from None
    if isinstance(old, list):
        from ..parsers import parse_list

        return None if text in _NULLS else parse_list(text, _shown(variable))
    if _is_mapping(old):
        from ..parsers import parse_mapping

        return None if text in ("", *_NULLS) else parse_mapping(text, _shown(variable))
    return Untyped(text)


def _shown(variable: str) -> str:
    return f"environment variable {variable}"


def _error(variable: str, reason: str) -> ConfigSyntaxError:
    return ConfigSyntaxError(Problem(reason, path=_shown(variable)))
