"""`ReloadCheck`: what an application holds. The one mutable cell, and the ways to it.

Holds options, resources and the engine thread of this process; decides nothing itself. Constructing
one does no I/O and starts nothing, so it may stand at module level, before any fork.

Long because it is the whole public face: each way in stands beside its async twin, documented
once.
"""

from __future__ import annotations

import os
import sys
import weakref
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterable,
    Iterator,
    Mapping,
)
from dataclasses import fields, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Literal, NoReturn, Protocol, TypeVar, cast, overload

from .._config.freeze import FrozenDict
from .._observe.events import ReloadEvent
from .._resources.registry import Registry, Resource, as_key_path
from .._runtime.clock import Clock, SystemClock
from .._runtime.event_loops import in_thread, running_loop
from .._schema.schema import Schema, schema_of
from .._snapshots.context import unit_in
from .._snapshots.lease import Lease
from .._snapshots.pair import mark
from .._snapshots.snapshot import Snapshot
from .._snapshots.unit import SNAPSHOT
from ..exceptions import (
    CopyError,
    NoSnapshotError,
    OptionError,
    OutsideWorkError,
    RegistrationError,
    UsageError,
)
from ..sources import reading, source_of
from ..types import KeyPath, Outcome, References, Source, key_path_text, printable
from .assembly import (
    add_contract,
    add_references,
    add_store,
    add_trial,
    before_the_start,
    rehearsals_of,
    restart_only_of,
    rules_of,
)
from .by_hand import forget_refusal, ordered, until_told, until_told_async
from .engine import Engine
from .entrance import Entrance
from .observed import observed, probed, probed_async
from .options import Options, options_from
from .starting import aclose, astart, close, start
from .unknown_variables import strange_variables

if TYPE_CHECKING:
    from .._observe.status import Status
    from ..policy.contract import Contract
    from ..seams.store import Together
    from ..trial.options import Trial
    from ..types import Store
    from .override import Override

C = TypeVar("C")
F = TypeVar("F", bound="Callable[..., object]")
T = TypeVar("T")


class Registering(Protocol):
    """What `live.resource(…)` gives: a decorator that turns a factory into a typed handle."""

    @overload
    def __call__(self, factory: Callable[..., AsyncIterator[T]]) -> Resource[T]: ...
    @overload
    def __call__(self, factory: Callable[..., Iterator[T]]) -> Resource[T]: ...
    @overload
    def __call__(self, factory: Callable[..., Coroutine[Any, Any, T]]) -> Resource[T]: ...
    @overload
    def __call__(self, factory: Callable[..., T]) -> Resource[T]: ...


