"""All workers on the page of any one of them, and in its metrics, where there is a store."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from reloadcheck import ReloadCheck
from reloadcheck._page.metrics import Metric
from reloadcheck._page.page import Page, View, Wanted, page
from reloadcheck._state.board import Freeze, Hold, Member, Refusal, Round, State
from reloadcheck._state.board import View as Looked
from reloadcheck._state.fleet import Fleet, fleet_in, fleet_of
from reloadcheck._state.fleet_document import document
from reloadcheck._state.round_tally import Tally
from reloadcheck.integrations.prometheus import instrument
from reloadcheck.seams.store import RoundStatus, StoreStatus
from reloadcheck.testing import MemoryStore
from reloadcheck.wsgi import ReloadCheckMiddleware
from tests.support.fixtures import Make
from tests.support.lateness import Stopwatch
from tests.support.load import until
from tests.support.servers import gunicorn, serving

from .asking import PATH, TOKEN, Answer, ask_wsgi, bearer, own_wsgi
from .test_metrics import Traffic, get, pids
from .test_page import LEAVES, NASTY, NOW, STATUS, WHO, Outline

MEMBERS = {
    "web-1/1": Member("web-1", 4711, "uwsgi-2", edition=43, content="b" * 64, outcome="reloaded"),
    "web-1/2": Member("web-1", 4712, edition=43, content="b" * 64, since=NOW - 300),
    "web-2/1": Member(
        NASTY, 77, NASTY, edition=42, content="a" * 64, outcome="rejected", code="factory",
        error=NASTY, behind=NASTY,
    ),
}  # fmt: skip
LOST = {"web-3/1": Member("web-3", 99, "gunicorn-1")}
STATE = State(43, "b" * 64)
FLEET = fleet_of(STATE, MEMBERS, NOW, lost=LOST)
CROWDED = Looked(state=STATE, crowd=1000)
STORE = StoreStatus("store.db", edition=43, in_step=True)


def rendered(
    wanted: Wanted, fleet: Fleet | None = FLEET, store: StoreStatus | None = STORE
) -> Page:
    """Render one view of a worker with a store."""
    status = replace(STATUS, store=store)
    return page(View(status, LEAVES, NOW, WHO, "0.1.0", fleet=fleet), wanted)


def words(fleet: Fleet | None = FLEET, store: StoreStatus | None = STORE) -> str:
    """Return what people read, nothing of which breaks out of the document."""
    outline = Outline(rendered(Wanted.HTML, fleet, store).body.decode())
    assert outline.open == []
    assert "script" not in outline.tags
    return outline.words


def test_a_crowd_that_is_being_read_is_no_empty_fleet() -> None:
    """Who opens the page of one worker of a thousand is told that the others come in a moment."""
    fleet = fleet_in(CROWDED, NOW)
    told = words(fleet)
    assert "All workers: 1,000, which are being read: look again in a moment" in told
    assert [group["unread"] for group in document((fleet,))["groups"]] == [1000]
    read = fleet_in(replace(CROWDED, members=MEMBERS), NOW)
    assert "All workers: 2 of 3" in words(read)


def test_who_is_behind_comes_first_and_says_why() -> None:
    """At three in the morning the first row is the one to look at; hostile names are text."""
    told = words()
    assert "All workers: 2 of 3 serve edition 43" in told
    assert "1 behind" in told
    assert "1 lost" in told
    order = [told.index(name) for name in ("'& 77", "web-3", "web-1 4711")]
    assert sorted(order) == order
    assert "4711 uwsgi-2 (this one)" in told
    assert told.count("(this one)") == 1
    assert "All workers are listed as the store was read last" in told
    assert "status --all" not in told


def test_all_in_step_is_said_in_a_word() -> None:
    """And a worker without a store has no such part."""
    good = {name: one for name, one in MEMBERS.items() if name.startswith("web-1")}
    assert "2 of 2 serve edition 43 in step" in words(fleet_of(STATE, good, NOW))
    alone = words(None, None)
    assert "All workers" not in alone
    assert "status --all" in alone
    assert "has not been read so far" in words(None)


def test_an_open_round_and_a_refusal_are_said_above_the_list() -> None:
    """Who has it ready and who not; then why it came to nothing; both in the JSON, too."""
    votes = {"web-1/1": "prepared", "web-1/2": None, "web-2/1": "failed"}
    opened = RoundStatus("c" * 64, "web-1/1", votes)
    waits = fleet_of(STATE, MEMBERS, NOW, opened=opened)
    told = words(waits)
    assert "Edit cccccccc waits, 1 of 3 have it ready; failed: " in told
    assert told.count("'& 77") == 2  # in its row, too
    assert "not yet: web-1 4712" in told
    refused = Refusal("c" * 64, error=f"web-2/1 cannot take it up: {NASTY}")
    ended = fleet_of(replace(STATE, refused=refused), MEMBERS, NOW)
    assert "Edit cccccccc was refused for all: web-2/1 cannot take it up: " in words(ended)
    shown = json.loads(rendered(Wanted.JSON, waits).body)["fleet"]
    assert votes == shown["round"]["votes"]
    shown = json.loads(rendered(Wanted.JSON, ended).body)["fleet"]
    assert (shown["round"], shown["refused"]["content"]) == (None, "c" * 64)


def test_an_order_and_a_store_that_is_away_are_said_above_the_list() -> None:
    """By whom, why, and how it ends; what is shown is from before."""
    hold = Hold("pin", "b" * 64, 43, "dora@web-1", NOW - 60, "release <b>")
    fleet = fleet_of(replace(STATE, hold=hold), MEMBERS, NOW)
    told = words(fleet, replace(STORE, code="store", error="etcd: timed out", since=NOW - 5))
    assert "A pin of edition 43 is in force by dora@web-1: release <b>" in told
    assert "it ends by: reloadcheck unpin" in told
    frozen = replace(STATE, freeze=Freeze(NOW + 60, "dora", NOW - 60, "a fair <b>"))
    told = words(fleet_of(frozen, MEMBERS, NOW))
    assert "Edits are frozen by dora: a fair <b>" in told
    assert "or by: reloadcheck thaw" in told
    assert "frozen" not in words(fleet_of(frozen, MEMBERS, NOW + 61))
    told = words(fleet, replace(STORE, code="store", error="etcd: timed out", since=NOW - 5))
    assert "The store is away: etcd: timed out" in told
    assert "what follows is what it said before that" in told


def test_a_thousand_workers_are_a_page_too() -> None:
    """The first two hundred, among whom is whoever is behind; the rest are counted."""
    many = {f"w/{n:04}": Member(f"w{n}", n, content="b" * 64, edition=43) for n in range(1000)}
    many["w/0999"] = replace(many["w/0999"], content="a" * 64, edition=42)
    told = words(fleet_of(STATE, many, NOW))
    assert "and 800 more" in told
    assert "w999 999" in told


def test_json_is_what_the_command_prints() -> None:
    """One document for both, with the store beside it."""
    state = json.loads(rendered(Wanted.JSON).body)
    assert json.loads(json.dumps(document([FLEET]))) == state["fleet"]
    assert [one["in_step"] for one in state["fleet"]["members"]] == [True, True, False, False]
    assert tuple(state["store"][name] for name in ("name", "in_step", "edition")) == (
        "store.db",
        True,
        43,
    )
    without = json.loads(rendered(Wanted.JSON, None, None).body)
    assert (without["store"], without["fleet"]) == (None, None)


def samples(text: str) -> dict[str, float]:
    """Return the unlabelled samples of an exposition."""
    families = text_string_to_metric_families(text)
    every = [sample for family in families for sample in family.samples]
    return {one.name: one.value for one in every if not one.labels}


def test_metrics_tell_of_the_store_where_there_is_one() -> None:
    """Never a zero that means that nobody knows."""
    away = replace(
        STORE, code="store", hold="pin", in_step=False, rounds=3, round_seconds=1.5, refusals=2
    )
    values = samples(rendered(Wanted.METRICS, None, away).body.decode())
    assert tuple(
        values[f"reloadcheck_{name}"]
        for name in (
            "in_step", "edition", "hold", "store_up", "round_seconds_count", "round_seconds_sum",
            "refusals_total",
        )
    ) == (0, 43, 1, 0, 3, 1.5, 2)  # fmt: skip
    unknown = samples(rendered(Wanted.METRICS, None, StoreStatus("x")).body.decode())
    assert "reloadcheck_in_step" not in unknown
    assert unknown["reloadcheck_store_up"] == 1
    names = {one.title for one in (Metric.IN_STEP, Metric.EDITION, Metric.HOLD, Metric.STORE_UP)}
    assert set() == names & samples(rendered(Wanted.METRICS, None, None).body.decode()).keys()


def test_rounds_are_as_long_as_they_were_seen_open() -> None:
    """What was decided before this process came is none of its own; a second refusal is one."""
    tally = Tally()
    old = Refusal("A")
    for state, now in (
        (State(1, refused=old), 0.0),
        (State(1, refused=old, round=Round(7, "B")), 1.0),
        (State(1, refused=old, round=Round(7, "B")), 1.5),
        (State(2, "B"), 3.0),
        (State(2, "B", round=Round(9, "C")), 4.0),
        (State(2, "B", refused=Refusal("C"), round=Round(11, "D")), 4.5),
        (State(2, "B", refused=Refusal("D")), 5.0),
        (State(2, "B", refused=Refusal("D")), 6.0),
    ):
        tally.look(state, now)
    assert (
        tally.rounds, tally.seconds, tally.last, tally.refusals,
    ) == (3, 3.0, (2.0, 0.5, 0.5), 2)  # fmt: skip


def asked(live: ReloadCheck[Any], query: str = "") -> Answer:
    """Ask for the page of a worker in this process."""
    app = ReloadCheckMiddleware(own_wsgi, live, status_path=PATH, status_token=TOKEN)
    return ask_wsgi(app)(query=query, headers=[bearer()])


def test_the_page_never_waits_for_the_store(tmp_path: Path) -> None:
    """A store that hangs is shown as it was read last, and nobody who looks hangs with it."""
    file = tmp_path / "app.yaml"
    file.write_text("a: 1\n")
    store = MemoryStore()
    live: ReloadCheck[Any] = ReloadCheck(file, store=store, app="shop", settle=0, window=0.05)
    live.start()
    try:
        until(lambda: bool(json.loads(asked(live).body)["fleet"]["members"]))
        store.freeze()
        watch = Stopwatch()
        for query in ("format=json", "format=html", "format=prometheus"):
            assert asked(live, query).status == 200
        assert watch.seconds < 5.0
        (member,) = json.loads(asked(live).body)["fleet"]["members"]
        assert (member["app"], member["in_step"], member["edition"]) == ("shop", True, 1)
    finally:
        store.heal()
        live.close()


def test_the_client_library_tells_the_same(make: Make) -> None:
    """Gauges at each scrape, from the store's last look, and none where nothing is known."""
    store = MemoryStore()
    live = make(store=store, app="shop", settle=0.0)
    registry = CollectorRegistry()
    instrument(live, registry=registry)
    before = samples(generate_latest(registry).decode())
    assert "reloadcheck_in_step" not in before
    live.start()

    def values() -> dict[str, float]:
        return samples(generate_latest(registry).decode())

    until(lambda: values().get("reloadcheck_edition") == 1)
    assert tuple(
        values()[f"reloadcheck_{name}"]
        for name in ("in_step", "hold", "store_up", "refusals_total")
    ) == (1, 0, 1, 0)


