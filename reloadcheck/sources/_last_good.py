"""What an HTTP or etcd source gave last, kept on disk for a start while its server is away.

Written beside and renamed, mode 0600, checked by digest when it is read; whatever is wrong with it,
there is none.
"""

import json
import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from .._runtime.regular_file import opened

__all__ = ["Copy", "load_copy", "save_copy"]

_KIND: Final = "reloadcheck last good 1"
_MOST: Final = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Copy:
    """A document as it was served: its digest, format and bytes, and when it was written."""

    digest: str
    format: str
    data: bytes = field(repr=False)
    written: float


def save_copy(path: str, source: str, copy: Copy) -> None:
    """Write a copy for the source of that digest, whole or not at all; raise `OSError`."""
    head = {"kind": _KIND, "source": source, "digest": copy.digest, "format": copy.format}
    text = json.dumps(head | {"written": copy.written}).encode() + b"\n" + copy.data
    # mkstemp makes it 0600, and nobody else's link is followed.
    descriptor, beside = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".reloadcheck-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(beside)
        raise


def load_copy(path: str, source: str, digest_of: Any) -> Copy | None:
    """Return the copy of the source of that digest; None where there is none to be trusted."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        with opened(path, os.O_NOFOLLOW) as file:
            status = os.fstat(file.fileno())
            private = status.st_uid in (0, os.geteuid()) and not status.st_mode & 0o077
            if status.st_size > _MOST or not private:
                return None
            line, data = file.readline(_MOST), file.read(_MOST)
        head = json.loads(line)
        if head["kind"] != _KIND or head["source"] != source or head["digest"] != digest_of(data):
            return None
        return Copy(head["digest"], str(head["format"]), data, float(head["written"]))
    return None
