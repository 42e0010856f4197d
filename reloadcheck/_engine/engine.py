"""One engine in this process: its thread, its forks and its exit, and who must not wait for it.

What the public `ReloadCheck` and the doors stand on. Decides nothing about the configuration: the
engine thread does. How a unit of work comes to its snapshot is `entrance`'s.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .._load.source_set import SourceSet
from .._observe.listeners import Listeners
from .._resources.registry import Registry, Resource
from .._runtime.clock import Clock
from .._runtime.event_loops import other_library, running_loop
from .._runtime.log import WARNING, log
from .._runtime.reentrancy import is_inside
from .._schema.schema import Schema
from .._snapshots.cell import Cell
from .._snapshots.snapshot import unnumbered
from .._snapshots.tenancy import LiveSnapshot, NamedLease
from ..exceptions import (
    BlockingCallError,
    ConfigError,
    InterpreterError,
    NoSnapshotError,
    ReloadCheckError,
    SourceError,
    UnknownResourceError,
)
from ..types import Outcome, Problem, Source
from .lifecycle import InProcess, Lifecycle, Ticket
from .options import Options
from .process import keep_in_sight, watch_process
from .waiter import Conclusion, Waiter
from .whole_modules import OWN_LOCK, imported_thread

if TYPE_CHECKING:
    from .._load.references import ReferenceSet
    from ..seams.feed import Feed
    from ..seams.gates import Gate
    from ..seams.store import Companion
    from ..trial.gate import TrialGate
    from .gates import Seams
    from .rehearsal_stage import Send
    from .thread import EngineThread

C = TypeVar("C")


class Engine(Generic[C]):
    """What one engine has in this process; `cell` is what the doors read on their fast path."""

    def __init__(
        self,
        sources: Sequence[Source],
        schema: Schema[C],
        registry: Registry,
        options: Options,
        clock: Clock,
    ) -> None:
        self.feed: Feed = SourceSet(sources)
        self.gates: list[Gate] = []
        self.companion: Companion | None = None
        self.references: ReferenceSet | None = None
        self.trial: TrialGate | None = None
        self.send: Send | None = None
        self.pinned: type[NamedLease] | None = None
        self.shared: Mapping[str, Any] = {}
        self.registry = registry
        self.options = options
        self.listeners = Listeners()
        self.cell: Cell[C] = Cell()
        self.schema = schema
        self.remarks: tuple[str, ...] = ()
        self.face: Callable[[], object] = lambda: None
        self.clock = clock
        self._life: Lifecycle[C] = Lifecycle(self._forget_parent)
        keep_in_sight(self)

    def _hide(self, names: frozenset[str]) -> None:
        self.options = replace(self.options, secrets=self.options.secrets | names)

    @property
    def sources(self) -> tuple[Source, ...]:
        """Return the sources, in the order in which they are laid over one another."""
        return self.feed.sources

    @property
    def thread(self) -> EngineThread[C] | None:
        """Return this process's engine thread, if one was started in it."""
        return self.in_process.thread

    def retry_after(self) -> int:
        """Return the whole seconds after which an unready application may be asked again."""
        return max(1, math.ceil(self.options.window))

    def refuse_to_block(self, what: str, instead: str) -> None:
        """Raise `BlockingCallError` where waiting would stop the home loop itself."""
        loop, thread = running_loop(), self.thread
        if loop is None:
            return
        closing = () if thread is None else thread.inventory.instances
        if not self.registry.needs_loop and not any(one.closes_in_loop for one in closing):
            return
        home = None if thread is None else thread.admission.home
        if home is None or home is loop or home.is_closed():
            raise BlockingCallError(
                f"{what} would block the event loop that its async resources live in: "
                f"use `{instead}` here"
            )

    def refuse_at_home(self, what: str, instead: str) -> None:
        """Raise `BlockingCallError` in the home loop's own thread, whatever is registered."""
        loop, thread = running_loop(), self.thread
        if loop is not None and thread is not None and thread.admission.home is loop:
            raise BlockingCallError(f"{what} would block the event loop: use `{instead}` here")

    def refuse_inside(self, thread: EngineThread[C], what: str) -> None:
        """Raise `BlockingCallError` where waiting would be for the very code that waits."""
        if is_inside(thread.scheduler):
            raise BlockingCallError(
                f"{what} would wait for itself: a factory, probe, schema, source or logging "
                "handler that the engine waits for called it; use what it is given, or call it "
                "from a listener"
            )

    def asked(
        self,
        thread_of: Callable[[], EngineThread[C]],
        what: str,
        resource: Resource[Any] | None = None,
    ) -> Outcome:
        """Make a check for who asks for one by name; blocks until it came to something.

        It builds the `resource` anew, where one is named.
        """
        while True:
            thread = thread_of()
            self.refuse_inside(thread, what)
            conclusion = thread.admission.ask(
                prepare=thread.reload.renewal.waited_for(resource)
            ).wait()
            if not self.in_process.goes_on(thread, conclusion):
                return conclusion.outcome

    async def asked_async(
        self,
        thread_of: Callable[[], EngineThread[C]],
        what: str,
        resource: Resource[Any] | None = None,
    ) -> Outcome:
        """Do what `asked` does, in asyncio's loop."""
        while True:
            thread = thread_of()
            self.refuse_inside(thread, what)
            self.meet(thread, through_build=False)
            prepare = thread.reload.renewal.waited_for(resource, Waiter.bind)
            conclusion = await thread.admission.ask(prepare=prepare).wait_async()
            if not self.in_process.goes_on(thread, conclusion):
                return conclusion.outcome

    def note_library(self) -> None:
        """Take note of the async library, not asyncio, that the calling code runs under."""
        self.registry.library = other_library() or self.registry.library

    def meet(self, thread: EngineThread[C], *, through_build: bool) -> Waiter | None:
        """Offer the running loop as the home loop; give what to wait for, if anything."""
        import asyncio

        return thread.admission.meet(asyncio.get_running_loop(), through_build=through_build)

    def loaded(self, thread: EngineThread[C], conclusion: Conclusion) -> LiveSnapshot[C]:
        """Return what serves after a wait, or raise why nothing does."""
        current = thread.serving.current
        if current is not None:
            return current
        if isinstance(conclusion.error, ReloadCheckError) and not conclusion.settling:
            error = copy.copy(conclusion.error)  # each thread and task gets a traceback of its own
            read = thread.reload.checker.newest_read
            if isinstance(error, ConfigError) and read is not None and read.beside is not None:
                # Whose order it is that cannot be carried out.
                error.problems = (*error.problems, *map(Problem, read.remarks))
            raise error
        if thread.is_over:
            raise NoSnapshotError("the engine is closed")
        names = ", ".join(source.name for source in self.sources)
        patience, settle = self.options.patience, self.options.settle
        reason = f"is not ready after {patience:g} s: still being {thread.scheduler.phases.doing}"
        if patience <= settle:
            reason += f"; raise patience, which is no longer than settle ({settle:g} s)"
        raise SourceError(Problem(reason, names))

    # ----------------------------------------------------------------------- processes

    @property
    def in_process(self) -> InProcess[C]:
        """Return what this engine has in this process."""
        return self._life.here

    def running(self) -> EngineThread[C]:
        """Return this process's engine thread, started; it is started anew where it has ended."""
        here = self.in_process
        thread = here.open(self._make)
        try:
            thread.ensure()
        except RuntimeError as error:
            if "interpreter" in str(error) and "shutdown" not in str(error):
                raise InterpreterError(OWN_LOCK) from None
            raise
        if here.is_new:
            here.is_new = False
            for remark in self.remarks:
                log(WARNING, "%s", remark)
        return thread

    def running_with(self, resource: Resource[Any]) -> EngineThread[C]:
        """Return the running engine thread; raise `UnknownResourceError` for a stranger."""
        if resource not in self.registry:
            raise UnknownResourceError(
                "live.rebuild(…) takes the handle that this engine's live.resource(…) returned"
            )
        return self.running()

    def _make(self) -> EngineThread[C]:
        engine_thread = imported_thread()
        watch_process()
        fresh: EngineThread[C] = engine_thread(
            self,
            self._seams(),
            self.schema,
            self.registry,
            self.options,
            self.clock,
            self.cell,
            self.in_process.versions,
        )
        if self.companion is not None:
            fresh.on_end(self.companion.close)
        return fresh

    def _seams(self) -> Seams:
        """Return what reaches the engine thread from outside."""
        from .gates import Seams  # which is there by now, as all that the thread needs

        gates, companion = tuple(self.gates), self.companion
        edition = unnumbered if companion is None else companion.edition_of
        return Seams(self.feed, gates, self.listeners, self._hide, lambda: self.send, edition)

    def after_fork(self) -> None:
        """Start over in a forked child; called by the fork itself, before any other code."""
        self._life.after_fork()

    def _forget_parent(self, inherited: EngineThread[C] | None) -> None:
        """Drop, in a forked child, all that is the parent's; nothing of it may be closed here.

        The parent's resources share its sockets: finalizing a suspended factory would run its
        close. They are given a reference that is never taken back.
        """
        self.listeners.forget_parent()
        self.cell.fresh = self.cell.fresh_pair = None  # its first load takes `pair` away
        if self.trial is not None:
            self.trial.forget_parent()
        if inherited is not None:
            inherited.admission.forget_parent()
            import ctypes

            ctypes.pythonapi.Py_IncRef(ctypes.py_object(inherited))

    def stop(self) -> EngineThread[C] | None:
        """Undo one start; return what was told to stop, where that was the last."""
        return self._stopped(self.in_process.close())

    def give_up(self, ticket: Ticket) -> EngineThread[C] | None:
        """Take back a start that failed; return what was told to stop, where nobody uses it."""
        return self._stopped(self.in_process.give_up(ticket))

    def _stopped(self, thread: EngineThread[C] | None) -> EngineThread[C] | None:
        if thread is not None:
            thread.stop(self.options.drain)
        return thread

    def exit(self) -> EngineThread[C] | None:
        """Begin to close at the end of the process, waiting for no lease."""
        self.in_process.exiting = True
        thread = self.thread
        if thread is not None and not thread.ended.is_set():
            thread.stop(0.0)
            return thread
        return None
