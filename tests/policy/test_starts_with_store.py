"""A start under a contract with a store is no way around it, however long it takes."""

import pytest

from reloadcheck import Outcome
from reloadcheck.exceptions import ConfigError
from reloadcheck.stores import SQLiteStore
from reloadcheck.testing import MemoryStore
from reloadcheck.types import Board
from tests.support.load import until

from .site import Site, comes_to, serves


class Looked(SQLiteStore):
    """A store that counts how often it was looked at."""

    looks = 0

    def look(self, prefix: str, seen: Board | None = None) -> Board | None:
        """Count, and look."""
        self.looks += 1
        return super().look(prefix, seen)


@pytest.mark.parametrize("together", [None, "all"])
def test_a_restart_is_no_way_around_a_window(site: Site, together: str | None) -> None:
    """An edit made while nothing ran waits: what was accepted last serves meanwhile.

    Also where workers decide together and none of them is left.
    """
    before = site.engine(together=together)
    site.editions(1)
    before.close()
    site.edit("INFO", "DEBUG")
    live = site.engine(together=together)
    assert live.snapshot.config.log.level == "INFO"
    comes_to(live, Outcome.WAITING)
    assert live.status().code == "window"
    site.edit("DEBUG", "INFO")
    site.edit("free: 1", "free: 2")
    serves(live, free=2)


@pytest.mark.parametrize("file_comes_late", [True, False])
def test_a_start_that_takes_longer_is_no_way_around_a_window(
    site: Site, file_comes_late: bool
) -> None:
    """What was accepted last is at hand until this worker serves, however often it has looked.

    As where a volume is mounted late, or the file is bad at first.
    """
    before = site.engine()
    site.editions(1)
    before.close()
    edited = site.file.read_text().replace("INFO", "DEBUG")
    site.file.unlink() if file_comes_late else site.file.write_text("log: [")
    store = Looked(site.directory / "store.db")
    live = site.engine(start=False, store=store, patience=0.3)
    with pytest.raises(ConfigError), live.lease():
        raise AssertionError("there is nothing to serve with")
    seen = store.looks
    until(lambda: store.looks > seen + 1)
    site.file.write_text(edited)
    until(lambda: live.check() is Outcome.WAITING)
    assert live.snapshot.config.log.level == "INFO"


def test_a_start_that_cannot_ask_says_so(site: Site) -> None:
    """Where what was accepted last is not kept, the file serves, and that is told."""
    before = site.engine(store=SQLiteStore(site.directory / "store.db", keep_content=False))
    site.editions(1)
    before.close()
    site.edit("INFO", "DEBUG")
    live = site.engine()
    assert live.snapshot.config.log.level == "DEBUG"
    told = "what the sources hold serves, and no window, leave or freeze was asked: edition 1, "
    live.check()  # it is told for as long as that serves
    assert live.status().remarks == (f"{told}which was accepted last, is not kept in the store",)
    site.edit("DEBUG", "DEBUG\nfree_too: 1")
    live.check()
    assert live.status().remarks == ()


def test_a_start_without_an_answer_of_the_store_says_so(site: Site) -> None:
    """Nobody knows then what was accepted last; serving is not held up for that."""
    store = MemoryStore()
    store.lose()
    live = site.engine(store=store, patience=0.2)
    live.check()
    assert live.status().remarks == (
        "what the sources hold serves, and no window, leave or freeze was asked: the store had not "
        "answered at the start",
    )


def test_a_first_start_of_all_takes_the_file(site: Site) -> None:
    """With an empty store there is nothing that was accepted."""
    assert site.engine().snapshot.config.log.level == "INFO"