def test_four_workers_are_told_by_any_of_them(tmp_path: Path) -> None:
    """Real workers of a server over one file and one store; metrics of all in one scrape."""
    config, shared = tmp_path / "app.yaml", tmp_path / "metrics"
    shared.mkdir()
    config.write_text("number: 0\n")
    environ = {
        "RIG_CONFIG": str(config),
        "PROMETHEUS_MULTIPROC_DIR": str(shared),
        "RELOAD_CHECK_WINDOW": "0.1",
        "RELOAD_CHECK_SETTLE": "0.01",
        "RELOAD_CHECK_STORE": str(tmp_path / "store.db"),
        "RELOAD_CHECK_APP": "shop",
        "RELOAD_CHECK_STATUS_PATH": PATH,
        "RELOAD_CHECK_STATUS_TOKEN": TOKEN,
    }
    options = ["--workers", "4", "--config", "python:tests.page.metrics_app"]
    command = gunicorn("tests.page.metrics_app:app", *options)
    with serving(command, environ, tmp_path) as server, Traffic(server.port) as traffic:
        until(traffic.reached(0))
        config.write_text("number: 1\n")
        until(traffic.reached(1))

        def fleet() -> dict[str, Any]:
            answer = get(server.port, f"{PATH}?token={TOKEN}&format=json")
            told: dict[str, Any] = json.loads(answer)["fleet"]
            return told

        until(lambda: [one["edition"] for one in fleet()["members"]] == [2] * 4)
        seen = [fleet() for _ in range(8)]
        assert {tuple(sorted(traffic.seen))} == {
            tuple(sorted(one["pid"] for one in told["members"])) for told in seen
        }
        assert [(told["live"], told["lost"], told["drift"], told["edition"]) for told in seen] == [
            (4, 0, 0.0, 2)
        ] * 8
        for name, value in (("in_step", 1.0), ("edition", 2.0), ("store_up", 1.0)):
            until(partial(_holds, server.port, name, value))


def _holds(port: int, name: str, value: float) -> bool:
    return [value] * 4 == pids(port, name)
