"""A file as a revision of the repository around here has it: `HEAD:config.yaml`.

Asks git for the bytes alone: no filter, pager, hook or text conversion runs.
"""

import os
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ..exceptions import OptionError, SourceError, UsageError
from ..parsers import origin_at, parse
from ..sources._formats import format_of
from ..types import Document, KeyPath, Layer, Origin, Pause, Problem, Stamp, printable

__all__ = ["GitSource"]

_SECONDS: Final = 20.0


class GitSource:
    """One file of one revision; raises `UsageError` where git has none."""

    def __init__(self, word: str) -> None:
        revision, colon, self.path = word.partition(":")
        if not colon or not self.path or not revision or revision.startswith("-"):
            raise UsageError(f"--git takes REV:PATH, as in HEAD:config.yaml, not {printable(word)}")
        try:
            self._format = format_of(self.path)
        except OptionError as error:
            raise UsageError(f"--git {error}") from None
        self._word = word

    @classmethod
    def beside(cls, revision: str, file: str) -> "GitSource | None":
        """Return what a revision has of a file here; None where it has no such file yet."""
        source = cls(f"{revision}:./{os.path.relpath(file)}")
        listed = _asked("ls-tree", "--name-only", revision, "--", os.path.relpath(file))
        return source if listed.strip() else None

    @property
    def name(self) -> str:
        """Return the name that errors call it by."""
        return self._word

    def stamp(self) -> Stamp:
        """Return one stamp: a command reads it once."""
        return Stamp(self._word)

    def read(self, stamp: Stamp, max_bytes: int) -> Sequence[Document]:
        """Ask git for it."""
        del stamp
        data = _asked("cat-file", "blob", self._word)
        if len(data) > max_bytes:
            raise SourceError(Problem(f"is larger than {max_bytes} bytes", self._word))
        return (Document(self._word, data, self._format),)

    def layer(self, documents: Sequence[Document], below: Mapping[str, Any], pause: Pause) -> Layer:
        """Parse it, as the file is parsed."""
        del below
        (document,) = documents

        def origin(key_path: KeyPath) -> Origin:
            return origin_at(document, key_path)

        return Layer(parse(document, pause), origin)


def _asked(*words: str) -> bytes:
    try:
        done = subprocess.run(
            ["git", "--no-pager", *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        raise UsageError("--git: there is no git on this machine") from None
    except subprocess.TimeoutExpired:
        raise UsageError(f"--git: git has not answered within {_SECONDS:.0f} s") from None
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        why = printable(lines[-1]) if lines else f"git ended with status {done.returncode}"
        raise UsageError(f"--git {printable(words[-1])}: {why}")
    return done.stdout
