"""The page as a pure function: what is known goes in, a complete answer comes out.

Long because one function has many inputs, and each that changes the answer is tried.
"""

import json
import os
import re
import socket
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser

import pytest
from prometheus_client.parser import text_string_to_metric_families

from reloadcheck import Outcome, Status
from reloadcheck._observe.history import Attempt
from reloadcheck._observe.identity import Identity, identity
from reloadcheck._observe.remedies import REMEDIES
from reloadcheck._observe.status import Draining, ProbeStatus, ResourceStatus, Standing, counted
from reloadcheck._page.metrics import Metric
from reloadcheck._page.page import Page, View, Wanted, page
from reloadcheck._page.values import Leaf, Leaves
from reloadcheck.seams.gates import Waiting
from reloadcheck.seams.store import StoreStatus
from reloadcheck.types import Code, Phase, Place, ProbeOutcome

NASTY = "</style></script><script>alert(1)</script>\u202e\x1b[31m\n\"'&"
NOW = 1_800_000_000.0

STATUS = Status(
    state="serving",
    enabled=True,
    version=7,
    digest="d" * 64,
    source_digest="e" * 64,
    age=90.0,
    outcome=Outcome.REJECTED,
    error=f"app.yaml:3:5: {NASTY}",
    code="syntax",
    checks=40,
    reloads=7,
    edits=6,
    rejections=2,
    resources=(
        ResourceStatus('p"o\\ol\n', 2, 7, 5, 6, 3, 1, 4, None, ("database.url",), ("other",)),
    ),
    leases=counted({6: 1, 7: 2}),
    remarks=(f"app.yaml: {NASTY}",),
    loaded_at=NOW - 90,
    checked=0.5,
    sources=(Place("app.yaml", f"/etc/{NASTY}", "/etc/..g/app.yaml", "..g"),),
    history=(
        Attempt(NOW - 90, Outcome.RELOADED, 7, "d", changed=(NASTY,), changes=30, built=(NASTY,)),
        Attempt(
            NOW - 5,
            Outcome.REJECTED,
            7,
            "d",
            "syntax",
            NASTY,
            phases=(Phase("read", NOW - 5, 0.001), Phase("parse", NOW - 5, 1.5)),
            trigger="request",
        ),
    ),
    seconds=(("read", 8, 0.5),),
)
WHO = Identity("shop", "web-1", 4711, "uwsgi-2", "/etc")
GOOD: dict[str, object] = {
    "error": None,
    "code": None,
    "remarks": (),
    "outcome": Outcome.UNCHANGED,
}
LEAVES = Leaves((Leaf(NASTY, NASTY, False, NASTY), Leaf("key", "***", True, None)), 12)


def rendered(wanted: Wanted, status: Status = STATUS) -> Page:
    """Render one view."""
    return page(View(status, LEAVES, NOW, WHO, "0.1.0"), wanted)


class Outline(HTMLParser):
    """The elements of a document, and whether each that was opened is closed."""

    VOID = ("meta", "link", "wbr", "br", "input")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element; no attribute of ours begins with `on` or is a style."""
        self.tags.append(tag)
        assert not [name for name, _ in attrs if name.startswith("on") or name == "style"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Note its end."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Note the text."""
        self.words += data


def test_the_document_is_whole_and_nothing_breaks_out_of_it() -> None:
    """Hostile keys, values, paths and errors are text; no control or bidi character is left."""
    text = rendered(Wanted.HTML).body.decode()
    outline = Outline(text)
    assert outline.open == []
    assert "script" not in outline.tags
    assert outline.tags.count("style") == 1
    assert text.replace("\n", "").isprintable()
    assert r"\u202e" in outline.words
    assert "</script>" in outline.words


