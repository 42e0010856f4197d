"""What rules and contract say of an edit before it is made, and how it is waited for.

Long because three commands tell the same verdicts, and are held to each other.
"""

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from reloadcheck import Outcome, ReloadCheck, ReloadEvent
from reloadcheck.cli import watch
from reloadcheck.cli.status import exit_status
from tests.cli.conftest import Run
from tests.cli.shop import ARNO, CONFIG, DORA, OTTO, edit, key, live, shop, signers
from tests.cli.test_status_command import TOKEN, application
from tests.policy.signing import Signers

__all__ = ["live", "shop", "signers"]

RULES = """\
from reloadcheck import ReloadCheck

live = ReloadCheck(
    "config.yaml", contract="contract.yaml", environment="production", settle=0, verify=0
)


@live.rule("database.pool_max")
def at_most_double(size, old=None):
    print("asked")
    if old is not None and size > 2 * old:
        return "a pool may at most double"


@live.rule("log.level", warn=True)
def quiet(level, environment=None):
    if level == "DEBUG" and environment == "production":
        raise ValueError("that is a lot of log")
"""

KEPT = """\
from reloadcheck import ReloadCheck


def fits(tree):
    if tree["log"]["level"] == "INFO" and tree["database"]["pool_max"] > 35:
        raise ValueError("so large a pool wants less log")
    return tree


live = ReloadCheck("config.yaml", schema=fits)
live.restart_only("log.level")


@live.resource("log")
def log(log):
    raise AssertionError("nothing is built by a command")
"""


@pytest.fixture
def ruled(shop: Path) -> Path:
    """The shop with rules in code beside its contract, and what serves as `old.yaml`."""
    (shop / "service.py").write_text(RULES)
    (shop / "old.yaml").write_text(CONFIG)
    return shop


def rewrite(ruled: Path, old: str, new: str) -> None:
    """Replace a text in the contract."""
    text = (ruled / "contract.yaml").read_text()
    assert old in text
    (ruled / "contract.yaml").write_text(text.replace(old, new))


def words_of(text: str) -> str:
    """Return a text with its lines unfolded."""
    return " ".join(text.split())


def test_validate_asks_the_rules_of_a_first_load(run: Run, ruled: Path) -> None:
    """A warning rule warns; a transition rule has nothing to compare, without `--old`."""
    (ruled / "config.yaml").write_text(CONFIG.replace("20", "90").replace("INFO", "DEBUG"))
    done = run("validate", "--app", "service:live")
    assert done.status == 0
    assert "config.yaml:2:14: warning: log.level: that is a lot of log" in done.lines
    assert done.lines[-1].startswith("OK: config.yaml can be used and fits service:live (1 warn")
    assert run("validate", "--strict", "--app", "service:live").status == 1


def test_validate_with_old_asks_transition_rules(run: Run, ruled: Path) -> None:
    """At the place of the rule's path; what the rule prints is not what this command says."""
    edit(ruled, "20", "90")
    done = run("validate", "config.yaml", "--old", "old.yaml", "--app", "service:live")
    assert done.status == 1
    assert done.lines[0] == (
        "config.yaml:1:44: error: database.pool_max: a pool may at most double"
    )
    assert done.err == "asked\n"
    document = run("validate", "--old", "old.yaml", "--app", "service:live", "--json").document
    assert [one["code"] for one in document["problems"]] == ["rule"]


def test_validate_says_that_the_edit_would_wait(run: Run, ruled: Path) -> None:
    """It is good, status 4, and why and until when."""
    edit(ruled, "20", "30")
    done = run("validate", "--old", "old.yaml", "--app", "service:live")
    assert done.status == 4
    told = words_of(done.out)
    assert "OK: config.yaml can be used" in told
    assert "waits database.pool_max: needs the leave of dba and architect" in told
    document = run("validate", "--old", "old.yaml", "--app", "service:live", "--json").document
    assert document["ok"]
    assert document["verdict"]["waits"]


def test_validate_tells_a_contract_that_is_wrong_and_what_it_refuses(run: Run, ruled: Path) -> None:
    """At the contract's own line; then at the configuration's."""
    rewrite(ruled, "{window: never}", "{window: often}")
    done = run("validate", "--app", "service:live")
    assert done.status == 1
    assert "contract.yaml:5:23: error: there is no window often" in words_of(done.out)
    rewrite(ruled, "{window: often}", "{window: never}")
    rewrite(ruled, "keys:\n", "keys:\n  database.pool_max: {range: 1..9}\n")
    done = run("validate", "--app", "service:live", "--json")
    assert done.status == 1
    assert [one["code"] for one in done.document["problems"]] == ["range"]
    assert [one["line"] for one in done.document["problems"]] == [1]


def test_old_wants_an_engine(run: Run, ruled: Path) -> None:
    """Rules are an engine's."""
    done = run("validate", "config.yaml", "--old", "old.yaml", "--no-app")
    assert (done.status, "--app MODULE:NAME" in done.err) == (2, True)


