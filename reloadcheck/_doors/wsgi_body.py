"""Response bodies that end their unit of work on close, and generators at their end."""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextvars import Token
from typing import Any

from .._snapshots.context import forget, leave
from .._snapshots.tenancy import NamedLease
from .._snapshots.unit import LIFE, Unit, end, unit_of_work
from .protocols import Environ

_unit, _set_unit, _reset_unit = unit_of_work.get, unit_of_work.set, unit_of_work.reset


class ByName:
    """A unit of work that holds its snapshot by name, and gives the environ back what it had."""

    __slots__ = ("_before", "_environ", "_lease", "_token")

    def __init__(
        self,
        environ: Environ,
        lease: NamedLease,
        token: Token[Unit | None],
        before: tuple[Any, Any] | None,
    ) -> None:
        self._environ = environ
        self._lease = lease
        self._token = token
        self._before = before

    def end(self) -> None:
        if not self._lease.lasts:
            return
        if self._before is not None:
            self._environ["reloadcheck.config"], self._environ["reloadcheck.snapshot"] = (
                self._before
            )
        leave(self._token)
        self._lease.end()

    def __del__(self) -> None:
        # Test clients throw responses away unclosed, mostly in the thread that asked for them.
        if self._lease.lasts:
            forget(self._lease, self._token)
            self._lease.end()


class Body:
    """A response body whose unit of work ends with its `close()`, whatever that does."""

    __slots__ = ("_body", "_environ", "_next")

    _body: Iterable[bytes]
    _environ: Environ  # its id may be the key: it must live for as long
    _next: Callable[[], bytes] | None

    def __iter__(self) -> Iterator[bytes]:
        return self  # who iterates holds the unit too, whether he closes or not

    def __next__(self) -> bytes:
        if self._next is None:
            self._next = iter(self._body).__next__
        return self._next()


class Sized(Body):
    """A body that has a length: servers set Content-Length from it when it is 1."""

    __slots__ = ()

    def __len__(self) -> int:
        return len(self._body)  # type: ignore[arg-type]


class Named(Body):
    """A body whose unit of work holds its snapshot by name."""

    __slots__ = ("_unit",)

    def __init__(self, body: Iterable[bytes], environ: Environ, unit: ByName) -> None:
        self._body = body
        self._environ = environ
        self._next = None
        self._unit = unit

    def close(self) -> None:
        """Close the wrapped body, then end the unit; the second time does nothing more."""
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            self._unit.end()


class Leased(Body):
    """A body whose unit of work holds its snapshot by a reference; written out, like the door."""

    __slots__ = ("_token", "_unit")

    def __init__(
        self, body: Iterable[bytes], environ: Environ, unit: Unit, token: Token[Unit | None]
    ) -> None:
        unit[LIFE].known[id(environ)] = environ, unit
        self._body = body
        self._environ = environ
        self._next = None
        self._unit = unit
        self._token = token

    def close(self) -> None:
        """Close the wrapped body, then end the unit; the second time does nothing more."""
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            unit = self._unit
            if unit[LIFE] is not False:
                wake = self._end()
                try:
                    _reset_unit(self._token)
                except ValueError:  # closed in another context than it began in
                    _set_unit(None)
                if wake is not None:
                    wake()

    def _end(self) -> Callable[[], None] | None:
        """End the unit; return what is to be called then."""
        unit = self._unit
        unit[LIFE].known.pop(id(self._environ), None)
        wake: Callable[[], None] | None = unit[LIFE].wake
        end(unit)
        return wake

    def __del__(self) -> None:
        # Test clients throw responses away unclosed, mostly in the thread that asked for them.
        if self._unit[LIFE] is not False:
            wake = self._end()
            forget(self._unit, self._token)
            if wake is not None:
                wake()


def streamed(
    body: Any, environ: Environ, unit: Unit, token: Token[Unit | None]
) -> Generator[bytes]:
    """Pass on what a generator gives; its unit ends with it, or when this is closed or dropped.

    The door takes the first, empty part: a generator that has begun runs its end whatever becomes
    of it. Nothing is asked of Python between two parts, and no object is made but this; written
    out, like the door.
    """
    unit[LIFE].known[id(unit)] = environ, unit
    try:
        try:
            yield b""
        except BaseException:  # closed before anybody asked for a part
            body.close()
            raise
        yield from body
    finally:
        unit[1].known.pop(id(unit), None)
        wake = unit[1].wake  # what follows is `end`, with numbers for names
        unit[1] = False
        if unit[3] is not None:
            del unit[4:]
            unit[1] = False
        if _unit() is unit:  # else it is thrown away late, or ends in another context
            try:
                _reset_unit(token)
            except ValueError:
                _set_unit(None)
        if wake is not None:
            wake()


class SizedNamed(Named, Sized):
    __slots__ = ()


class SizedLeased(Leased, Sized):
    __slots__ = ()