def test_the_style_is_the_one_that_the_policy_admits() -> None:
    """The hash in the policy is that of the style in the document, byte for byte."""
    answer = rendered(Wanted.HTML)
    (style,) = re.findall(r"<style>(.*?)</style>", answer.body.decode(), re.S)
    digest = b64encode(sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in dict(answer.headers)["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "Version 7 is serving; the last edit was rejected"),
        ({"outcome": Outcome.DEFERRED}, "Version 7 is serving; the last edit is not live"),
        ({"code": "drain"}, "Version 7 is serving; an edit waits"),
        (GOOD, "Version 7 is serving healthy"),
        ({**GOOD, "enabled": False}, "Version 7 is serving; edits are not looked for switched off"),
        ({**GOOD, "remarks": ("pinned",)}, "Version 7 is serving, with a warning"),
        ({"version": None}, "No good configuration yet"),
        ({"version": None, "error": None, "code": None, "state": "idle"}, "Not started yet idle"),
        ({"state": "closing"}, "The engine is closing"),
    ],
)
def test_the_headline_says_how_things_are(change: dict[str, object], words: str) -> None:
    """The first line tells what serves and whether the last edit does."""
    status = replace(STATUS, **change)  # type: ignore[arg-type]
    assert words in Outline(rendered(Wanted.HTML, status).body.decode()).words


def test_the_document_tells_all_that_an_operator_asks_for() -> None:
    """Version, digests, origin, age, attempts, resources and the values are all there."""
    words = Outline(rendered(Wanted.HTML).body.decode()).words
    for expected in (
        "d" * 64, "e" * 64, "..g/app.yaml", "..g", "90 s ago", "0 s ago", "1.50 s", "1.0 ms",
        "and 29 more", "triggered by: request", "version 6: 1, version 7: 2", "12 more values",
        "hidden", "default of the schema", "shop", "web-1, process 4711 (uwsgi-2)",
        "What to do: correct the file at the line and column that are named",
        "database.url, resource other", "Reloading",
    ):  # fmt: skip
        assert expected in words, expected


def test_the_json_is_ascii_and_complete() -> None:
    """A program finds the same under stable names; the text ends no script wherever it stands."""
    body = rendered(Wanted.JSON).body
    assert body.isascii()
    assert b"</" not in body
    state = json.loads(body)
    assert tuple(state[name] for name in ("version", "digest", "source_digest")) == (
        7,
        "d" * 64,
        "e" * 64,
    )
    assert ("syntax", STATUS.error, "rejected") == tuple(
        state[name] for name in ("code", "error", "outcome")
    )
    assert state["attempt"] == state["history"][0]
    assert state["attempt"]["seconds"] == {"read": 0.001, "parse": 1.5}
    assert state["sources"][0]["volume_generation"] == "..g"
    assert state["leases"] == {"6": 1, "7": 2}
    assert tuple(state["resources"][0][name] for name in ("builds", "version", "leases")) == (
        7,
        6,
        3,
    )
    shown = {"key_path": "key", "value": "***", "hidden": True, "origin": None}
    assert state["config"][1] == shown


def test_the_text_is_prometheus_own() -> None:
    """Prometheus' own parser reads it, label values with quotes and newlines included."""
    answer = rendered(Wanted.METRICS)
    families = {one.name: one for one in text_string_to_metric_families(answer.body.decode())}
    values = {
        (sample.name, *sample.labels.values()): sample.value
        for family in families.values()
        for sample in family.samples
    }
    assert values[("reloadcheck_config_last_reload_successful",)] == 0
    assert values[("reloadcheck_config_version",)] == 7
    assert values[("reloadcheck_config_info", "7", "d" * 64)] == 1
    assert values[("reloadcheck_reloads_total", "reloaded")] == 6
    assert values[("reloadcheck_reloads_total", "rejected")] == 2
    assert values[("reloadcheck_leases",)] == 3
    assert values[("reloadcheck_live_snapshots",)] == 2
    assert values[("reloadcheck_resource_builds_total", 'p"o\\ol\n', "built")] == 7
    assert values[("reloadcheck_forced_closes_total", 'p"o\\ol\n')] == 4
    kinds = {one.title.removesuffix("_total"): one.kind for one in Metric}
    assert all(kinds[name] == family.type for name, family in families.items())


