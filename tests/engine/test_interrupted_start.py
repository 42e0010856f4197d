"""Signal handlers, Ctrl-C and cancellation at any moment of a start: nothing hangs or stays.

Long because an interruption comes at each line of a start.
"""

import asyncio
import linecache
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import reloadcheck
from reloadcheck import NoSnapshotError, ReloadCheck, ReloadCheckError
from reloadcheck._engine.api import engine_of
from reloadcheck.testing import MemorySource, RecordingFactory, assert_all_closed
from tests.support.rig import Call, threads_named, until
from tests.support.scripts import run

ROOM = str(Path(reloadcheck.__file__).parent / "_engine")


class Interrupt:
    """Calls `handler` before the line number `at` that this thread runs of the engine's own code.

    As a signal handler is called; what it raises is raised there.
    """

    def __init__(self, at: int, handler: Callable[[], object]) -> None:
        self.reached = False
        self._at = at
        self._handler = handler

    @contextmanager
    def __call__(self) -> Generator[None]:
        """Interrupt the code in the block."""
        before = sys.gettrace()
        sys.settrace(self._enter)
        try:
            yield
        finally:
            sys.settrace(before)

    def _enter(self, frame: FrameType, event: str, argument: object) -> Any:
        return self._line if frame.f_code.co_filename.startswith(ROOM) else None

    def _line(self, frame: FrameType, event: str, argument: object) -> Any:
        source = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
        # The way out of a `with` passes its line, too: no signal is delivered there.
        if event == "line" and not self.reached and not source.startswith("with "):
            self._at -= 1
            if self._at < 0:
                self.reached = True
                sys.settrace(None)
                self._handler()
        return None if self.reached else self._line


def engine() -> tuple["ReloadCheck[Any]", RecordingFactory]:
    """Make an engine with a resource, on a real clock."""
    live, pools = ReloadCheck(MemorySource("a: 1"), environ={}, window=0.05), RecordingFactory("p")
    live.resource("a", name="p")(pools)
    return live, pools


def starting(live: "ReloadCheck[Any]", interrupt: Interrupt) -> None:
    """Start under the interrupt; whatever the handler did, an error of ours is the worst."""
    with interrupt():
        live.start()


def nothing_stays(live: "ReloadCheck[Any]") -> None:
    """See that no thread, no instance and no lease is left."""
    until(lambda: not threads_named("engine", "reader"))
    assert_all_closed(live)


HANDLERS: dict[str, Callable[["ReloadCheck[Any]"], object]] = {
    "lease": lambda live: live.lease().take(),
    "check": lambda live: live.check(),
    "status": lambda live: live.status(),
    "start": lambda live: live.start(),
}


KINDS = [*HANDLERS, "nothing"]


@pytest.mark.parametrize(
    "every",
    [
        pytest.param(len(KINDS), id="in turn"),
        pytest.param(1, id="each", marks=pytest.mark.long),
    ],
)
@pytest.mark.parametrize("what", KINDS)
def test_a_handler_at_any_line_of_the_first_start(what: str, every: int) -> None:
    """It is answered, with an error of ours at the worst, and so is the start behind it.

    Every line has one of the kinds in turn (`-m long`: each of them).
    """
    at, reached = KINDS.index(what) % every, True
    while reached:
        live, _ = engine()
        starts = [1]

        def handler(live: "ReloadCheck[Any]" = live, starts: list[int] = starts) -> None:
            with suppress(ReloadCheckError):
                if what == "lease":
                    with live.lease():
                        return
                if what != "nothing":
                    HANDLERS[what](live)
                starts.append(1)

        interrupt = Interrupt(at, handler)
        Call(lambda live=live, one=interrupt: starting(live, one)).result()  # type: ignore[misc]
        assert live.status().state == "serving"
        for _ in range(len(starts) if what == "start" else 1):
            assert live.status().state == "serving"
            Call(live.close).result()
        nothing_stays(live)
        at, reached = at + every, interrupt.reached
    assert at > 50


def test_a_close_at_any_line_of_the_first_start() -> None:
    """A handler that closes is obeyed: the start says so, and nothing is left running."""
    at, reached, refused = 0, True, 0
    while reached:
        live, _ = engine()
        interrupt = Interrupt(at, live.close)
        call = Call(lambda live=live, one=interrupt: starting(live, one))  # type: ignore[misc]
        try:
            call.result()
        except NoSnapshotError:
            refused += 1
        else:  # it came before the start was counted, or after it was through
            Call(live.close).result()
        nothing_stays(live)
        at, reached = at + 1, interrupt.reached
    assert refused > 40


def test_ctrl_c_at_any_line_of_a_start() -> None:
    """What was not started is not left running, and the next start works."""
    at, reached, left = 0, True, 0
    while reached:
        live, _ = engine()

        def press() -> None:
            raise KeyboardInterrupt

        interrupt = Interrupt(at, press)
        try:
            Call(lambda live=live, one=interrupt: starting(live, one)).result()  # type: ignore[misc]
        except KeyboardInterrupt:
            if live.status().state not in ("idle", "closed"):
                left += 1
        else:
            Call(live.close).result()
        nothing_stays(live)
        at, reached = at + 1, interrupt.reached
    assert left == 0


