"""Import, at an engine's first start, all that it needs once it runs; whole, or not at all.

A signal handler may come in the middle of an import, and a sub-interpreter may refuse one.
"""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from ..exceptions import BlockingCallError, InterpreterError

if TYPE_CHECKING:
    from types import FrameType

    from .thread import EngineThread

OWN_LOCK = (
    "an engine runs daemon threads, which this sub-interpreter does not allow: start it in the "
    "main interpreter, or in one that shares its lock"
)

_INTERRUPTED: Final = (
    "a signal handler called this in the middle of the engine's first start, which cannot go on "
    "before the handler returns: note the signal, and call this afterwards"
)


def imported_thread() -> type[EngineThread[Any]]:
    """Import all that an engine needs once it runs.

    Not with the package, for not each process that imports it serves; and not later, for then there
    may be no file descriptor left to import with. Raise `BlockingCallError` in a signal handler
    that has interrupted just this: what other threads import waits until it has returned.
    """
    frame: FrameType | None = sys._getframe(1)  # pyright: ignore[reportPrivateUsage] - documented
    while frame is not None:  # no mark: Ctrl-C at any line would leave it behind
        if frame.f_code is imported_thread.__code__:
            raise BlockingCallError(_INTERRUPTED)
        frame = frame.f_back
    with whole_modules():
        import ctypes as ctypes

        from .._config import redact as redact
        from . import collect as collect
        from .thread import EngineThread

        return EngineThread


@contextmanager
def whole_modules() -> Generator[None]:
    """Raise `BlockingCallError` in a signal handler that has interrupted the import of modules.

    They are half there, and will be whole when it has returned.
    """
    try:
        yield
    except ImportError as error:
        if "subinterpreter" in str(error):
            raise InterpreterError(OWN_LOCK) from None
        package = __name__.partition(".")[0]
        specs = [getattr(module, "__spec__", None) for module in list(sys.modules.values())]
        if any(
            getattr(one, "_initializing", False) and one.name.startswith(package)
            for one in specs
            if one is not None
        ):
            raise BlockingCallError(_INTERRUPTED) from None
        raise