def test_diff_says_who_judges_whose_leave_and_when(run: Run, ruled: Path) -> None:
    """Rules by name, roles by key, that its window does not open: status 4."""
    edit(ruled, "20", "30")
    edit(ruled, "INFO", "ERROR")
    done = run("diff", "old.yaml", "config.yaml", "--app", "service:live")
    assert done.status == 4
    told = words_of(done.out)
    assert "judged by rule at_most_double judged by rule quiet" in told
    assert "leave database.pool_max needs that of dba and architect" in told
    assert "waits log.level: its window 'never' is closed for ever: it has no span" in told
    assert "live nobody can tell when: its windows do not open, once it has that leave" in told
    verdict = run("diff", "old.yaml", "config.yaml", "--app", "service:live", "--json").document[
        "verdict"
    ]
    assert verdict["approvals"] == [
        {"key_path": "database.pool_max", "roles": ["dba", "architect"]}
    ]
    assert [one["code"] for one in verdict["held"]] == ["window", "approval"]
    assert verdict["live_from"] is None


def test_diff_says_when_windows_and_freezes_let_it_through(run: Run, ruled: Path) -> None:
    """The end of the freeze, not an opening within it; a key of any time at once."""
    rewrite(ruled, "{never: []}", "{never: [mon-sun 00:00-24:00]}")
    freezes = "freezes: [{from: 2020-01-01T00:00, until: 2199-03-01T06:00, why: rest}]"
    rewrite(ruled, "keys:\n", f"{freezes}\nkeys:\n  free: {{window: any}}\n")
    edit(ruled, "INFO", "ERROR")
    done = run("diff", "old.yaml", "config.yaml", "--app", "service:live")
    assert done.status == 4
    assert "live from Fri 2199-03-01 06:00 UTC on" in words_of(done.out)
    (ruled / "config.yaml").write_text(CONFIG + "free: 1\n")
    done = run("diff", "old.yaml", "config.yaml", "--app", "service:live")
    assert done.status == 0
    assert done.lines[-1] == "live      at once"


def test_diff_says_what_waits_for_a_restart_and_who_has_approved(
    run: Run, ruled: Path, signers: Signers
) -> None:
    """The leave that holds is named, with its reason; nothing waits any more then."""
    rewrite(ruled, "{window: never}", "{restart: true}")
    edit(ruled, "20", "30")
    edit(ruled, "INFO", "ERROR")
    base = run("digest", "old.yaml").lines[0]
    for person in (DORA, ARNO):
        run(*("approve", "config.yaml", "--app", "service:live", "--from", base),
            *("--why", "more traffic", "--key", key(signers, person)))  # fmt: skip
    done = run("diff", "old.yaml", "config.yaml", "--app", "service:live")
    assert done.status == 0
    told = words_of(done.out)
    assert "restart log.level keeps its running value" in told
    assert "allowed by arno@example.test, dora@example.test: more traffic live at once" in told


def test_diff_says_that_it_would_be_rejected(run: Run, ruled: Path) -> None:
    """With the sentence at its place, beside what it would change; status 1, or 2 to compare."""
    edit(ruled, "20", "90")
    done = run("diff", "old.yaml", "config.yaml", "--app", "service:live")
    assert done.status == 1
    assert "error: database.pool_max: a pool may at most double" in words_of(done.out)
    assert "~ database.pool_max: 20 -> 90" in done.lines
    assert "refused   the errors above say why" in done.lines
    words = ("diff", "old.yaml", "config.yaml", "--app", "service:live", "--exit-code", "--json")
    done = run(*words)
    assert (done.status, done.document["ok"]) == (2, False)
    assert done.document["verdict"]["refused"]


def test_diff_rebuilds_nothing_for_a_key_that_waits_for_a_restart(run: Run, ruled: Path) -> None:
    """What it would build is built from the running value; and what is kept must fit the rest."""
    (ruled / "service.py").write_text(KEPT)
    edit(ruled, "INFO", "ERROR")
    document = run("diff", "old.yaml", "config.yaml", "--app", "service:live", "--json").document
    assert document["rebuilds"] == []
    assert document["keeps"] == ["log"]
    assert document["verdict"]["restart"] == ["log.level"]
    edit(ruled, "20", "36")
    done = run("diff", "old.yaml", "config.yaml", "--app", "service:live")
    assert done.status == 1
    assert "so large a pool wants less log" in words_of(done.out)


