"""Some workers' engines over one board, each with a file and a store of its own."""

import threading
from pathlib import Path
from typing import Any

from reloadcheck import ReloadCheck
from reloadcheck._state.store_orders import Orders
from reloadcheck.testing import MemoryStore
from tests.support.rig import until
from tests.support.steps import SteppedMemory, all_step


class Worker:
    """One worker's engine, its file and its store; each has its own."""

    def __init__(self, crew: "Crew", number: int) -> None:
        self.file = crew.directory / f"worker-{number}.yaml"
        self.file.write_text(crew.text)
        self.store = SteppedMemory()
        self.store.share(crew.board)
        self.live: ReloadCheck[Any] = ReloadCheck(
            self.file,
            store=self.store,
            app="shop",
            release=crew.release,
            settle=0,
            window=0.1,
            together=crew.together,
        )
        self.bad: set[object] = set()
        self.never: set[object] = set()
        self.builds: list[object] = []
        self.gate = threading.Event()
        self.gate.set()
        self.live.resource("a", name="pool")(self._build)
        self.live.rule("a")(self._judge)

    def _build(self, a: object) -> object:
        assert self.gate.wait(30)
        if a in self.bad:
            raise ConnectionError
        self.builds.append(a)
        return object()

    def _judge(self, a: object) -> str | None:
        return "is never right here" if a in self.never else None

    @property
    def value(self) -> object:
        """What it serves."""
        return self.live.snapshot.config["a"]

    @property
    def code(self) -> str | None:
        """Why it does not serve what its file holds."""
        return self.live.status().code


class Crew:
    """Some workers over one board."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.board = MemoryStore()
        self.together: Any = "all"
        self.release: str | None = None
        self.text = "a: 1"
        self.workers: list[Worker] = []

    def start(self, count: int = 1) -> list[Worker]:
        """Start more workers; return them all."""
        for _ in range(count):
            worker = Worker(self, len(self.workers))
            self.workers.append(worker)
            worker.live.start()
        return self.workers

    @property
    def orders(self) -> Orders:
        """What an operator has."""
        return Orders(self.board.peer(), app="shop", release=self.release)

    def edit(self, text: str, *workers: Worker) -> None:
        """Edit the files of some workers, or of all, and let those look."""
        self.text = text
        for worker in workers or self.workers:
            worker.file.write_text(text)
        for worker in workers or self.workers:
            worker.live.check()

    def look(self) -> None:
        """Wait until each knows what is on the board by now, and has done its part."""
        all_step(worker.store for worker in self.workers)

    def votes(self) -> list[str | None]:
        """Return the votes in the open round as the first worker knows them, None last."""
        store = self.workers[0].live.status().store
        votes = store.round.votes.values() if store and store.round else ()
        return sorted(votes, key=lambda vote: vote is None)

    def values(self) -> list[object]:
        """Return what each serves."""
        return [worker.value for worker in self.workers]

    def serve(self, value: object) -> None:
        """Wait until all serve it, without a request."""
        until(lambda: {value} == set(self.values()))
