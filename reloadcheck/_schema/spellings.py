"""How a file may spell a key path: a schema's fields go by aliases, and by several of them.

Takes an annotation and a key path of fields' names or of a file's keys, whose steps may be `*`;
gives every path that a file may have for it.
"""

from collections.abc import Iterator
from types import NoneType
from typing import Any, Final

from ..types import Key, KeyPath
from .annotations import container_of, members_of, parameters_of
from .class_fields import class_fields, takes_extras

__all__ = ["spellings"]

ANY: Final = "*"
_SCALARS: Final = (str, int, float, bool, bytes, NoneType)
_MOST: Final = 64


def spellings(annotation: Any, path: KeyPath) -> tuple[KeyPath, ...]:
    """Return the paths that a file may have for a key path; none where the schema has no such key.

    Where the schema does not tell, the path stands for itself.
    """
    found: dict[KeyPath, None] = {}
    for one in _spelled(annotation, path):
        found[one] = None
        if len(found) == _MOST:
            break
    return tuple(found)


def _spelled(annotation: Any, path: KeyPath) -> Iterator[KeyPath]:
    if not path:
        yield ()
        return
    for member in members_of(annotation):
        if getattr(member, "__pydantic_root_model__", False):
            yield from _spelled(member.model_fields["root"].annotation, path)
        elif member is Any:
            yield path
        elif member not in _SCALARS:
            yield from _in_member(member, path)


def _in_member(member: Any, path: KeyPath) -> Iterator[KeyPath]:
    key, rest = path[0], path[1:]
    fields = class_fields(member)
    if fields is not None:
        known = False
        for field in fields:
            if key == ANY or key == field.name or key in field.keys:
                known = True
                names: tuple[Key, ...] = (ANY,) if key == ANY else field.keys
                for inner in _spelled(field.annotation, rest):
                    yield from ((name, *inner) for name in names)
        if not known and takes_extras(member):
            yield path
        return
    container = container_of(member)
    if container is None:
        yield path
        return
    of = parameters_of(member, 2)[1] if container is dict else parameters_of(member, 1)[0]
    yield from ((key, *inner) for inner in _spelled(of, rest))
