"""Turn a document's bytes into a plain tree, the same way for YAML, JSON and TOML.

Whatever the bytes are, the answer is a tree within the limits or a `ConfigError` that names the
place and quotes nothing; never a crash, a hang or another error.
"""

import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Final, TypeAlias, TypeVar

from ..exceptions import ConfigError, ConfigSyntaxError, SourceError
from ..types import Document, KeyPath, Origin, Pause, Problem, Tree
from . import _json, _toml, _yaml
from ._dotenv import assignments
from ._inline import read_list, read_mapping
from ._keys import key_before
from ._left_over import left_over
from ._limits import DUPLICATE, TABLE_TWICE
from ._survey import Merge, Span, Survey, Written, survey
from ._text import Empty, Refusal, decode, decode_anyhow, position, refuse_surrogates
from ._yaml_scalars import Marker

__all__ = [
    "Marker",
    "Merge",
    "Span",
    "Survey",
    "Written",
    "locate",
    "locating_many",
    "origin_at",
    "parse",
    "parse_dotenv",
    "parse_list",
    "parse_mapping",
    "parse_scalar",
    "survey",
]

_T = TypeVar("_T")
_Read: TypeAlias = Callable[[str, Pause], Tree]
_Find: TypeAlias = Callable[[KeyPath], int | None]
_Finder: TypeAlias = Callable[[str, Pause], _Find]

_READERS: Final[Mapping[str, tuple[_Read, _Finder]]] = {
    "json": (_json.read, _json.finder),
    "toml": (_toml.read, _toml.finder),
    "yaml": (_yaml.read, _yaml.finder),
}


def parse(document: Document, pause: Pause) -> Tree:
    """Return the tree that the document describes.

    Raise `SourceError` for a document without any content, as a rewrite leaves for a moment, and
    `ConfigSyntaxError` for one that cannot be used. `pause` is called between small portions of
    work on a document that is not small.
    """
    # The error is raised outside of `except`, so that no foreign exception travels in its context.
    try:
        return _READERS[document.format][0](decode(document.data, pause), pause)
    except Refusal as refusal:
        error = _error(document, refusal)
    raise error


def locate(document: Document, key_path: KeyPath) -> tuple[int, int] | None:
    """Return line and column, both from 1, of the value at the key path.

    Where there is no such value, of its nearest parent; None when the document has no content. On a
    document that was refused it works up to the first flaw.
    """
    text, find = _finding(document)
    index = find(key_path)
    return None if index is None else position(text, index)


def origin_at(document: Document, key_path: KeyPath) -> Origin:
    """Return the place of the value at the key path, and of its key, as a layer tells it."""
    text, find = _finding(document)
    index = find(key_path)
    if index is None:
        return Origin(document.name)
    key = key_before(text, index, str(key_path[-1])) if key_path else None
    return Origin(
        document.name, *position(text, index), None if key is None else position(text, key)
    )


@contextmanager
def locating_many(pause: Pause | None = None) -> Generator[None]:
    """Read each document once, however many key paths are located in it within the block.

    `pause` is called between small portions of that work, as it is while parsing.
    """
    _kept.finders, _kept.pause = {}, pause
    try:
        yield
    finally:
        del _kept.finders, _kept.pause


_kept = threading.local()


def _finding(document: Document) -> tuple[str, _Find]:
    kept: dict[int, tuple[Document, str, _Find]] | None = getattr(_kept, "finders", None)
    if kept is not None and id(document) in kept:
        return kept[id(document)][1:]
    text = decode_anyhow(document.data)
    find = _READERS[document.format][1](text, getattr(_kept, "pause", None) or _no_pause)
    if kept is not None:
        kept[id(document)] = document, text, find  # kept too, so that its identity stays its own
    return text, find


def parse_dotenv(document: Document, pause: Pause) -> list[tuple[str, str, Origin]]:
    """Return the name, text and place of each variable in a `.env` file.

    Raise `ConfigSyntaxError` for a line that is none.
    """
    try:
        text = decode(document.data, pause)
        found = list(assignments(text, pause))
    except Refusal as refusal:
        error = _error(document, refusal)
    else:
        positions = _positions(text, [one.index for one in found])
        origins = [Origin(document.name, *place) for place in positions]
        return [(one.name, one.text, at) for one, at in zip(found, origins, strict=True)]
    raise error


def _positions(text: str, indexes: list[int]) -> Iterator[tuple[int, int]]:
    """Return line and column of ascending positions, counting each line end once."""
    line, before = 1, 0
    for index in indexes:
        line += text.count("\n", before, index)
        before = index
        yield line, index - text.rfind("\n", 0, index)


def parse_scalar(text: str, name: str) -> object:
    """Return the value of an environment variable's text, read as one YAML scalar.

    What is not exactly one plain or quoted scalar, space around it included, is taken as it is
    written. Raise
    `ConfigSyntaxError`, with the variable's name as its path, for what the limits forbid.
    """
    return _inline(lambda: _yaml.read_scalar(refuse_surrogates(text)), name)


def parse_list(text: str, name: str) -> list[object]:
    """Return the list that an environment variable's text stands for where a list is wanted.

    That is a JSON list, or what commas set apart: `Untyped` text, without space around the commas.
    Raise `ConfigSyntaxError`, with the variable's name as its path, for any other text.
    """
    return _inline(lambda: read_list(text), name)


def parse_mapping(text: str, name: str) -> dict[str, object]:
    """Return the mapping that an environment variable's text stands for: a JSON object.

    Raise `ConfigSyntaxError`, with the variable's name as its path, for any other text.
    """
    return _inline(lambda: read_mapping(text), name)


def _inline(read: Callable[[], _T], name: str) -> _T:
    try:
        return read()
    except Refusal as refusal:
        reason = refusal.reason
    raise ConfigSyntaxError(Problem(reason, path=name))


def _error(document: Document, refusal: Refusal) -> ConfigError:
    if isinstance(refusal, Empty):
        return SourceError(Problem(refusal.reason, path=document.name))
    line, column = None, None
    text = ""
    if refusal.index is not None:
        text = decode_anyhow(document.data)
        refusal = left_over(text, refusal.index, refusal.key_path) or refusal
    if refusal.index is not None:
        line, column = position(text, refusal.index)
    reason = refusal.reason
    if reason in (DUPLICATE, TABLE_TWICE) and line is not None:
        reason += _first(document, refusal.key_path, (line, column or 1))
    return ConfigSyntaxError(Problem(reason, document.name, line, column, refusal.key_path))


def _first(document: Document, key_path: KeyPath, again: tuple[int, int]) -> str:
    """Say where a key stands already that is there once more at a place."""
    found = locate(document, key_path)
    if found is None or found >= again:
        return ""
    lines = decode_anyhow(document.data).split("\n")[: found[0]]
    key = str(key_path[-1])
    first = next((n for n in range(len(lines), 0, -1) if key in lines[n - 1]), found[0])
    return f"; first on line {first}"


def _no_pause() -> None:
    pass
