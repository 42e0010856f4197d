"""Factories that build nothing and remember everything: what was asked of them, and what closed."""

import warnings
from dataclasses import dataclass, field
from typing import Generic, TypeVar

__all__ = ["AsyncRecorded", "AsyncRecordingFactory", "Recorded", "RecordingFactory"]


@dataclass(eq=False)
class _Record:
    """One object that a recording factory built. `number` counts from 1 in its factory.

    `arguments` are what the factory was called with; `closes` counts the closes, of which there
    must be one.
    """

    name: str
    number: int
    arguments: tuple[object, ...] = field(repr=False)  # they may hold secrets
    log: list[str] = field(repr=False)
    closes: int = 0

    @property
    def closed(self) -> bool:
        """Return whether it was closed."""
        return self.closes > 0

    def _close(self) -> None:
        self.closes += 1
        self.log.append(f"-{self.name}{self.number}")


class Recorded(_Record):
    """What a `RecordingFactory` builds."""

    def close(self) -> None:
        """Take note that it was closed."""
        self._close()


class AsyncRecorded(_Record):
    """What an `AsyncRecordingFactory` builds."""

    async def aclose(self) -> None:
        """Take note that it was closed."""
        self._close()


R = TypeVar("R", bound=_Record)


class _Recording(Generic[R]):
    _kind: type[R]

    def __init__(
        self,
        name: str = "recorded",
        *,
        log: list[str] | None = None,
        build_error: BaseException | None = None,
        fault: BaseException | None = None,
    ) -> None:
        self.__name__ = name
        self.log: list[str] = [] if log is None else log
        self.built: list[R] = []
        self.build_error = build_error
        self.probe_error: BaseException | None = None
        if fault is not None:
            self.fault = fault

    @property
    def open(self) -> list[R]:
        """Return what was built and is not closed, oldest first."""
        return [one for one in self.built if not one.closed]

    @property
    def fault(self) -> BaseException | None:
        """The earlier name of `build_error`, for one release."""
        _renamed("fault", "build_error")
        return self.build_error

    @fault.setter
    def fault(self, error: BaseException | None) -> None:
        _renamed("fault", "build_error")
        self.build_error = error

    @property
    def sick(self) -> BaseException | None:
        """The earlier name of `probe_error`, for one release."""
        _renamed("sick", "probe_error")
        return self.probe_error

    @sick.setter
    def sick(self, error: BaseException | None) -> None:
        _renamed("sick", "probe_error")
        self.probe_error = error

    def _build(self, arguments: tuple[object, ...]) -> R:
        if self.build_error is not None:
            raise self.build_error
        record = self._kind(self.__name__, len(self.built) + 1, arguments, self.log)
        self.built.append(record)
        self.log.append(f"+{record.name}{record.number}")
        return record

    def _probe(self) -> None:
        if self.probe_error is not None:
            raise self.probe_error


def _renamed(old: str, new: str) -> None:
    words = f"a recording factory's {old} is called {new} now"
    warnings.warn(words, DeprecationWarning, stacklevel=3)


class RecordingFactory(_Recording[Recorded]):
    """A sync factory: `live.resource("database")(pools := RecordingFactory("pool"))`.

    `built` is all that it built, `open` what is not closed. `log` gets `+pool1` and `-pool1`, and
    may be shared by several, to see in which order they are closed. While `build_error` is set,
    building raises it; while `probe_error` is set, `probe` does.
    """

    _kind = Recorded

    def __call__(self, *arguments: object) -> Recorded:
        """Build one."""
        return self._build(arguments)

    def probe(self, recorded: Recorded) -> None:
        """Pass, or raise `probe_error`: for `live.resource(…, probe=pools.probe)`."""
        self._probe()


class AsyncRecordingFactory(_Recording[AsyncRecorded]):
    """The same as a coroutine function, with an async probe; what it builds has an `aclose`."""

    _kind = AsyncRecorded

    async def __call__(self, *arguments: object) -> AsyncRecorded:
        """Build one."""
        return self._build(arguments)

    async def probe(self, recorded: AsyncRecorded) -> None:
        """Pass, or raise `probe_error`."""
        self._probe()
