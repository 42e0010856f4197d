"""The demo's table: it fits a terminal, hides nothing, and its JSON says the same."""

import json

from reloadcheck.demo.table import WIDTH, Row, as_json, as_text

GOOD = Row(
    step="rotate the database password",
    promise="live",
    seconds={4001: 0.412, 4002: 1.236},
    requests=152,
    pools_built=2,
    pools_closed=2,
    connections=8,
    peak=14,
)
LARGE = Row(
    step="a step with a name that is longer than its column has room for",
    promise="rejected",
    seconds={4194303: 123.456, 4194304: 123.456},
    requests=123456,
    failed=12345,
    pools_built=1234,
    pools_closed=1234,
    connections=99,
    peak=198,
    cause="/a-rather-long-directory/of-the-demo/orders.yaml:2:11: " + "the reason is long " * 12,
    broken=("a worker never had it, which takes a good many words to say " * 3,),
)


def test_fits_eighty_columns() -> None:
    """No line is wider than a terminal, whatever the numbers and causes are."""
    lines = as_text([GOOD, LARGE], "PostgreSQL").splitlines()
    assert max(len(line) for line in lines) <= WIDTH == 80


def test_shows_what_each_step_came_to() -> None:
    """A row says when each worker had it, what the load, the pools and the server came to."""
    row = as_text([GOOD], "PostgreSQL").splitlines()[3]
    assert row.split()[4:] == ["0.41", "1.24", "152", "0", "2", "2", "8", "(14)"]


def test_shows_causes_and_broken_promises() -> None:
    """A rejection's cause and a broken promise stand below the table, in full."""
    text = " ".join(as_text([GOOD, LARGE], "PostgreSQL").split())
    assert "orders.yaml:2:11: the reason is long" in text
    assert "NOT AS PROMISED: a step with a name" in text
    assert "1 of 2 steps as promised; 123608 requests, 12345 failed, on PostgreSQL." in text


def test_json_says_the_same() -> None:
    """The JSON holds every row's every field, and whether all promises were kept."""
    shown = json.loads(as_json([GOOD, LARGE], "SQLite"))
    assert shown["database"] == "SQLite"
    assert shown["kept"] is False
    assert (shown["requests"], shown["failed"]) == (123608, 12345)
    assert [row["step"] for row in shown["steps"]] == [GOOD.step, LARGE.step]
    assert shown["steps"][0]["seconds"] == {"4001": 0.412, "4002": 1.236}
    assert json.loads(as_json([GOOD], "SQLite"))["kept"] is True


def test_what_was_meant_to_fail_counts_apart() -> None:
    """The failures of an edit that was undone are told, and not as the demo's own."""
    undone = Row("break one request in five", "undone", {1: 5.3, 2: 7.2}, requests=950, failed=9)
    text = as_text([GOOD, undone], "SQLite")
    assert ", 0 failed, on SQLite.\n9 more failed on the edit that undid itself." in text
    assert max(map(len, text.splitlines())) <= 80
    shown = json.loads(as_json([GOOD, undone], "SQLite"))
    assert (shown["failed"], shown["failed_on_trial"]) == (0, 9)
