"""`reloadcheck fleet` on real stores, beside real engines and real git repositories.

Long because each answer of the command is asked of the same real stores.
"""

import re
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reloadcheck import Orders, ReloadCheck
from reloadcheck._state.board import Freeze, Hold, Member, Refusal, Round, State, vote_text
from reloadcheck._state.ledger import Entry
from reloadcheck._state.member_id import member_id
from reloadcheck._state.process_start import begun
from reloadcheck.cli import fleet as command
from reloadcheck.stores import SQLiteStore
from tests.support.rig import until

from .conftest import WIDTH, Run

STORE = ("--store", "store.db")
KEYS = {
    "host", "pid", "worker", "app", "release", "edition", "content", "since", "outcome", "behind",
    "lost", "in_step", "score", "layers", "code", "error",
}  # fmt: skip


@pytest.fixture
def live(here: Path) -> Iterator[ReloadCheck[Any]]:
    """A worker with an overlay of its own, which its board knows."""
    (here / "config.yaml").write_text("greeting: hello\nport: 1\n")
    (here / "local.yaml").write_text("port: 2\n")
    live = ReloadCheck("config.yaml", "local.yaml", store=here / "store.db", app="shop", settle=0)
    live.start()
    until(lambda: _members(here) == 1)
    yield live
    live.close()


def _members(here: Path) -> int:
    with closing(SQLiteStore(here / "store.db")) as store:
        board = store.look("shop/")
    return len([key for key in board.records if "/member/" in key]) if board else 0


def _put(here: Path, records: dict[str, str]) -> None:
    store = SQLiteStore(here / "store.db")
    store.put({f"shop/default/{key}": text for key, text in records.items()})


def _entry(edition: int, content: str, at: float) -> str:
    return Entry(edition, "reloaded", at, content).to_text()


def _dozen(here: Path, *, changed: float = 1000.0, **odd: Any) -> None:
    """Twelve workers of one application, the seventh of which serves something else."""
    member = Member("web-1", app="shop", edition=43, content="b" * 64, outcome="reloaded")
    records = {"state": State(43, "b" * 64).to_text(), "entry/43": _entry(43, "b" * 64, changed)}
    for number in range(12):
        given: dict[str, Any] = {"edition": 42, "content": "a" * 64, **odd} if number == 7 else {}
        known = {"pid": 300 + number, "worker": f"gunicorn-{number}", **given}
        one = Member(**{name: known.get(name, getattr(member, name)) for name in FIELDS})
        records[f"member/web-1/{number:02}"] = one.to_text()
    _put(here, records)


FIELDS = tuple(Member.__dataclass_fields__)


def test_one_of_twelve_differs_and_is_named(run: Run, here: Path) -> None:
    """Status 1, a line a worker, the one that is behind with what it serves instead."""
    _dozen(here, error="config.yaml:5:14: must be an integer", code="schema")
    done = run("fleet", *STORE)
    assert done.status == 1
    assert sum(" web-1 3" in line for line in done.lines) == 12
    (behind,) = [line for line in done.lines if line.startswith("BEHIND")]
    assert behind.split()[1:3] == ["42", "aaaaaaaa"]
    assert behind.endswith("web-1 307 gunicorn-7")
    assert "        serves edition 42" in done.lines
    assert "        schema: config.yaml:5:14: must be an integer" in done.lines
    assert done.lines[-1] == "12 workers, edition 43, drift 8%, score 100.0%"
    document = run("fleet", *STORE, "--json").document
    assert tuple(document[key] for key in ("ok", "drift", "edition", "live")) == (
        False,
        1 / 12,
        43,
        12,
    )
    assert all(set(one) >= KEYS for one in document["members"])
    assert [one["pid"] for one in document["members"] if not one["in_step"]] == [307]
    assert run("fleet", *STORE, "--max-drift", "0.1").status == 0
    assert run("fleet", *STORE, "--max-drift", "1.5").status == 2


