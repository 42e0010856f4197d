"""Workers of one store that try edits of one file, in this process."""

from pathlib import Path
from typing import Any

from reloadcheck import ReloadCheck
from reloadcheck._engine.api import engine_of
from reloadcheck.testing import FakeDraw, MemoryStore
from reloadcheck.trial import Trial
from reloadcheck.trial.run import Run
from tests.support.rig import until

__all__ = ["Crew"]


class Crew:
    """Some workers that try edits of one file."""

    def __init__(
        self,
        directory: Path,
        trial: Trial,
        together: Any,
        count: int = 2,
        fallback: Path | None = None,
    ) -> None:
        self.board = MemoryStore()
        self.file = directory / "config.yaml"
        self.file.write_text("a: 1")
        self.stores = [self.board.peer() for _ in range(count)]
        self.lives: list[ReloadCheck[Any]] = []
        for store in self.stores:
            live: ReloadCheck[Any] = ReloadCheck(
                self.file,
                store=store,
                app="shop",
                settle=0,
                window=0.1,
                trial=trial,
                together=together,
                fallback=fallback,
            )
            gate = engine_of(live).trial
            assert gate is not None
            gate.draw = lambda: FakeDraw(share=0.5)
            self.lives.append(live)
            live.start()

    def edit(self, value: int) -> None:
        """Edit the file, and let all try it."""
        self.file.write_text(f"a: {value}")
        for live in self.lives:
            live.check()
        until(lambda: all(live.status().trial for live in self.lives))

    def run_of(self, live: ReloadCheck[Any]) -> Run:
        """Return what one worker's trial counts, and to whom it gives the edit."""
        gate = engine_of(live).trial
        assert gate is not None
        assert gate.run is not None
        return gate.run

    def ask(self, live: ReloadCheck[Any], count: int, bad: int | None = None) -> None:
        """Make requests to one worker, of which those on a value fail."""
        for _ in range(count):
            try:
                with live.lease(trial=True) as snapshot:
                    if snapshot.config["a"] == bad:
                        raise RuntimeError
            except RuntimeError:
                continue

    def outcomes(self) -> set[str]:
        """Return what became of the edit, on each."""
        return {str(live.status().outcome) for live in self.lives}
