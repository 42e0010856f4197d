"""TLS by three files, read anew when one of them changes, as certificates that are rotated do.

Never shows what a file holds.
"""

import os
import ssl
from collections.abc import Sequence
from typing import TypeAlias

__all__ = ["TLSFiles", "TLSFilesError"]

Path: TypeAlias = "str | os.PathLike[str] | None"


class TLSFilesError(Exception):
    """Why the files make no TLS; the text is for an operator."""


class TLSFiles:
    """The authorities that are trusted (None: the system's), and a client's certificate and key."""

    def __init__(self, ca: Path, cert: Path, key: Path) -> None:
        self._files = tuple(None if one is None else os.fspath(one) for one in (ca, cert, key))
        self._made: tuple[Sequence[object], ssl.SSLContext] | None = None

    def context(self) -> ssl.SSLContext:
        """Return a context of what the files hold now; raise `TLSFilesError`."""
        reason: str
        try:
            files = [os.stat(one) for one in self._files if one is not None]
            seen = [(one.st_ino, one.st_size, one.st_mtime_ns, one.st_ctime_ns) for one in files]
            if self._made is None or self._made[0] != seen:
                ca, cert, key = self._files
                context = ssl.create_default_context(cafile=ca)
                if cert is not None:
                    context.load_cert_chain(cert, key)
                self._made = seen, context
            return self._made[1]
        except ssl.SSLError:
            reason = "the files for TLS hold no usable certificate or key"
        except OSError as error:
            reason = f"a file for TLS cannot be read: {error.strerror}"
        raise TLSFilesError(reason)