def test_who_has_voted_what_of_an_open_round_is_shown(run: Run, here: Path) -> None:
    """Which edit waits, who has it ready and who not, in 80 columns; no drift, and status 0."""
    _dozen(here, edition=43, content="b" * 64)
    opened = Round(7, "c" * 64, by="web-1/03", attempt=1)
    _put(here, {
        "state": State(43, "b" * 64, round=opened).to_text(),
        **{f"vote/7/web-1/{number:02}": vote_text("prepared") for number in range(9)},
        "vote/7/web-1/09": vote_text("failed", "factory", "no route to host"),
        "vote/6/web-1/10": vote_text("failed for good"),
    })  # fmt: skip
    done = run("fleet", *STORE)
    told = " ".join(" ".join(done.lines[-4:-1]).split())
    assert done.status == 0
    assert told.endswith(
        "shop: edit cccccccc waits, 9 of 12 have it ready; failed: web-1 309 gunicorn-9; "
        "not yet: web-1 310 gunicorn-10, web-1 311 gunicorn-11"
    )
    assert max(len(line) for line in done.lines) <= WIDTH
    document = run("fleet", *STORE, "--json").document
    votes = document["round"].pop("votes")
    assert document["round"] == {"content": "c" * 64, "by": "web-1/03", "attempt": 1}
    assert tuple(votes[f"web-1/{n}"] for n in ("08", "09", "10")) == ("prepared", "failed", None)
    assert len(votes) == 12
    assert votes == document["groups"][0]["round"]["votes"]
    assert document["refused"] is None


def test_an_edit_that_was_refused_for_all_is_shown_with_its_reason(run: Run, here: Path) -> None:
    """Which worker stands in the way, why; not while it is tried again."""
    _dozen(here, edition=43, content="b" * 64)
    why = "web-1/09 cannot take it up: no route to host"
    refused = Refusal("c" * 64, 1, ("web-1/09",), "factory", why)
    state = State(43, "b" * 64, refused=refused)
    _put(here, {"state": state.to_text()})
    done = run("fleet", *STORE)
    told = " ".join(" ".join(done.lines[-3:-1]).split())
    assert told.endswith(f"shop: edit cccccccc was refused for all: factory: {why}")
    document = run("fleet", *STORE, "--json").document
    assert document["refused"] == {
        "content": "c" * 64, "attempt": 1, "by": ["web-1/09"], "code": "factory", "error": why,
    }  # fmt: skip
    assert document["round"] is None
    _put(here, {"state": replace(state, round=Round(9, "c" * 64)).to_text()})
    done = run("fleet", *STORE)
    assert "was refused" not in done.out
    assert "0 of 12 have it ready" in done.out


def test_right_after_a_change_nobody_drifts_but_who_says_that_it_cannot(
    run: Run, here: Path
) -> None:
    """Each gets half a minute to build; a worker that was refused does not."""
    now = time.time()
    _dozen(here, changed=now - 5)
    done = run("fleet", *STORE)
    assert (done.status, done.lines[-1].endswith("; 1 not in step yet")) == (0, True)
    assert run("fleet", *STORE, "--no-grace").status == 1
    _dozen(here, changed=now - 5, code="factory", since=now - 2)
    assert run("fleet", *STORE).status == 1


def test_the_lost_are_listed_and_not_counted(run: Run, here: Path) -> None:
    """A worker that was killed is named, dimly; it is no drift."""
    _dozen(here, edition=43, content="b" * 64)
    lost = Member(host="web-2", pid=77, worker="gunicorn-1", app="shop", edition=41)
    _put(here, {"seen/web-2/1": lost.to_text()})
    done = run("fleet", *STORE)
    assert done.status == 0
    (line,) = [line for line in done.lines if line.startswith("lost")]
    assert line.endswith("web-2 77 gunicorn-1")
    assert done.lines[-1] == "12 workers, 1 lost, edition 43, drift 0%, score 100.0%"
    document = run("fleet", *STORE, "--json").document
    assert (
        document["live"],
        document["lost"],
        [one["pid"] for one in document["members"] if one["lost"]],
    ) == (12, 1, [77])


def test_hundreds_of_lost_workers_hide_nobody(run: Run, here: Path) -> None:
    """Those that were heard of last are listed, the rest counted; JSON has them all."""
    _dozen(here)
    lost = Member(host="web-2", app="shop", edition=41)
    seen = {f"seen/web-2/{n}": replace(lost, pid=n, since=float(n)).to_text() for n in range(200)}
    _put(here, seen)
    done = run("fleet", *STORE, "--name", "shop")
    listed = [line.split()[-1] for line in done.lines if line.startswith("lost")]
    assert listed == ["199", "198", "197", "196", "195"]
    assert "shop: 195 more lost; --json lists them" in done.lines
    document = run("fleet", *STORE, "--name", "shop", "--json").document
    assert sum(one["lost"] for one in document["members"]) == 200


