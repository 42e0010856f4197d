"""What a path leads to, who may change it, and whether it can be read at all."""

import os
import stat as modes
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import Final

from ...exceptions import ConfigError
from ...sources import DirectorySource
from ...sources._formats import FORMATS
from ...types import Source
from .finding import Finding, failed, passed, warned
from .machine import Machine
from .mounts import Mount

__all__ = ["exposure", "left_out", "links", "projection", "readable"]

_MOST_LINKS: Final = 40
_MOST_FILES: Final = 1000
_DATA: Final = "..data"


def readable(source: Source, max_bytes: int) -> Finding:
    """Say whether the source can be read by this user, now."""
    check = "file"
    try:
        documents = source.read(source.stamp(), max_bytes)
    except ConfigError as error:
        reasons = "; ".join(problem.reason for problem in error.problems)
        return failed(check, reasons, _remedy(reasons))
    size = sum(len(document.data) for document in documents)
    if not documents:
        return passed(check, "is not there, which is allowed: it is optional")
    if any(not one.data and one.format in FORMATS.values() for one in documents):
        return failed(check, "is empty", _remedy("is empty"))
    files = "a file" if len(documents) == 1 else f"{len(documents)} files"
    return passed(check, f"{files} of {size:,} bytes, readable")


def links(path: str) -> Finding:
    """Say which symbolic links lead to a file, and where to."""
    check = "links"
    found = list(_links(os.path.abspath(path)))
    if not found:
        return passed(check, "none on the way")
    end = os.path.realpath(path)
    shown = ", ".join(f"{link} -> {target}" for link, target in found)
    if os.path.lexists(end) and not os.path.islink(end):
        return passed(check, f"{shown}; it leads to {end}")
    return failed(check, f"{shown}; it leads nowhere", "put back what the link leads to")


def projection(path: str) -> Finding | None:
    """Say of a Kubernetes volume which generation of it is there; None for other directories."""
    for link, target in _links(os.path.abspath(path)):
        if os.path.basename(link) == _DATA:
            return passed("projection", f"a Kubernetes volume, swapped as a whole; now {target}")
    link = os.path.join(path, _DATA)
    if os.path.islink(link):
        target = os.readlink(link)
        return passed("projection", f"a Kubernetes volume, swapped as a whole; now {target}")
    return None


def left_out(source: DirectorySource) -> Finding | None:
    """Say what of a directory is taken for its platform's own; None when nothing is."""
    names = source.left_out()
    if not names:
        return None
    said = f"{', '.join(names)}: put there by the platform, not taken"
    return passed("left out", f"{said}; only=[…] names what alone is taken")


def exposure(path: str, mount: Mount | None, machine: Machine) -> Finding:
    """Say who else may change a file or replace it, or a directory on the way to it."""
    check = "writable"
    real = os.path.realpath(path)
    found = list(_exposed(real, machine))
    if not found:
        return passed(check, "by its owner and group alone")
    if mount is not None and mount.is_read_only:
        return passed(check, "by nobody: it is mounted read-only here")
    near = [_near(place) for place in found[:3]]
    said = f"by everybody: {', '.join(near)}{' …' if len(found) > 3 else ''}"
    return warned(check, said, f"chmod o-w {' '.join(near)}")


def _exposed(real: str, machine: Machine) -> Iterator[str]:
    for place in (*_inside(real), real, *map(str, PurePath(real).parents)):
        try:
            mode = machine.stat(place).st_mode
        except OSError:
            continue
        if not mode & modes.S_IWOTH:
            continue
        # In a sticky directory nobody can replace what is another's: but add, in that of the keys.
        if modes.S_ISDIR(mode) and mode & modes.S_ISVTX and place != real:
            continue
        yield place


def _near(place: str) -> str:
    """Name a place from the working directory where it is inside it."""
    inner = os.path.relpath(place)
    return place if inner.startswith("..") else inner


def _inside(real: str) -> Sequence[str]:
    if not os.path.isdir(real):
        return ()
    places: list[str] = []
    for directory, _, names in os.walk(real):
        places += [directory] if directory != real else []
        places += [os.path.join(directory, name) for name in names]
        if len(places) > _MOST_FILES:
            break
    return [place for place in places[:_MOST_FILES] if not os.path.islink(place)]


def _links(path: str) -> Iterator[tuple[str, str]]:
    """Return each symbolic link on the way, with its target, in the order of following them."""
    followed = 0
    here, stack = "/", list(PurePath(path).parts[::-1])
    while stack and followed < _MOST_LINKS:
        part = stack.pop()
        if part in ("/", "."):
            here = "/" if part == "/" else here
            continue
        if part == "..":
            here = os.path.dirname(here)
            continue
        place = os.path.join(here, part)
        try:
            target = os.readlink(place)
        except OSError:
            here = place
            continue
        followed += 1
        yield place, target
        stack += PurePath(target).parts[::-1]


def _remedy(reasons: str) -> str:
    if "permission denied" in reasons:
        return "let the application's user read the file and search its directories"
    if "larger than" in reasons:
        return "raise max_bytes, or make it smaller"
    if "does not exist" in reasons or "dangling" in reasons:
        return "create it, or correct the path"
    if "empty" in reasons or "holds no files" in reasons:
        return "fill it; an empty one never replaces a configuration"
    return "put a readable file in its place"