def test_waiting_for_a_drain_is_no_failure() -> None:
    """An edit that waits for an old instance raises no alarm; no version at all does."""
    name = b"reloadcheck_config_last_reload_successful"
    cases = [
        (replace(STATUS, code=str(Code.DRAIN)), 1),
        (replace(STATUS, code=None), 1),
        (replace(STATUS, code=None, version=None), 0),
    ]
    for status, value in cases:
        assert b"\n%s %d\n" % (name, value) in rendered(Wanted.METRICS, status).body


def test_readiness_is_about_serving() -> None:
    """Ready is what has a version that serves; what is amber on the page is a warning here."""
    good = replace(STATUS, **GOOD)  # type: ignore[arg-type]
    cases = [
        (STATUS, 200, "warn"),
        (good, 200, "pass"),
        (replace(good, remarks=("pinned",)), 200, "warn"),
        (replace(good, code=str(Code.DRAIN), error="waits"), 200, "warn"),
        (replace(STATUS, version=None), 503, "fail"),
        (replace(STATUS, state="closing"), 503, "fail"),
    ]
    for status, code, said in cases:
        answer = rendered(Wanted.READY, status)
        assert (code, said) == (answer.status, json.loads(answer.body)["status"])
        assert rendered(Wanted.LIVE, status).status == 200


STANDINGS: list[tuple[dict[str, object], Standing, str]] = [
    ({}, Standing.OK, ""),
    ({"remarks": ("c.yaml: edits of it will not be seen",)}, Standing.WARN, "will not be seen"),
    ({"enabled": False}, Standing.WARN, "RELOAD_CHECK_ENABLED"),
    (
        {"error": "gone", "code": "torn", "outcome": Outcome.DEFERRED},
        Standing.WARN,
        "not taken yet",
    ),
    ({"error": "two", "code": "drain", "outcome": Outcome.DEFERRED}, Standing.WARN, "edit waits"),
    (
        {"error": "no", "code": "schema", "outcome": Outcome.REJECTED},
        Standing.FAIL,
        "edit rejected: no",
    ),
    (
        {"error": "down", "code": "factory", "outcome": Outcome.REJECTED},
        Standing.FAIL,
        "edit rejected (will be tried again): down",
    ),
    (
        {"error": "down", "code": "factory", "outcome": Outcome.DEFERRED},
        Standing.FAIL,
        "edit rejected (will be tried again): down",
    ),
    (
        {"error": "c.yaml:1:1: this was taken back", "outcome": Outcome.UNDONE},
        Standing.FAIL,
        "edit undone: c.yaml:1:1: this was taken back",
    ),
    (
        {"error": "undone: version 3 after 5 s", "outcome": Outcome.UNDONE},
        Standing.FAIL,
        "edit undone: version 3 after 5 s",
    ),
    ({"version": None, "state": "idle"}, Standing.WARN, "no request yet"),
    ({"version": None, "state": "loading"}, Standing.WARN, "under way"),
    ({"state": "closing"}, Standing.WARN, "closing"),
    (
        {"waiting": Waiting("d", NOW, "window", "not on a Friday", NOW)},
        Standing.WARN,
        "edit waits (window): not on a Friday; opens 2027-01-15 08:00:00 UTC",
    ),
    (  # told once, with its place
        {
            "waiting": Waiting("d", NOW, "window", "not on a Friday", NOW),
            "error": "c.yaml:2:1: a: not on a Friday",
            "code": "window",
            "outcome": Outcome.WAITING,
        },
        Standing.WARN,
        "edit waits (window): c.yaml:2:1: a: not on a Friday; opens 2027-01-15 08:00:00 UTC",
    ),
    (
        {"pending_restart": ("bind.port",)},
        Standing.WARN,
        "restart is needed before it is live: bind",
    ),
    (
        {
            "resources": (
                ResourceStatus("db", 1, 1, 0, probe=ProbeStatus(ProbeOutcome.FAILED, "no")),
            )
        },
        Standing.FAIL,
        "the probe of db did not pass",
    ),
]


