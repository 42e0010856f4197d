"""Where a value stands, in each format: line and column from 1, as an editor counts them."""

import pytest

from reloadcheck.parsers import locate, locating_many
from reloadcheck.types import Document, KeyPath

YAML = """\
# é
base: &base
  pool: 5
database:
  <<: *base
  url: x
  hosts: [a, {b: ☃, c: 3}]
other: *base
"""
JSON = """\
{
  "database": {"url": "x", "a.b": null,
    "hosts": ["a", {"b": "\\ud83d\\ude00", "c": 3}]},
\t"other": 1
}
"""
TOML = """\
# é = 1
title = "a = 1"
[database]
url = 'x'
hosts = ["a", { b = '☃', c . d = 3 }, [
  4 ] ]
"quoted \\u0041".'b' = \"\"\"
c = 1 \"\"\"
[[server]]
name = 1
[[server]]
name = 2
[server.tls]
on = true
"""

PLACES: dict[str, tuple[str, dict[KeyPath, tuple[int, int]]]] = {
    "yaml": (
        YAML,
        {
            (): (2, 1),
            ("database",): (5, 3),
            ("database", "url"): (6, 8),
            ("database", "pool"): (3, 9),
            ("database", "hosts", 0): (7, 11),
            ("database", "hosts", 1): (7, 14),
            ("database", "hosts", 1, "c"): (7, 24),
            ("other", "pool"): (3, 9),
            ("other",): (8, 8),
            ("database", "missing"): (5, 3),
            ("database", "url", "x"): (6, 8),
            ("database", "hosts", 7): (7, 10),
            ("database", "hosts", "c"): (7, 10),
            ("missing", "url"): (2, 1),
        },
    ),
    "json": (
        JSON,
        {
            (): (1, 1),
            ("database",): (2, 15),
            ("database", "a.b"): (2, 35),
            ("database", "hosts", 1, "b"): (3, 26),
            ("database", "hosts", 1, "c"): (3, 47),
            ("other",): (4, 11),
            ("database", "missing"): (2, 15),
            ("other", 0): (4, 11),
            ("missing",): (1, 1),
        },
    ),
    "toml": (
        TOML,
        {
            (): (1, 1),
            ("title",): (2, 9),
            ("database",): (3, 1),
            ("database", "url"): (4, 7),
            ("database", "hosts", 0): (5, 10),
            ("database", "hosts", 1): (5, 15),
            ("database", "hosts", 1, "c", "d"): (5, 34),
            ("database", "hosts", 2, 0): (6, 3),
            ("database", "quoted A", "b"): (7, 23),
            ("server", 0, "name"): (10, 8),
            ("server", 1, "name"): (12, 8),
            ("server", 1, "tls"): (13, 1),
            ("server", 1, "tls", "on"): (14, 6),
            ("server", 1, "missing"): (11, 1),
            ("missing",): (1, 1),
        },
    ),
}
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@pytest.mark.parametrize("mark", [b"", BYTE_ORDER_MARK], ids=["", "mark"])
@pytest.mark.parametrize("windows", [False, True], ids=["lf", "crlf"])
@pytest.mark.parametrize("format_", PLACES)
def test_each_value_is_found_where_it_begins(format_: str, windows: bool, mark: bytes) -> None:
    """A value is found where it stands, a missing one at its parent, whatever the line ends."""
    text, places = PLACES[format_]
    data = mark + (text.replace("\n", "\r\n") if windows else text).encode()
    found = {path: locate(Document("c", data, format_), path) for path in places}
    assert places == found


@pytest.mark.parametrize("format_", PLACES)
def test_nothing_is_found_in_nothing(format_: str) -> None:
    """A document without content has no places."""
    assert locate(Document("c", b"", format_), ("a",)) is None


BROKEN = {
    "yaml": b"a: 1\nb: {c: 2, d: [1, @",
    "json": b'{"a": 1,\n"b": {"c": 2, "d": [1, @',
    "toml": b"a = 1\nb = {c = 2, d = [1, ",
}


@pytest.mark.parametrize("format_", BROKEN)
def test_a_refused_document_is_located_in_up_to_its_flaw(format_: str) -> None:
    """What stands before a flaw is found, and no flaw raises."""
    document = Document("c", BROKEN[format_], format_)
    place = locate(document, ("b", "c"))
    assert place is not None
    assert (2, BROKEN[format_].split(b"\n")[1].index(b"2") + 1) == place


@pytest.mark.parametrize("format_", PLACES)
@pytest.mark.parametrize(
    "data", [b"\xff\xfe", b"\0", b"[" * 99999, b"{" * 99999, b"a: \xed\xa0\x80"]
)
def test_locating_never_raises(format_: str, data: bytes) -> None:
    """A document that no parser would accept has places or none, but raises nothing."""
    locate(Document("c", data, format_), ("a", 1, "b"))


LINES = {"yaml": "k{}: 1\n", "json": '"k{}": 1,\n', "toml": "k{} = 1\n"}


@pytest.mark.parametrize("format_", LINES)
def test_others_have_their_turn_while_a_value_is_located(format_: str) -> None:
    """A value that is wrong in a large file holds up nobody for as long as reading it again takes.

    Each document is read once for however many values.
    """
    lines = "".join(LINES[format_].format(number) for number in range(5000))
    text = "{" + lines + '"z": 1}' if format_ == "json" else lines
    document = Document("c", text.encode(), format_)
    pauses: list[None] = []
    with locating_many(lambda: pauses.append(None)):
        assert locate(document, ("k4999",)) is not None
        once = len(pauses)
        assert locate(document, ("k1",)) is not None
    assert once >= 50
    assert len(pauses) == once