class Slow:
    """An engine whose factory waits until it is told to go on."""

    def __init__(self) -> None:
        self.live: ReloadCheck[Any] = ReloadCheck(MemorySource("a: 1"), environ={}, window=0.05)
        self.log: list[str] = []
        self.entered, self.gate = threading.Event(), threading.Event()

        @self.live.resource("a")
        def pool(a: int) -> Any:
            self.entered.set()
            self.gate.wait(30)
            self.log.append("built")
            yield a
            self.log.append("closed")


def test_a_cancelled_start_takes_itself_back() -> None:
    """A time-out around `astart()` leaves neither an engine nor what it was building."""
    slow = Slow()

    async def main() -> None:
        starting = asyncio.create_task(slow.live.astart())
        await asyncio.to_thread(slow.entered.wait, 10)
        starting.cancel()
        slow.gate.set()
        with pytest.raises(asyncio.CancelledError):
            await starting

    asyncio.run(main())
    nothing_stays(slow.live)
    until(lambda: slow.log in (["built", "closed"], []))
    with pytest.raises(NoSnapshotError):
        _ = slow.live.snapshot


def is_used(live: ReloadCheck[Any]) -> bool:
    """Return whether somebody but a start waits for what is being built."""
    thread = engine_of(live).thread
    return thread is not None and thread.is_used


@pytest.mark.parametrize("by", ["a start", "a lease", "a waiting lease"])
def test_a_cancelled_start_leaves_alone_what_others_use(by: str) -> None:
    """Whoever else has started the engine, holds a lease or waits for one goes on."""
    slow = Slow()
    live, others, lease = slow.live, list[Any](), slow.live.lease()

    def leasing() -> None:
        with live.lease():
            return

    if by == "a start":
        others.append(Call(live.start))
    elif by == "a waiting lease":
        others.append(Call(leasing))
    else:
        slow.gate.set()
        Call(lease.__enter__).result()

    async def main() -> None:
        starting = asyncio.create_task(live.astart())
        if by != "a lease":
            await asyncio.to_thread(slow.entered.wait, 10)
        if by == "a waiting lease":
            await asyncio.to_thread(until, lambda: is_used(live))
        await asyncio.sleep(0)
        starting.cancel()
        with suppress(asyncio.CancelledError):
            await starting

    asyncio.run(main())
    slow.gate.set()
    for other in others:
        other.result()
    assert live.status().state == "serving"
    assert live.snapshot.config["a"] == 1
    if by == "a lease":
        lease.__exit__(None, None, None)
    Call(live.close).result()


def test_a_start_during_the_close_of_another_app(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted first, a start is not what the other app's close undoes, wherever it stands."""
    live, _ = engine()
    Call(live.start).result()
    real, here, closed = engine_of(live).running, threading.Event(), threading.Event()

    def running() -> Any:
        here.set()
        closed.wait(30)
        return real()

    monkeypatch.setattr(engine_of(live), "running", running)
    second = Call(live.start)
    assert here.wait(30)
    Call(live.close).result()
    closed.set()
    second.result()
    monkeypatch.undo()
    assert live.status().state == "serving"
    Call(live.close).result()
    nothing_stays(live)


def test_starts_and_closes_of_three_apps() -> None:
    """However they fall, no start fails, and each comes back with a snapshot to serve."""
    live, _ = engine()
    interval = sys.getswitchinterval()

    def app() -> int:
        seen = 0
        for _ in range(200):
            live.start()
            seen += live.snapshot.config["a"]
            live.close()
        return seen

    sys.setswitchinterval(1e-5)
    try:
        assert [call.result() for call in [Call(app) for _ in range(3)]] == [200] * 3
    finally:
        sys.setswitchinterval(interval)
    nothing_stays(live)


@pytest.mark.parametrize("name", ["_engine.reloader", "_config.redact"])
def test_a_handler_in_the_middle_of_the_imports(tmp_path: Path, name: str) -> None:
    """Modules that are half there are no riddle: a close is obeyed, a lease is refused in words.

    Nobody waits for a thread that needs a module of which this one holds the lock.
    """
    done = run(
        tmp_path,
        f"""
        MODULE = "reloadcheck.{name}"
        """
        """
        from reloadcheck import BlockingCallError

        class Finder:
            def find_spec(self, name, path=None, target=None):
                if name == MODULE:
                    sys.meta_path.remove(self)
                    for ask in (live.lease().take, live.check, live.start):
                        try:
                            ask()
                        except BlockingCallError as error:
                            say("in the middle of the engine's first start" in str(error))
                    live.close()

        sys.meta_path.insert(0, Finder())
        try:
            live.start()
        except NoSnapshotError as error:
            say(error)
        names = [t.name for t in threading.enumerate() if t.name.startswith("reloadcheck")]
        say(names)
        live.start()
        say(live.snapshot.version)
        live.close()
        """,
    )
    assert done.status == 0, done.output
    said = ["True"] * 3
    said += ["live.close() was called before the start was through", "[]", "1"]
    assert said == done.said