@pytest.mark.parametrize(("change", "standing", "reason"), STANDINGS)
def test_what_is_not_all_right_is_not_green(
    change: dict[str, object], standing: Standing, reason: str
) -> None:
    """Amber or red, and why: in the status, in the JSON and on the page, in the same words."""
    status = replace(STATUS, **{**GOOD, **change})  # type: ignore[arg-type]
    assert (status.standing, not status.reasons) == (standing, standing is Standing.OK)
    assert reason in " ".join(status.reasons)
    told = json.loads(rendered(Wanted.JSON, status).body)
    assert (told["standing"], told["reasons"]) == (standing, list(status.reasons))
    tone = {Standing.OK: "good", Standing.WARN: "warn", Standing.FAIL: "bad"}[standing]
    assert f'<section class="state {tone}"' in rendered(Wanted.HTML, status).body.decode()


def test_an_old_resource_that_is_still_used_is_told_with_its_end() -> None:
    """Who keeps it, since when, and when it is closed under them; on the page and in the JSON."""
    status = replace(STATUS, draining=(Draining("pool", 6, 1, 42.0, 18.0, ("websocket /<ws>",)),))
    words = Outline(rendered(Wanted.HTML, status).body.decode()).words
    assert (
        "pool of version 6 is still used by websocket /<ws>, 42 s after it was replaced; "
        "it is closed in 18 s"
    ) in words
    unread = replace(STATUS, draining=(Draining("pool", 6, 3, 0.4, 0.6, (), unread=True),))
    words = Outline(rendered(Wanted.HTML, unread).body.decode()).words
    assert "pool of version 6 may yet be read by 3 in progress, 0 s after it was replaced" in words
    (told,) = json.loads(rendered(Wanted.JSON, status).body)["draining"]
    assert (told["holders"], told["closes_in"], told["version"]) == (["websocket /<ws>"], 18.0, 6)


def test_every_code_has_a_remedy() -> None:
    """Whatever goes wrong, the page says what to do about it."""
    assert {str(code) for code in Code} == set(REMEDIES)


def test_a_store_that_is_away_or_frozen_has_a_remedy_too() -> None:
    """No edit failed, and there is something to do all the same."""
    for store, code in (
        (StoreStatus("store.db", code="store", error="is locked"), None),
        (StoreStatus("store.db", frozen="edits are frozen by dora"), "frozen"),
    ):
        status = replace(STATUS, code=code, error=None, outcome=Outcome.UNCHANGED, store=store)
        assert json.loads(rendered(Wanted.JSON, status).body)["remedy"] == REMEDIES[code or "store"]
    assert f"What to do: {REMEDIES['frozen']}" in rendered(Wanted.HTML, status).body.decode()


def test_who_speaks_is_in_the_title_and_in_the_json() -> None:
    """Of several workers it can be told which one answered, in a row of browser tabs too."""
    text = rendered(Wanted.HTML).body.decode()
    (title,) = re.findall("<title>(.*?)</title>", text)
    assert title.startswith("shop on web-1, 4711: Version 7 is serving")
    process = json.loads(rendered(Wanted.JSON).body)["process"]
    assert tuple(process[name] for name in ("application", "host", "pid", "worker")) == (
        "shop",
        "web-1",
        4711,
        "uwsgi-2",
    )


def test_a_process_is_named_by_its_application_first() -> None:
    """The application's name, which is the operator's first, wins over the directory's."""
    here = os.path.basename(os.getcwd())
    assert here == identity(None).application
    assert identity("shop").application == "shop"
    one = identity("shop")
    assert (os.getpid(), socket.gethostname()) == (one.pid, one.host)
    assert str(one) == f"shop on {one.host}, pid {one.pid}"


def test_a_cell_of_several_pieces_is_one() -> None:
    """A narrow screen shows a cell as a grid of its name and one content; more is put astray."""
    html = page(View(STATUS, Leaves(), NOW, WHO, "1.0", ""), Wanted.HTML).body.decode()
    (cell,) = re.findall(r'<td role="cell" data-label="Built from">(.*?)</td>', html)
    assert re.fullmatch(r"<span>.*database\.url.*, resource .*other.*</span>", cell)