class ReloadCheck(Generic[C]):
    """A configuration that stays live.

    A `str` or `Path` among `sources` is a file; later sources override earlier ones. `schema` is a
    frozen pydantic model, msgspec Struct or dataclass, or a callable; without one the configuration
    is a `FrozenDict`.

    In seconds: `window` is how long a check counts as fresh; `settle` how long a changed file must
    have been quiet; `verify` how often content is hashed whatever the stamp says (0: at every
    check, None: never); `patience` how long a unit of work waits at most; `drain` how long an old
    resource waits for its users. `max_bytes` bounds a file. `enabled` is on where it is None.
    `secrets` are further names of keys, in any case, whose values are shown nowhere, `public` names
    whose values are no secret though they look like one. `unknown` says what a key that the schema
    does not know is: told, refused or nothing. `environment` is the name of the deployment, for
    rules and for `contract`, a path or a `Contract`: what may change, when, by whose leave. With
    `trial`, True or a `Trial(…)`, an edit is served to a share first. `store` is what the processes
    share, a path for a `SQLiteStore`: history, orders, members of the application `app`, told apart
    by `release`; `boot="last-good"` starts with the last accepted edition where the sources are
    bad, and `fallback` is what serves instead of them while `reloadcheck fallback on` is in force.
    With `together`, "all", "quorum" or a `Together(…)`, an edit goes live on all of them at once,
    when so many have it ready, or on none. With `references` a value such as `${file:db/password}`
    stands for what is read there, and is shown nowhere. `clock` and `environ` are for tests. The
    environment variables RELOAD_CHECK_ENABLED, _WINDOW, _SETTLE, _VERIFY, _PATIENCE, _DRAIN,
    _ENVIRONMENT, _CONTRACT, _TRIAL, _STORE, _APP, _RELEASE, _TOGETHER and _BOOT override what is
    given.
    """

    __slots__ = ("__weakref__", "_engine", "_environ")  # an option set afterwards is no option

    @overload
    def __init__(
        self: ReloadCheck[FrozenDict],
        *sources: str | os.PathLike[str] | Source,
        schema: None = None,
        window: float = 1.0,
        settle: float = 0.25,
        verify: float | None = 30.0,
        patience: float = 5.0,
        drain: float = 30.0,
        max_bytes: int = 4 * 2**20,
        enabled: bool | None = None,
        secrets: Iterable[str] = (),
        public: Iterable[str] = (),
        unknown: Literal["warn", "reject", "ignore"] = "warn",
        contract: Contract | str | os.PathLike[str] | None = None,
        trial: Trial | bool | None = None,
        environment: str | None = None,
        store: Store | str | os.PathLike[str] | None = None,
        app: str | None = None,
        release: str | None = None,
        together: Literal["all", "quorum"] | Together | None = None,
        boot: Literal["file", "last-good"] = "file",
        fallback: str | os.PathLike[str] | Source | None = None,
        references: Iterable[References] = (),
        clock: Clock | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None: ...
    @overload
    def __init__(
        self,
        *sources: str | os.PathLike[str] | Source,
        schema: Callable[..., C],
        window: float = 1.0,
        settle: float = 0.25,
        verify: float | None = 30.0,
        patience: float = 5.0,
        drain: float = 30.0,
        max_bytes: int = 4 * 2**20,
        enabled: bool | None = None,
        secrets: Iterable[str] = (),
        public: Iterable[str] = (),
        unknown: Literal["warn", "reject", "ignore"] = "warn",
        contract: Contract | str | os.PathLike[str] | None = None,
        trial: Trial | bool | None = None,
        environment: str | None = None,
        store: Store | str | os.PathLike[str] | None = None,
        app: str | None = None,
        release: str | None = None,
        together: Literal["all", "quorum"] | Together | None = None,
        boot: Literal["file", "last-good"] = "file",
        fallback: str | os.PathLike[str] | Source | None = None,
        references: Iterable[References] = (),
        clock: Clock | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None: ...
    def __init__(
        self,
        *sources: str | os.PathLike[str] | Source,
        schema: Callable[..., Any] | None = None,
        window: float = 1.0,
        settle: float = 0.25,
        verify: float | None = 30.0,
        patience: float = 5.0,
        drain: float = 30.0,
        max_bytes: int = 4 * 2**20,
        enabled: bool | None = None,
        secrets: Iterable[str] = (),
        public: Iterable[str] = (),
        unknown: Literal["warn", "reject", "ignore"] = "warn",
        contract: Contract | str | os.PathLike[str] | None = None,
        trial: Trial | bool | None = None,
        environment: str | None = None,
        store: Store | str | os.PathLike[str] | None = None,
        app: str | None = None,
        release: str | None = None,
        together: Literal["all", "quorum"] | Together | None = None,
        boot: Literal["file", "last-good"] = "file",
        fallback: str | os.PathLike[str] | Source | None = None,
        references: Iterable[References] = (),
        clock: Clock | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        if not sources:
            raise OptionError('name at least one source: ReloadCheck("config.yaml")')
        converter: Schema[Any] = schema_of(schema)
        self._environ = os.environ if environ is None else environ
        given = Options(
            window=window,
            settle=settle,
            verify=verify,
            patience=patience,
            drain=drain,
            max_bytes=max_bytes,
            secrets=cast("frozenset[str]", secrets),
            public=cast("frozenset[str]", public),
            unknown=unknown,
            environment=environment,
            app=app,
            release=release,
            together=cast("Together | None", together),
            boot=boot,
        )
        self._engine: Engine[C] = Engine(
            tuple(reading(source_of(source), environ) for source in sources),
            converter,
            Registry(converter),
            options_from(given, enabled, self._environ),
            clock or SystemClock(),
        )
        self._engine.face = weakref.ref(self)
        if references:
            add_references(self._engine, references, environ)
        agreed = add_contract(self._engine, contract, self._environ)
        add_store(self._engine, store, self._environ, fallback)
        add_trial(self._engine, trial, self._environ, agreed)
        self._engine.remarks += strange_variables(self._environ)

    def __repr__(self) -> str:
        names = ", ".join(printable(source.name) for source in self._engine.sources)
        return f"<ReloadCheck {names}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise CopyError(
            "an engine cannot be pickled or copied, it belongs to its process: pass nothing, and "
            "let the other process import the module that constructs it"
        )

    # --------------------------------------------------------------------- resources

    def resource(
        self,
        *paths: str | KeyPath,
        needs: Iterable[Resource[Any]] = (),
        probe: Callable[[Any], Any] | None = None,
        timeout: float = 10.0,
        drain: float | None = None,
        name: str | None = None,
        config: bool = True,
        max_age: float | None = None,
        rebuild_after: int | None = None,
    ) -> Registering:
        """Register a factory, sync or async, plain or generator, and give its typed handle.

        The factory is called with the values at `paths` in the validated configuration (with none:
        the whole configuration; with `config=False`: nothing), then the resources in `needs`. It is
        called again when one of them changes, and never while they do not. What follows its `yield`
        closes the resource; a plain factory's result is closed by its own `aclose`, `close` or
        `dispose`. `probe` is
        called with what was built; an exception or False rejects the edit. `timeout` seconds bound
        each call; `drain` seconds override the engine's. Without an edit it is built anew when it
        is older than `max_age` seconds (less up to a tenth, by chance), and when `rebuild_after`
        probes in a row have failed, which the engine then calls every ten seconds by itself. Raises
        `RegistrationError`.
        """
        keys = [as_key_path(path) for path in paths]

        def register(factory: Callable[..., Any]) -> Resource[Any]:
            before_the_start(self._engine, "resources are registered")
            return self._engine.registry.add(
                factory,
                keys,
                needs,
                probe,
                timeout,
                drain,
                name,
                config=config,
                max_age=max_age,
                rebuild_after=rebuild_after,
            )

        return cast("Registering", register)

    def rule(
        self,
        *paths: str | KeyPath,
        name: str | None = None,
        warn: bool = False,
        timeout: float = 10.0,
    ) -> Callable[[F], F]:
        """Register a rule: a function that judges an edit before anything is built.

        It is called with the new values at `paths` (with none: the whole configuration) and, if it
        takes them by name, with `old`, the same of what serves (None at the first load, a tuple for
        several paths), and `environment`; at the first load, and whenever one of its parts changed.
        It raises `ValueError` or returns a sentence where it is broken, else None. A broken rule
        rejects the edit at the place of its first path; with `warn` it only tells. Runs in a thread
        of its own for at most `timeout` seconds. Raise `RegistrationError`.
        """
        keys = [as_key_path(path) for path in paths]

        def register(function: F) -> F:
            rules_of(self._engine).add(function, keys, name, warn=warn, timeout=timeout)
            return function

        return register

    @overload
    def rehearsal(self, function: F) -> F: ...

    @overload
    def rehearsal(self, *, timeout: float = 10.0) -> Callable[[F], F]: ...

    def rehearsal(
        self, function: Callable[..., Any] | None = None, *, timeout: float = 10.0
    ) -> Callable[..., Any]:
        """Register a function that tries an edit before anybody gets it, sync or async.

        It is called with the new version's snapshot, if it takes one, when all is built, and runs
        as a unit of work of that version: `live.current()`, leases and requests that it sends to
        the application in this process work on it. An exception, or a sentence that it returns,
        rejects the edit (code `rehearsal`) where the same does not befall the version that serves.
        At most `timeout` seconds. The first load is not rehearsed. Raise `RegistrationError`.
        """

        def register(function: F) -> F:
            rehearsals_of(self._engine).add(function, timeout)
            return function

        return register if function is None else register(function)

    def restart_only(self, *paths: str | KeyPath) -> None:
        """Let keys, with all below them, keep their running value until the process starts anew.

        The rest of an edit goes live; what is kept is validated with it, and
        `status().pending_restart` names it. A step may be `*`, as in `services.*.port`. No contract
        can unset it. Raise `RegistrationError` for what is no key path or not in the schema, and
        after the start.
        """
        keys = [as_key_path(path) for path in paths]
        for key in keys:
            schema = self._engine.schema  # a JSON Schema is read at the start, not here
            if schema.reader != "jsonschema" and not schema.spelled(key):
                reason = f"the schema has no key {key_path_text(key)}{schema.meant(key)}"
                raise RegistrationError(reason)
        restart_only_of(self._engine).add(keys)

    def subscribe(
        self, listener: Callable[[ReloadEvent], Awaitable[None] | None]
    ) -> Callable[[], None]:
        """Call `listener` after each swap and each rejection; return the way to unsubscribe.

        It runs in a thread of its own, a coroutine function in the home loop. What it raises is
        logged and goes no further.
        """
        return self._engine.listeners.add(listener)

    # -------------------------------------------------------------- start, check, close

    def start(self) -> None:
        """Load and build for the first time; blocks. Raises on a bad configuration.

        Waits at most `patience` for a file that is still being written. Each `start` is undone by
        one `close`; one that raised needs none.
        """
        start(self._engine)

    async def astart(self) -> None:
        """Do what `start` does, without blocking the event loop, which becomes the home loop."""
        await astart(self._engine)

    def close(self) -> None:
        """Drain and close everything; blocks, for leases at most `drain` seconds. Idempotent.

        Closes with the last of several starts; the engine can be started again.
        """
        close(self._engine)

    async def aclose(self) -> None:
        """Do what `close` does, without blocking the event loop."""
        await aclose(self._engine)

    def check(self) -> Outcome:
        """Check now, wait for the file to settle and for the reload; blocks at most `patience`.

        `unchanged` when switched off, and when the engine had taken up the edit by itself before.
        The cause of a rejection is in `status()`.
        """
        self._engine.refuse_to_block("live.check()", "await live.acheck()")
        return self._engine.asked(self._engine.running, "live.check()")

    async def acheck(self) -> Outcome:
        """Do what `check` does, without blocking the event loop."""
        if running_loop() is None:
            return await in_thread(self.check)
        return await self._engine.asked_async(self._engine.running, "live.acheck()")

    def check_on(self, number: int) -> Callable[[], None]:
        """Check at each signal of that number, as in `live.check_on(signal.SIGHUP)`.

        Off unless asked for: nothing is needed for an edit to be seen. The handler returns at once
        and calls the one that was there before. Call it in the main thread; return the way to stop.
        Raise `UsageError` elsewhere, `OptionError` for what is no signal that can be handled.
        """
        from .signals import check_on

        return check_on(self._engine, number)

    # --------------------------------------------------------------------------- trials

    def promote(self) -> Outcome:
        """End a trial at once, for all; or the watch after it. Return what the check came to.

        Raise `UsageError` where nothing is tried or watched.
        """
        became = ordered(self._engine, "promote", None)
        return became(self.check())

    async def apromote(self) -> Outcome:
        """Do what `promote` does, without blocking the event loop."""
        became = ordered(self._engine, "promote", None)
        return became(await self.acheck())

    def undo(self, *, reason: str | None = None) -> Outcome:
        """Take back what is tried or watched, else what serves: the version before it serves.

        It stays undone until its content changes, or `retry`. Resources of a version that is not
        kept ready any more are built anew. With a store it is banned there by then, unless that
        does not answer within half a second. Return what the check came to. Raise `UsageError`
        where there is no version before.
        """
        became = ordered(self._engine, "undo", reason)
        return until_told(self._engine, became(self.check()))

    async def aundo(self, *, reason: str | None = None) -> Outcome:
        """Do what `undo` does, without blocking the event loop."""
        if running_loop() is None:
            return await in_thread(lambda: self.undo(reason=reason))
        became = ordered(self._engine, "undo", reason)
        return await until_told_async(self._engine, became(await self.acheck()))

    def retry(self) -> Outcome:
        """Forget that what the sources hold was refused or undone, and take it up anew."""
        became = forget_refusal(self._engine)
        return became(self.check())

    async def aretry(self) -> Outcome:
        """Do what `retry` does, without blocking the event loop."""
        became = forget_refusal(self._engine)
        return became(await self.acheck())

    def mark(self, name: str) -> None:
        """Say that the unit of work around this code went wrong in the application's own sense.

        It counts as bad while an edit is tried, under its `name`; at all other times, and outside
        a request, this does nothing. Give it few names, none with a number or a value in it: those
        beyond a hundred in one trial are counted together. Raise `UsageError` for what is no text.
        """
        if not isinstance(cast("object", name), str) or not name:
            raise UsageError("live.mark() takes a name, as 'payment-failed'")
        mark(name)

    def rebuild(self, resource: Resource[Any]) -> Outcome:
        """Build a resource anew without an edit, make before break; blocks at most `patience`.

        For what ends by itself, a credential for example. `rebuilt` when it serves, with what needs
        it, under the same version; `rejected` when it cannot be built, and then the old one serves
        on and it is tried again by itself. Starts the engine if need be.
        """
        self._engine.refuse_to_block("live.rebuild()", "await live.arebuild()")
        thread_of = partial(self._engine.running_with, resource)
        return self._engine.asked(thread_of, "live.rebuild()", resource)

    async def arebuild(self, resource: Resource[Any]) -> Outcome:
        """Do what `rebuild` does, without blocking the event loop."""
        if running_loop() is None:
            return await in_thread(lambda: self.rebuild(resource))
        thread_of = partial(self._engine.running_with, resource)
        return await self._engine.asked_async(thread_of, "live.arebuild()", resource)

    # ----------------------------------------------------------------------- snapshots

    @property
    def snapshot(self) -> Snapshot[C]:
        """Return the snapshot that a unit of work would get now, without a lease on it.

        Raises `NoSnapshotError` while there is none.
        """
        thread = self._engine.thread
        current = None if thread is None else thread.serving.current
        if current is None:
            raise NoSnapshotError(
                "no configuration is loaded in this process: add `live.start()`, serve the app "
                "through ReloadCheckMiddleware, or use `with live.lease() as snapshot:`"
            )
        return current.snapshot

    def lease(self, *, name: str | None = None, trial: bool = False) -> Lease[C]:
        """Begin a unit of work outside a request: `with live.lease() as snapshot:` or `async with`.

        Starts the engine if need be. Raises what is wrong while no good configuration was loaded.
        Should it outlive the drain, the log calls it by `name`, else by the function that called.
        With `trial` it takes part in a trial, as a request does, and an exception counts against
        the version that it got.
        """
        caller = sys._getframe(1)  # pyright: ignore[reportPrivateUsage] - documented, and cheap
        scope = {"type": "job"} if trial else None
        return Lease(Entrance(self._engine), name or caller.f_code, scope)

    def current(self) -> Snapshot[C]:
        """Return the snapshot of the unit of work of this engine that this code runs in.

        Raises `OutsideWorkError`, a `LookupError`, outside one and after it has ended.
        """
        unit = unit_in(self._engine)
        if unit is None:
            raise OutsideWorkError(
                "no unit of work of this engine here: wrap the app in "
                "ReloadCheckMiddleware(app, live), or add `with live.lease() as snapshot:`"
            )
        return cast("Snapshot[C]", unit[SNAPSHOT])

    def override(self, changes: Mapping[str, Any]) -> Override[C]:
        """Serve other values inside a `with` block, or an `async with` one: for tests.

        `changes` are laid over the sources as a last one is: mappings by key, all else replaced.
        What depends on them is rebuilt, and again at the end. An engine that has not started yet
        starts with them. Raises what is wrong with the values, and then nothing has changed.
        """
        from .override import Override

        return Override(self._engine, changes)

    def status(self, *, probe: bool = False) -> Status:
        """Return what an operator may know; quote no value of the configuration.

        Never blocks, save with `probe`: then each resource's probe is called on what serves, all at
        once, each for at most its resource's `timeout` (twice that when another version's call is
        under way), and `status.resources` say what they came to. Probes change nothing: what fails
        one is still handed out. One that hangs is not called here again until it returns.
        """
        engine = self._engine
        if not probe or engine.thread is None:
            return observed(engine, None)
        engine.refuse_at_home("live.status(probe=True)", "await live.astatus(probe=True)")
        return observed(engine, probed(engine))

    async def astatus(self, *, probe: bool = False) -> Status:
        """Do what `status` does, without blocking the event loop."""
        engine = self._engine
        if not probe or engine.thread is None:
            return observed(engine, None)
        if running_loop() is None:
            return await in_thread(lambda: self.status(probe=True))
        return observed(engine, await probed_async(engine))


def engine_of(live: ReloadCheck[C]) -> Engine[C]:
    """Return what the doors of this package stand on; raise `OptionError` for what is no engine."""
    try:
        return live._engine  # pyright: ignore[reportPrivateUsage] - off the public face
    except AttributeError:
        kind = type(live).__name__
        raise OptionError(
            f'an engine is expected here, live = ReloadCheck("config.yaml"), not a {kind}'
        ) from None


def environ_of(live: ReloadCheck[Any]) -> Mapping[str, str]:
    """Return the environment that an engine reads its options from; the page's stand there too."""
    return live._environ  # pyright: ignore[reportPrivateUsage] - off the public face


def set_options(live: ReloadCheck[Any], given: Mapping[str, Any]) -> None:
    """Lay a framework's own settings over the options from code; the environment stays above both.

    Raises `OptionError` for what is no option, and for another value once the engine runs.
    """
    engine = engine_of(live)
    known = [field.name for field in fields(Options)]
    for name in given:
        if name not in known:
            raise OptionError(f"there is no option {name}; the options are: {', '.join(known)}")
    options = replace(engine.options, **given)
    options = options_from(options, options.enabled, environ_of(live))
    if options == engine.options:
        return
    if engine.thread is not None and not engine.thread.closing:
        raise OptionError("options are set before the engine starts: it runs with others already")
    engine.options = options