def test_status_is_4_while_an_edit_waits(
    run: Run, shop: Path, live: ReloadCheck[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Good and not yet allowed is not wrong: 4, and 1 where the edit is wrong."""
    monkeypatch.setenv("RELOAD_CHECK_STATUS_TOKEN", TOKEN)
    with application(live) as url:
        assert run("status", url).status == 0
        edit(shop)
        done = run("status", url)
        assert done.status == 4
        assert "needs the leave of dba and architect" in words_of(done.out)
        assert run("status", url, "--workers", "1", "--json").status == 4
        (shop / "config.yaml").write_text("database: [\n")
        assert run("status", url).status == 1


def test_approve_asks_the_application_what_serves(
    run: Run, shop: Path, live: ReloadCheck[Any], signers: Signers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its base, and the keys that wait, come from the status; nobody copies a digest."""
    monkeypatch.setenv("RELOAD_CHECK_STATUS_TOKEN", TOKEN)
    with application(live) as url:
        monkeypatch.setenv("RELOAD_CHECK_STATUS_URL", url)
        edit(shop)
        assert live.check() is Outcome.WAITING
        for person in (DORA, ARNO):
            done = run(*("approve", "config.yaml", "--app", "service:live"),
                       *("--why", "more traffic", "--key", key(signers, person)))  # fmt: skip
            assert done.status == 0, done
        assert "keys: database.pool_max" in done.lines
        assert live.check() is Outcome.RELOADED
    done = run("approve", "config.yaml", "--app", "service:live", "--why", "x")
    assert (done.status, "does not say what serves" in words_of(done.err)) == (2, True)


def test_watch_until_live_asks_the_application(
    run: Run, shop: Path, live: ReloadCheck[Any], signers: Signers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """4 while it waits, 0 once it serves, 1 when it is rejected, 3 when nobody answers."""
    monkeypatch.setenv("RELOAD_CHECK_STATUS_TOKEN", TOKEN)
    watch = ("watch", "--app", "service:live", "--until", "live", "--timeout", "0.3")
    with application(live) as url:
        monkeypatch.setenv("RELOAD_CHECK_STATUS_URL", url)
        edit(shop)
        done = run(*watch)
        assert done.status == 4
        assert done.lines[0].startswith("waits       needs the leave of dba and architect")
        run(*("override", "config.yaml", "--app", "service:live", "--why", "now"),
            *("--key", key(signers, OTTO)))  # fmt: skip
        done = run(*watch[:-2])
        assert (done.status, done.lines[-1][:4]) == (0, "live")
        (shop / "config.yaml").write_text("database: [\n")
        done = run(*watch, "--json")
        assert (done.status, '"rejected"' in done.out) == (1, True)
    done = run(*watch)
    assert (done.status, done.lines[0].startswith(f"unreachable {url}")) == (3, True)


@pytest.mark.parametrize(
    ("old", "new", "status"), [("20", "30", 4), ("INFO", "[", 1), ("db.ex", "db.ex", 1)]
)
def test_watch_until_live_follows_by_itself(
    run: Run, shop: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, status: int
) -> None:
    """Without an application to ask it waits for the next edit, judged as there."""
    knows, follow, now = threading.Event(), watch.follow, [0.0]

    def followed(live: ReloadCheck[Any], show: Any, *rest: Any) -> None:
        def seen(event: ReloadEvent) -> None:
            show(event)
            knows.set()
            if event.outcome is Outcome.WAITING:
                now[0] = 1e9

        follow(live, seen, *rest)

    def later() -> None:
        assert knows.wait(30)  # what is there before the edit
        edit(shop, old, new)

    monkeypatch.setattr(watch, "follow", followed)
    if status == 4:  # its time is up when it is seen to wait, however long that takes here
        monkeypatch.setattr(watch, "time", SimpleNamespace(monotonic=lambda: now[0]))
    editor = threading.Thread(target=later)
    editor.start()
    done = run(
        *("watch", "--app", "service:live", "--until", "live"),
        *("--timeout", "2", "--interval", "0.05", "--json"),
    )
    editor.join()
    assert done.status == status, done


def test_a_timeout_is_for_an_end(run: Run, shop: Path) -> None:
    """Alone it would mean nothing."""
    assert run("watch", "config.yaml", "--timeout", "1").status == 2


def test_of_several_workers_the_worst_counts() -> None:
    """One that waits is 4; one that has refused the edit makes it 1."""
    waits = {"standing": "warn", "waiting": {"why": "window"}}
    refused = {"standing": "fail", "waiting": None}
    good = {"standing": "ok", "waiting": None}
    assert exit_status([waits, good], good=False) == 4
    assert exit_status([waits, refused], good=False) == 1
    assert exit_status([good, good], good=False) == 1
    assert exit_status([good], good=True) == 0


def test_a_window_in_the_hour_that_clocks_leave_out_is_told(run: Run, shop: Path) -> None:
    """With the night in which it does not open, at its place in the contract; nothing fails."""
    text = (shop / "contract.yaml").read_text()
    late = "windows: {never: [], late: [sun 02:15-02:45]}\nzone: Europe/Berlin\n"
    (shop / "contract.yaml").write_text(text.replace("windows: {never: []}\n", late))
    done = run("validate", "--app", "service:live")
    assert done.status == 0
    told = " ".join(done.out.split())
    assert "contract.yaml:6:22: warning: window late: on 20" in told
    assert "clocks leave that time out: it does not open" in told
    assert run("validate", "--app", "service:live", "--strict").status == 1