def test_who_was_killed_on_this_host_is_lost_at_once(run: Run, here: Path) -> None:
    """Its record lives on for seconds; that its process is gone is known here without it."""
    with subprocess.Popen(["sleep", "60"]) as process:
        place, _ = member_id().rsplit("/", 2)[:2]
        name = f"{place}/{process.pid}/{begun(process.pid)}-x"
        _dozen(here, edition=43, content="b" * 64)
        member = Member("web-1", process.pid, app="shop", edition=43, content="b" * 64)
        _put(here, {f"member/{name}": member.to_text()})
        assert _live_and_lost(run) == (13, 0)
        process.kill()
    assert _live_and_lost(run) == (12, 1)
    (line,) = [line for line in run("fleet", *STORE).lines if line.startswith("lost")]
    assert line.endswith(f"web-1 {process.pid}")
    with closing(SQLiteStore(here / "store.db")) as store:
        assert name not in Orders(store, app="shop").members()
        assert [one.id for one in Orders(store, app="shop").fleet().members if one.lost] == [name]
        assert Orders(store, app="shop").wait(0.0, target="b" * 64) == ()
        killed = Member("web-1", process.pid, app="shop", edition=42, content="a" * 64)
        _put(here, {f"member/{name}": killed.to_text()})
        assert Orders(store, app="shop").wait(0.0, target="b" * 64) == ()


def _live_and_lost(run: Run) -> tuple[int, int]:
    document = run("fleet", *STORE, "--json").document
    return document["live"], document["lost"]


def test_who_ordered_what_and_why_is_said(run: Run, here: Path) -> None:
    """A pin and a freeze, by whom, how long ago, until when: what somebody at night has to know."""
    now = time.time()
    hold = Hold("pin", "c" * 64, 41, "dora@web-1", now - 7300, "a fair")
    frozen = Freeze(now + 3600, "otto@web-2", now - 60, "Black Friday")
    state = State(43, "c" * 64, hold=hold, freeze=frozen)
    with closing(SQLiteStore(here / "store.db")) as store:
        store.put({"shop/default/state": state.to_text()})
    told = " ".join(line.strip() for line in run("fleet", *STORE).lines)
    assert "shop: pin is in force, edition 41, by dora@web-1 2 hours ago: a fair" in told
    assert re.search(
        r"edits are frozen until [-0-9: ]{19}, by otto@web-2 [0-9]+ s ago: Black F", told
    )


def test_all_applications_are_listed_unless_one_is_named(run: Run, here: Path) -> None:
    """One that nobody knows is wrong usage, never an empty list that looks fine."""
    _dozen(here)
    store = SQLiteStore(here / "store.db")
    odd = Member("a-host-with-a-name-longer-than-any-column-can-hold.example.test", 123456)
    long = {
        "state": State(7, "c" * 64, hold=Hold("pin", "c" * 64)).to_text(),
        "member/x": Member(odd.host, odd.pid, "SpawnProcess-12", content="c" * 64).to_text(),
    }
    name = "an-application-with-a-name-that-is-rather-long"
    store.put({f"{name}/1.4-rc1-and-more/{key}": text for key, text in long.items()})
    done = run("fleet", *STORE)
    assert sum(line.startswith(("in step", "BEHIND")) for line in done.lines) == 13
    assert all(len(line) <= WIDTH for line in done.lines)
    assert any("… 123456 SpawnPro" in line for line in done.lines)
    assert f"{name} 1.4-rc1-and-more: pin is in force" in done.out
    assert run("fleet", *STORE, "--name", name).status == 0
    assert run("fleet", *STORE, "--name", "shop").status == 1
    unknown = run("fleet", *STORE, "--name", "shopp")
    assert (unknown.status, "the store knows no application shopp" in unknown.err) == (2, True)
    assert run("fleet", *STORE, "--name", "shop", "--release", "2").status == 2


def _git(here: Path, *words: str) -> None:
    who = ("-c", "user.name=dora", "-c", "user.email=dora@example.test")
    subprocess.run(["git", *who, *words], cwd=here, check=True, capture_output=True)


