"""One server's trial: start, serve, edit, stop; beside it the same server without us as a control.

Takes kinds of servers, gives a result for each. Trials of one wave do the same things at the same
time, so that no server is measured while others start.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

from reloadcheck.demo.workspace import free_port
from tests.support.servers import Server, serving

from .catalog import Kind
from .side import Side
from .verdict import SETTLE, WINDOW, Result, delays, faults

__all__ = ["run"]

PICK_UP_SECONDS = 6.0
SIGNAL_SECONDS = 10.0
TRIES = 3
STAGGER = 0.15
"""Seconds between the stops of two trials, whose ends would else be in each other's way."""

WAVE = 9
"""How many kinds are on trial at the same time."""


async def run(kinds: Sequence[Kind], directory: Path) -> dict[str, Result]:
    """Return the result of each kind by its name.

    A kind that did nothing wrong but took too long is tried again, twice at most, among the few of
    its like: what else the machine does is by chance, and what we do is not.
    """
    results: dict[str, Result] = {}
    for number in range(TRIES):
        for begin in range(0, len(kinds), WAVE):
            place = directory / f"{number}-{begin}"
            place.mkdir()
            results |= await _wave(kinds[begin : begin + WAVE], place)
        kinds = [kind for kind in kinds if _is_slow(results[kind.name])]
    return results


def _is_slow(result: Result) -> bool:
    return bool(delays(result)) and not faults(result)


async def _wave(kinds: Sequence[Kind], directory: Path) -> dict[str, Result]:
    async with AsyncExitStack() as stack:
        trials = [Trial(kind, directory, stack) for kind in kinds]
        await asyncio.gather(*(trial.take(trial.start) for trial in trials))
        await asyncio.gather(*(trial.take(trial.edit) for trial in trials))
        stops = [trial.take(trial.stop, n * STAGGER) for n, trial in enumerate(trials)]
        await asyncio.gather(*stops)
        return {trial.kind.name: trial.result() for trial in trials}


class Trial:
    """The trial of one kind: `run` has it take its steps, and the first that fails ends it."""

    def __init__(self, kind: Kind, directory: Path, stack: AsyncExitStack) -> None:
        self.kind = kind
        self._directory = directory / kind.name.replace(" ", "-")
        self._stack = stack
        self._config = self._directory / "app.yaml"
        self._sides: list[Side] = []
        self._result = Result(kind)

    async def take(self, step: Callable[[], Awaitable[None]], after: float = 0.0) -> None:
        """Take a step after so many seconds, unless an earlier one has failed."""
        if self._result.error is not None:
            return
        await asyncio.sleep(after)
        try:
            await step()
        except (AssertionError, OSError, TimeoutError) as error:
            self._result = replace(self._result, error=f"{type(error).__name__}: {error}")

    def result(self) -> Result:
        """Return what was found so far, and what our server wrote."""
        return replace(self._result, log=self._sides[0].server.log if self._sides else "")

    async def start(self) -> None:
        """Start both servers, wait until they answer, and have each begin an endless response."""
        self._directory.mkdir()
        self._config.write_text("number: 1\n")
        for bare in (False, True):
            side = Side(self._serve(bare), self.kind)
            self._sides.append(side)
            self._stack.push_async_callback(side.close)
        ours, other = self._sides
        await asyncio.gather(ours.ready(), other.ready())
        await self._compare_signals()
        if not self.kind.single:
            await self._open_streams()

    async def _compare_signals(self) -> None:
        """See both lead to the same in the end: some servers answer before they have set all."""
        same, ends = False, time.monotonic() + SIGNAL_SECONDS
        while not same and time.monotonic() < ends:
            ours, bare = [(await side.asked("/signals")).said["signals"] for side in self._sides]
            same = ours == bare
            await asyncio.sleep(0 if same else 0.1)
        self._result = replace(self._result, same_signals=same)

    async def edit(self) -> None:
        """Edit the file, and ask until each worker has shown it."""
        ours, bare = self._sides
        await asyncio.gather(ours.ask_all(), bare.ask_all())
        await asyncio.sleep(2 * WINDOW)
        self._config.write_text("number: 2\n")
        written = time.monotonic()
        while set(ours.poll.first(2)) < ours.workers:
            if time.monotonic() - written > PICK_UP_SECONDS:
                break
            await asyncio.sleep(0.01)
        await asyncio.gather(ours.poll.stop(), bare.poll.stop())
        shown = ours.poll.first(2)
        meanwhile = [one for one in bare.poll.answers if one.ended >= written]
        self._result = replace(
            self._result,
            picked_up=tuple(sorted(at - written for at in shown.values())),
            control=max((one.ended - one.begun for one in meanwhile), default=0.0),
            failures=(*ours.poll.failures, *bare.poll.failures),
            same_workers=set(shown) == ours.workers,
        )

    async def stop(self) -> None:
        """End both at the same time, with a response under way."""
        ours, bare = self._sides
        if self.kind.single:
            await self._open_streams()
        (status, stop), (bare_status, bare_stop) = await asyncio.gather(ours.stop(), bare.stop())
        self._result = replace(
            self._result,
            status=status,
            stop=stop,
            bare_status=bare_status,
            bare_stop=bare_stop,
            gone=await ours.is_gone(),
            streamed=frozenset(ours.stream.numbers),
        )

    async def _open_streams(self) -> None:
        for side in self._sides:
            await side.stream.open(side.server.port)

    def _serve(self, bare: bool) -> Server:
        port = free_port()
        environ = {
            "SERVERS_CONFIG": str(self._config),
            "RELOAD_CHECK_WINDOW": str(WINDOW),
            "RELOAD_CHECK_SETTLE": str(SETTLE),
            **({"SERVERS_EARLY": "1"} if self.kind.early else {}),
            **({"SERVERS_BARE": "1"} if bare else {}),
        }
        command = self.kind.command(port)
        context = serving(command, environ, self._directory, listen=False)
        server = self._stack.enter_context(context)
        server.port = port
        return server
