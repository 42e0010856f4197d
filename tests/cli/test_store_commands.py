"""The commands that need a store, on a real one with a real engine's history in it."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from reloadcheck import ReloadCheck
from reloadcheck._state.board import MEMBERS, Member, prefix_of
from reloadcheck.stores import SQLiteStore
from tests.support.rig import until

from .conftest import Run


@pytest.fixture
def live(here: Path) -> Iterator[ReloadCheck[Any]]:
    """An engine that has taken up two edits, the second with another password."""
    file = here / "config.yaml"
    file.write_text("greeting: hello\npassword: canary-one\n")
    live = ReloadCheck(file, store=here / "store.db", app="shop", settle=0, window=0.1)
    live.start()
    until(lambda: _rows(here) == 1)
    file.write_text("greeting: moin\npassword: canary-two\n")
    until(lambda: bool(live.check()) and live.snapshot.config.greeting == "moin")
    until(lambda: _rows(here) == 2)
    yield live
    live.close()


def _rows(here: Path) -> int:
    with closing(SQLiteStore(here / "store.db")) as store:
        board = store.look("shop/")
    keys = [] if board is None else list(board.records)
    return len([key for key in keys if "/entry/" in key])


STORE = ("--store", "store.db")


def test_who_asks_makes_no_store(run: Run, here: Path) -> None:
    """It would belong to whoever asks, and the application could not open it; in one line."""
    (here / "config.yaml").write_text("greeting: hello\n")
    (here / "shop.py").write_text(
        "from reloadcheck import ReloadCheck\nlive = ReloadCheck('config.yaml', store='shop.db')\n"
    )
    (here / "pyproject.toml").write_text("[tool.reloadcheck]\napp = 'shop:live'\n")
    for words in (["history"], ["fleet"], ["show", "1"], ["rollback", "--why", "x"], ["thaw"]):
        done = run(*words)
        assert done.status == 2
        assert "shop.db: there is no such file; the application makes it" in done.err
        assert "options:" not in done.err
        assert not (here / "shop.db").exists()


def test_who_asks_moves_no_damaged_store(run: Run, here: Path) -> None:
    """Whoever names the wrong file, or looks at a damaged one at night, changes nothing."""
    damaged = here / "store.db"
    damaged.write_bytes(b"no database at all\n" * 99)
    for words in (["history"], ["fleet"], ["freeze", "--why", "x"], ["store", "init"]):
        done = run(*words, *STORE)
        assert done.status == 3
        told = " ".join(done.out.split())
        assert told.endswith("is no store, or damaged: the application moves it aside at its start")
    assert [one.name for one in here.iterdir()] == ["store.db"]
    assert damaged.read_bytes() == b"no database at all\n" * 99


def test_a_store_in_which_nobody_has_been_says_so(run: Run, here: Path) -> None:
    """An empty one is no matter of a name that was forgotten."""
    with closing(SQLiteStore(here / "store.db")) as store:
        store.look("")
    for words in (["history"], ["fleet"], ["thaw"]):
        done = run(*words, *STORE)
        told = "error: the store holds nothing: no application has started with it\n"
        assert (done.status, done.err) == (2, f"reloadcheck {words[0]}: {told}")


def test_history_tells_all(run: Run, live: ReloadCheck[Any]) -> None:
    """Editions, newest first, with what changed and which one serves."""
    done = run("history", *STORE)
    assert done.status == 0
    assert "    2 " in done.lines[0]
    assert "[serves]" in done.lines[0]
    assert "greeting, password" in done.out
    entries = run("history", *STORE, "--json", "--limit", "1").document["entries"]
    assert [(one["edition"], one["outcome"], one["cause"], one["serves"]) for one in entries] == [
        (2, "reloaded", "file", True)
    ]
    assert run("history", *STORE, "--json", "--key", "nothing").document["entries"] == []
    assert len(run("history", *STORE, "--json", "--since", "1h").document["entries"]) == 2
    del live


def test_show_hides_what_looks_secret_and_raw_does_not(run: Run, live: ReloadCheck[Any]) -> None:
    """The redacted tree for eyes, the kept bytes for a file."""
    done = run("show", "1", *STORE)
    assert done.status == 0
    assert '"greeting": "hello"' in done.out
    assert "canary" not in done.out
    assert re.fullmatch(r"edition   1, reloaded", done.lines[0])
    assert re.fullmatch(r"at        [0-9 :-]{19} \([0-9]+ (s|minutes) ago\)", done.lines[1])
    assert "cause     start" in done.lines
    assert run("show", "1", *STORE, "--json").document["config"]["greeting"] == "hello"
    assert run("show", "9", *STORE).status == 2
    assert run("show", "x", *STORE).status == 2
    del live


def test_two_editions_are_compared_as_two_files_are(run: Run, live: ReloadCheck[Any]) -> None:
    """Also an edition with a file."""
    done = run("diff", "edition:1", "edition:2", *STORE)
    assert done.status == 0
    assert '~ greeting: "hello" -> "moin"' in done.lines
    assert "canary" not in done.out
    assert "Nothing changes: no reload." in run("diff", "edition:2", "config.yaml", *STORE).lines
    assert run("diff", "edition:7", "edition:2", *STORE).status == 2
    del live


def test_a_rollback_is_waited_for(run: Run, live: ReloadCheck[Any]) -> None:
    """It says what it does before and after; nothing changes when tried dry."""
    assert run("rollback", *STORE).status == 2
    dry = run("rollback", *STORE, "--dry-run")
    assert (dry.status, dry.lines[0]) == (0, "Would be: edition 3 is 1 again; edition 2 is banned")
    assert dry.lines[1:] == ['~ greeting: "moin" -> "hello"', "~ password: *** -> ***"]
    done = run("rollback", *STORE, "--why", "too moin", "--by", "dora", "--wait", "20")
    assert done.status == 0
    assert done.lines == [
        "edition 3 is 1 again; edition 2 is banned",
        '~ greeting: "moin" -> "hello"',
        "~ password: *** -> ***",
        "The one live worker serves it.",
    ]
    assert live.snapshot.config.greeting == "hello"
    rows = run("history", *STORE).lines
    assert "1 again, rollback, dora" in rows[0]
    assert "[serves, held]" in rows[0]
    assert any("[banned]" in row for row in rows)
    assert "too moin" in run("history", *STORE).out


def test_an_edition_whose_content_is_not_kept_is_marked(run: Run, here: Path) -> None:
    """Nobody should learn only at night that there is no way back to it."""
    file = here / "config.yaml"
    file.write_text("greeting: hello\n")
    store = SQLiteStore(here / "store.db", keep_content=False)
    live = ReloadCheck(file, store=store, app="shop")
    live.start()
    until(lambda: _rows(here) == 1)
    assert run("history", *STORE).lines[0].endswith("  start  [serves, not kept]")
    live.close()


def test_waiting_is_bounded_by_a_time_beside_it(
    run: Run, live: ReloadCheck[Any], here: Path
) -> None:
    """`--wait` alone waits for --timeout, and then says who is behind, with status 1."""
    assert run("pin", *STORE, "1", "--why", "x", "--wait", "--timeout", "20").status == 0
    assert live.snapshot.config.greeting == "hello"
    live.close()
    nobody = run("pin", *STORE, "1", "--why", "x", "--force", "--wait", "--timeout", "5")
    assert (nobody.status, nobody.lines[-1]) == (0, "No worker is live; who starts serves it.")
    stuck = Member("web-1", 7, content="other", version=1)
    with closing(SQLiteStore(here / "store.db")) as store:
        store.put({f"{prefix_of('shop', None)}{MEMBERS}web-1/7": stuck.to_text()})
        done = run("unpin", *STORE, "--wait", "--timeout", "0.2")
    assert done.status == 1
    assert done.lines[-1] == "behind  web-1 7 serves something else"


@pytest.mark.parametrize("words", [("freeze", "--why", "x"), ("retry",), ("history",), ("thaw",)])
def test_an_application_that_the_store_does_not_know_gets_no_order(
    run: Run, live: ReloadCheck[Any], words: tuple[str, ...]
) -> None:
    """A misspelt name would be told that all is frozen, and nothing would be."""
    done = run(*words, *STORE, "--name", "shpo")
    assert (done.status, done.out) == (2, "")
    assert done.err.endswith("error: the store knows no application shpo; it knows: shop\n")
    done = run(*words, *STORE, "--name", "shop", "--release", "9")
    assert (done.status, done.out) == (2, "")
    assert done.err.endswith("error: shop has no release 9 in the store; it has: default\n")
    del live


def test_orders_that_name_no_edition_refuse_one(run: Run, live: ReloadCheck[Any]) -> None:
    """Somebody who writes `undo 41` means something that it does not do."""
    for verb in ("unpin", "freeze", "thaw", "promote", "undo", "retry"):
        done = run(verb, "41", *STORE, "--why", "x")
        assert (done.status, f"reloadcheck {verb} takes no edition" in done.err) == (2, True)
        assert "EDITION" not in run(verb, "--help").out
    del live


def test_orders_that_cannot_be_say_who_stands_in_the_way(run: Run, live: ReloadCheck[Any]) -> None:
    """A pin refuses, by name; force does not ask."""
    assert run("pin", *STORE, "--why", "release", "--by", "dora").status == 0
    refused = run("rollback", *STORE, "--why", "x", "--by", "otto")
    assert refused.status == 2
    assert refused.err == (
        "reloadcheck rollback: error: edition 2 is pinned by dora: release; --force overrides\n"
    )
    assert run("unpin", *STORE, "--by", "dora").status == 0
    assert run("unpin", *STORE).status == 2
    assert run("unban", *STORE).status == 2
    assert run("freeze", *STORE, "--why", "x", "--until", "2h").status == 0
    assert run("freeze", *STORE, "--why", "x", "--until", "soon").status == 2
    assert run("freeze", *STORE, "--why", "x", "--until", "9999999d").status == 0
    (told,) = [line for line in run("fleet", *STORE).lines if "frozen" in line]
    assert "until 9999-" in told
    for over in ("0s", "2026-01-01T00:00+00:00"):
        late = run("freeze", *STORE, "--why", "x", "--until", over)
        assert (late.status, "that time is over" in late.err) == (2, True)
    rows = run("history", *STORE).lines
    for told in ("  unpin 2, dora", "  pin 2, dora"):
        assert any(told in row for row in rows), rows
    assert run("history", *STORE, "--outcome", "lost").lines == [
        "There is nothing like that in the history."
    ]
    assert run("thaw", *STORE).status == 0
    assert run("retry", *STORE, "--json").status == 0
    del live


def test_what_is_banned_is_named_and_can_be_lifted(run: Run, live: ReloadCheck[Any]) -> None:
    """Without an edition it says what there is, by whom and why; each name lifts its ban."""
    assert "but nothing is banned" in run("unban", *STORE).err
    assert run("rollback", *STORE, "--why", "too moin", "--by", "dora").status == 0
    named = run("unban", *STORE)
    assert named.status == 2
    assert re.search(r"name what to lift: 2 \([0-9]+ s ago by dora: too moin\)", named.err)
    assert "what is: edition 2" in run("unban", "1", *STORE).err
    assert run("unban", "content:ffff", *STORE).status == 2
    digest = run("history", *STORE, "--json").document["entries"][1]["content"]
    done = run("unban", f"content:{digest[:8]}", *STORE)
    assert (done.status, done.lines[0]) == (0, f"content:{digest[:12]} may be served again")
    del live


def test_a_store_that_cannot_be_asked_is_said(run: Run, here: Path) -> None:
    """No store is wrong usage; one that is something else, or damaged, is 3."""
    assert run("history").status == 2
    assert run("history", "--store", "none.db").status == 2
    (here / "link.db").symlink_to(here / "nowhere")
    (here / "link.db").unlink()
    (here / "dir.db").mkdir()
    done = run("history", "--store", "dir.db")
    assert (done.status, done.out.startswith("REFUSED:")) == (3, True)
    assert run("history", "--store", "dir.db", "--json").document["code"] == "store"


def test_pyproject_names_store_and_application(
    run: Run, live: ReloadCheck[Any], here: Path
) -> None:
    """So that nobody has to write them each time."""
    (here / "pyproject.toml").write_text('[tool.reloadcheck]\nstore = "store.db"\nname = "shop"\n')
    assert len(run("history", "--json").document["entries"]) == 2
    del live