def test_what_serves_is_compared_with_git(run: Run, live: ReloadCheck[Any], here: Path) -> None:
    """Equal in spite of comments, order and an overlay; unequal for an edit by hand."""
    del live
    _git(here, "init", "-q")
    (here / "deploy").mkdir()
    committed = here / "deploy" / "config.yaml"
    committed.write_text("# committed\nport: 1\n\ngreeting: hello  # the same\n")
    _git(here, "add", "deploy")
    _git(here, "commit", "-qm", "one")
    equal = run("fleet", *STORE, "--git", "HEAD:deploy/config.yaml", "--json")
    assert (equal.status, equal.document["live"]) == (0, 1)
    digest = run("digest", str(committed)).lines[0]
    assert {"name": "HEAD:deploy/config.yaml", "digest": digest} == equal.document["against"]
    assert [digest] == [one["layers"]["config.yaml"] for one in equal.document["members"]]
    committed.write_text("port: 1\ngreeting: moin\n")
    assert run("fleet", *STORE, "--git", "HEAD:deploy/config.yaml").status == 0
    _git(here, "commit", "-qam", "two")
    done = run("fleet", *STORE, "--git", "HEAD:deploy/config.yaml")
    assert done.status == 1
    assert any("not what HEAD:deploy/config.yaml has" in line for line in done.lines)
    assert run("fleet", *STORE, "--git", "HEAD~1:deploy/config.yaml").status == 0
    assert run("fleet", *STORE, "--git", "HEAD:deploy/config.yaml", "--max-drift", "1").status == 0


def test_git_is_asked_with_care(run: Run, live: ReloadCheck[Any], here: Path) -> None:
    """What git does not have, or what is no configuration, is wrong usage, in a sentence."""
    del live
    _git(here, "init", "-q")
    (here / "bad.yaml").write_text("a: [")
    _git(here, "add", "bad.yaml")
    _git(here, "commit", "-qm", "one")
    for word, told in (
        ("HEAD:none.yaml", "none.yaml"),
        ("nowhere:bad.yaml", "nowhere"),
        ("HEAD:bad.yaml", "cannot be read as a configuration"),
        ("HEAD:bad", "the format is told by the suffix"),
        ("--output=x:bad.yaml", ""),
        ("HEAD", "takes REV:PATH"),
    ):
        done = run("fleet", *STORE, f"--git={word}")
        assert (done.status, told in done.err) == (2, True), word
    assert run("fleet", *STORE, "--git", "HEAD:bad.yaml", "--against", "bad.yaml").status == 2


def test_files_are_compared_whole_or_as_the_layer_that_they_are(
    run: Run, live: ReloadCheck[Any], here: Path
) -> None:
    """A rendered file for what has no source in git; several lie over each other."""
    del live
    (here / "other.yaml").write_text("greeting: salut\n")
    (here / "rendered.yaml").write_text("port: 2\ngreeting: hello\n")
    assert run("fleet", *STORE, "--against", "other.yaml").status == 1
    assert run("fleet", *STORE, "--against", "config.yaml").status == 0
    assert run("fleet", *STORE, "--against", "config.yaml", "local.yaml").status == 0
    assert run("fleet", *STORE, "--against", "local.yaml", "config.yaml").status == 1
    assert run("fleet", *STORE, "--against", "rendered.yaml").status == 0
    assert run("fleet", *STORE, "--against", "none.yaml").status == 2


def test_a_store_that_hangs_is_unreachable_within_five_seconds(
    run: Run, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it hangs on; a program reads that too."""
    _dozen(here)
    over = threading.Event()

    def hang(store: object, prefix: str) -> None:
        del store, prefix
        over.wait(60)

    monkeypatch.setattr(SQLiteStore, "look", hang)
    monkeypatch.setattr(command, "_ANSWER_SECONDS", 0.6)
    done = run("fleet", *STORE)
    assert (done.status, done.out.startswith("UNREACHABLE:")) == (3, True)
    assert run("fleet", *STORE, "--json").document["code"] == "store"
    over.set()


def test_watching_goes_on_through_an_outage(
    run: Run, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line says that nobody answers; then it is told again."""
    _dozen(here)
    looks: list[int] = []

    def sleep(seconds: float) -> None:
        del seconds
        looks.append(1)
        if len(looks) == 1:
            (here / "store.db").rename(here / "gone.db")
            (here / "store.db").mkdir()
        elif len(looks) == 2:
            (here / "store.db").rmdir()
            (here / "gone.db").rename(here / "store.db")
        else:
            raise KeyboardInterrupt

    monkeypatch.setattr(command, "_sleep", sleep)
    done = run("fleet", *STORE, "--watch")
    assert done.status == 0
    assert sum("12 workers" in line for line in done.lines) == 2
    assert sum(line.startswith(("UNREACHABLE:", "REFUSED:")) for line in done.lines) == 1
