"""Serve other values for a while in a test of an application: laid over an engine's sources.

The override that breaks a contract's glass is `policy/approval`'s. Lays a mapping over the engine's
sources and takes it away again; what depends on a changed part is rebuilt, nothing else. An engine
that has not started yet starts with it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Generic, Self, TypeVar

from .._load.source_set import SourceSet
from .._runtime.event_loops import in_thread, running_loop
from ..exceptions import ConfigError, OptionError, SourceError
from ..seams.feed import Feed
from ..types import Document, KeyPath, Layer, Origin, Outcome, Pause, Problem, Stamp
from .by_hand import ordered
from .engine import Engine
from .waiter import Conclusion, Waiter

__all__ = ["Override"]

C = TypeVar("C")
_NAME = "live.override(…)"


class _Values:
    """A mapping as the last of an engine's sources."""

    def __init__(self, changes: Mapping[str, Any]) -> None:
        import json

        try:
            self._data = json.dumps(changes).encode()
        except TypeError:
            raise OptionError(
                f"{_NAME} takes what JSON can hold: text, numbers, lists, mappings"
            ) from None

    @property
    def name(self) -> str:
        """Return the name that errors call it by."""
        return _NAME

    def stamp(self) -> Stamp:
        """Return one stamp for ever."""
        return Stamp(self._data)

    def read(self, stamp: Stamp, max_bytes: int) -> Sequence[Document]:
        """Return the values as they were given."""
        return (Document(_NAME, self._data, "json"),)

    def layer(self, documents: Sequence[Document], below: Mapping[str, Any], pause: Pause) -> Layer:
        """Parse them."""
        from ..parsers import parse

        return Layer(parse(documents[0], pause), _origin)


def _origin(key_path: KeyPath) -> Origin:
    return Origin(_NAME)


class Override(Generic[C]):
    """A `with` block, or an `async with` one, in which an engine serves other values."""

    def __init__(self, engine: Engine[C], changes: Mapping[str, Any]) -> None:
        self._engine = engine
        self._values = _Values(changes)
        self._before: Feed = engine.feed

    def __enter__(self) -> Self:
        self._engine.refuse_to_block("with live.override(…)", "async with live.override(…)")
        self._begin()
        self._settled(self._asked())
        return self

    def __exit__(self, *ended_by: object) -> None:
        self._follow(self._before)
        self._asked()

    async def __aenter__(self) -> Self:
        self._begin()
        self._settled(await self._asked_async())
        return self

    async def __aexit__(self, *ended_by: object) -> None:
        self._follow(self._before)
        await self._asked_async()

    def _begin(self) -> None:
        engine = self._engine
        if engine.thread is not None and not engine.options.enabled:
            raise OptionError(
                f"{_NAME}: reloading is switched off, so it must begin before the start"
            )
        self._before = engine.feed
        self._follow(SourceSet((*engine.feed.sources, self._values), engine.references))

    def _follow(self, feed: Feed) -> None:
        self._engine.feed = feed
        thread = self._engine.thread
        if thread is not None and not thread.closing:
            thread.admission.post(lambda: thread.reload.checker.follow(feed))

    def _asked(self) -> Conclusion | None:
        """Let two checks made: the one that takes it up, and the one that follows each reload."""
        thread = self._engine.thread
        if thread is None or thread.closing:
            return None
        first = thread.admission.ask().wait()
        self._live_for_all(first)
        return thread.admission.ask().wait()

    async def _asked_async(self) -> Conclusion | None:
        thread = self._engine.thread
        if thread is None or thread.closing:
            return None
        if running_loop() is None:
            return await in_thread(self._asked)
        first = await thread.admission.ask(prepare=Waiter.bind).wait_async()
        self._live_for_all(first)
        return await thread.admission.ask(prepare=Waiter.bind).wait_async()

    def _live_for_all(self, conclusion: Conclusion) -> None:
        """Skip the trial of values that a test has laid over the sources."""
        if conclusion.outcome is Outcome.TRYING:
            ordered(self._engine, "promote", _NAME)

    def _settled(self, conclusion: Conclusion | None) -> None:
        """Raise what is wrong with the values; what was before serves again."""
        if conclusion is None or conclusion.outcome in (Outcome.UNCHANGED, Outcome.RELOADED):
            return
        self._follow(self._before)
        if isinstance(conclusion.error, ConfigError):
            raise conclusion.error
        raise SourceError(Problem(f"is not live after {self._engine.options.patience:g} s", _NAME))
