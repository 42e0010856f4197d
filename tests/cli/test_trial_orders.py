"""`reloadcheck promote`, `undo` and `retry`: orders to workers that try an edit, by their store."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reloadcheck import ReloadCheck
from tests.support.rig import until

from .conftest import Done, Run
from .test_status_command import TOKEN, application

STORE = ("--store", "store.db")


@pytest.fixture
def live(here: Path, run: Run) -> Iterator[ReloadCheck[Any]]:
    """A worker that tries an edit, and has told the store."""
    file = here / "config.yaml"
    file.write_text("greeting: hello\n")
    live = ReloadCheck(file, store=here / "store.db", app="shop", settle=0, window=0.1, trial=True)
    live.start()
    file.write_text("greeting: moin\n")
    until(lambda: live.check() == "trying")
    until(lambda: "trying" in run("fleet", *STORE, "--json").out)
    yield live
    live.close()


def test_what_is_tried_is_promoted(run: Run, live: ReloadCheck[Any]) -> None:
    """In every worker, which is waited for; a second order ends the watch after it."""
    done = run("promote", *STORE, "--wait", "10", "--json")
    assert (done.status, done.document["says"]) == (
        0,
        "promoted: what is tried serves everybody",
    )
    assert live.snapshot.config.greeting == "moin"
    assert run("promote", *STORE).status == 2  # nobody tries anything any more


def test_what_is_tried_is_undone(run: Run, live: ReloadCheck[Any]) -> None:
    """With its reason; the history has who wanted it, and `retry` tries it again."""
    assert run("undo", *STORE).status == 2  # it says why
    done = run("undo", *STORE, "--why", "wrong prices", "--by", "ada", "--wait", "10")
    assert (done.status, "what is tried is taken back" in done.out) == (0, True)
    assert "undone by hand: version 2: wrong prices" in str(live.status().error)
    assert live.snapshot.config.greeting == "hello"
    entries = run("history", *STORE, "--json", "--limit", "9").document["entries"]
    ordered = [one for one in entries if one["cause"] == "undo"]
    assert [(one["actor"], one["why"]) for one in ordered] == [("ada", "wrong prices")]
    assert run("retry", *STORE).status == 0
    until(lambda: live.status().outcome == "trying")


def test_a_roll_back_in_the_first_trial_names_what_takes_it_back(
    run: Run, live: ReloadCheck[Any]
) -> None:
    """There is no older edition yet; the words of the command were right, so no usage is shown."""
    done = run("rollback", *STORE, "--why", "wrong prices")
    assert (done.status, done.out) == (2, "")
    assert done.err == (
        "reloadcheck rollback: error: there is no older edition that is kept and not banned; "
        "`undo` takes back what is tried\n"
    )
    del live


def test_where_nothing_is_tried_the_edition_before_serves(run: Run, live: ReloadCheck[Any]) -> None:
    """And what served is banned, as by a roll-back; everything lasts over restarts."""
    assert run("promote", *STORE, "--wait", "10").status == 0
    until(lambda: len(run("history", *STORE, "--json").document["entries"]) >= 2)
    until(lambda: run("undo", *STORE, "--why", "wrong prices", "--wait", "10").status == 0)
    until(lambda: live.snapshot.config.greeting == "hello")
    assert live.status().trial is None


def test_watch_until_live_says_what_a_trial_came_to(
    run: Run, live: ReloadCheck[Any], here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """4 while it is tried, 1 with the sentence once it is undone, 0 once it is live."""
    monkeypatch.setenv("RELOAD_CHECK_STATUS_TOKEN", TOKEN)
    watch = ("watch", "config.yaml", "--until", "live", "--timeout", "0.3")
    with application(live) as url:
        monkeypatch.setenv("RELOAD_CHECK_STATUS_URL", url)
        done = run(*watch)
        assert (done.status, done.lines[-1]) == (4, "trying      version 2 has 1% of all")
        assert run("status", url).status == 4
        live.undo(reason="wrong prices")
        done = run(*watch[:-2])
        assert (done.status, done.lines[-1][:23]) == (1, "undone      undone by h")
        assert run("status", url).status == 1
        (here / "config.yaml").write_text("greeting: servus\n")
        until(lambda: live.check() == "trying")
        live.promote()
        done = run(*watch[:-2], "--json")
        assert (done.status, '"live"' in done.out) == (0, True)


def widest(done: Done) -> int:
    """Return the length of the longest line, of those that can be folded."""
    return max(len(line) for line in done.lines if "config.yaml" not in line)


def test_status_shows_a_trial_and_the_last_one(
    run: Run, live: ReloadCheck[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In eighty columns, and in JSON."""
    monkeypatch.setenv("RELOAD_CHECK_STATUS_TOKEN", TOKEN)
    with application(live) as url:
        done = run("status", url)
        line = r"trial     trying version 2: 1% of all, \d+ s left; 0 units on it"
        assert re.search(line, done.out)
        assert widest(done) <= 80
        done = run("status", url, "--workers", "1")
        assert "trial     trying version 2: 1% of all" in done.out
        trial = run("status", url, "--json").document["status"]["trial"]
        assert (trial["phase"], trial["version"], trial["share"]) == ("trying", 2, 0.01)
        live.undo(reason="wrong prices")
        done = run("status", url)
        assert "trial     the last one: undone by hand: version 2: wrong prices." in done.out
        assert widest(done) <= 80


def test_without_a_store_it_says_what_is_missing(run: Run, here: Path) -> None:
    """Status 2, and how the store is named."""
    del here
    done = run("promote")
    assert (done.status, "name the store" in done.err) == (2, True)
    assert "live.promote()" in done.err


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (("promote",), "call live.promote() in the application"),
        (("undo", "--why", "x"), "put the old content back, which ends a trial at once"),
        (("retry",), "change the content, or call live.retry()"),
    ],
)
def test_an_engine_without_a_store_is_told_what_to_do_instead(
    run: Run, here: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], remedy: str
) -> None:
    """An order from outside reaches no worker then; what does is named."""
    (here / "config.yaml").write_text("a: 1")
    (here / "storeless.py").write_text(
        "from reloadcheck import ReloadCheck\nlive = ReloadCheck('config.yaml', trial=True)\n"
    )
    monkeypatch.setattr(sys, "path", [str(here), *sys.path])
    done = run(words[0], "--app", "storeless:live", *words[1:])
    assert done.status == 2
    assert "has no store" in done.err
    assert remedy in done.err.replace("\n", " ")
