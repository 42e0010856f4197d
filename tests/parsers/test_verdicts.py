"""One table of contents in three formats: the same tree, or the same kind of refusal, in each."""

import tracemalloc
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

import pytest

from reloadcheck.exceptions import ConfigError, ConfigSyntaxError, SourceError
from reloadcheck.parsers import locate, parse
from reloadcheck.types import Document

FORMATS = ("yaml", "json", "toml")
BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Case:
    """A content in each format that can write it, and what is to become of it."""

    name: str
    texts: Mapping[str, bytes]
    tree: object = None
    reason: str = ""
    error: type[ConfigError] = ConfigSyntaxError


def everywhere(value: bytes) -> dict[str, bytes]:
    """Write a mapping with one value that looks the same in every format."""
    return {"yaml": b"a: " + value, "json": b'{"a": ' + value + b"}", "toml": b"a = " + value}


def nested(levels: int) -> dict[str, bytes]:
    """Write lists inside each other so that the root and they are so many levels."""
    return everywhere(b"[" * (levels - 1) + b"]" * (levels - 1))


def many(containers: int) -> dict[str, bytes]:
    """Write so many mappings and lists, the root and the list that holds the others counted."""
    rest = containers - 2
    return everywhere(b"[" + b"[]," * (rest - 1) + b"[]]")


def tables(levels: int) -> dict[str, bytes]:
    """Write mappings inside each other so that the root and they are so many levels."""
    inner = levels - 1
    return {
        "yaml": b"{a: " * inner + b"{}" + b"}" * inner,
        "json": b'{"a": ' * inner + b"{}" + b"}" * inner,
        "toml": b"[" + b".".join([b"a"] * inner) + b"]",
    }


def deep(levels: int) -> object:
    """Make the value that `nested` writes."""
    value: list[object] = []
    for _ in range(levels - 2):
        value = [value]
    return {"a": value}


def deep_tables(levels: int) -> object:
    """Make the value that `tables` writes."""
    value: dict[str, object] = {}
    for _ in range(levels - 1):
        value = {"a": value}
    return value


TEXT = '"é☃😀"'.encode()
ESCAPE = "may be written only as an escape"

ACCEPTED = [
    Case("text beyond ASCII", everywhere(TEXT), {"a": "é☃😀"}),
    Case("one byte order mark", {f: BOM + t for f, t in everywhere(b"1").items()}, {"a": 1}),
    Case("the greatest integer", everywhere(b"9223372036854775807"), {"a": 2**63 - 1}),
    Case("the least integer", everywhere(b"-9223372036854775808"), {"a": -(2**63)}),
    Case("true", everywhere(b"true"), {"a": True}),
    Case("one", everywhere(b"1"), {"a": 1}),
    Case("one point zero", everywhere(b"1.0"), {"a": 1.0}),
    Case("minus zero", everywhere(b"-0.0"), {"a": -0.0}),
    Case("a list of lists", everywhere(b"[[1, 2], [], [true]]"), {"a": [[1, 2], [], [True]]}),
    Case("nothing in quotes", everywhere(b'""'), {"a": ""}),
    Case("an escaped NUL", everywhere(b'"\\u0000"'), {"a": "\0"}),
    Case("an escaped line separator", everywhere(b'"\\u2028\\u0085"'), {"a": "\u2028\x85"}),
    Case("an escaped byte order mark", everywhere(b'"\\uFEFF"'), {"a": "\ufeff"}),
    Case("64 levels of lists", nested(64), deep(64)),
    Case("64 levels of mappings", tables(64), deep_tables(64)),
    Case(
        "line ends of Windows",
        {
            "yaml": b"a: 1\r\nb: 2\r\n",
            "json": b'{"a": 1,\r\n"b": 2}\r\n',
            "toml": b"a=1\r\nb=2\r\n",
        },
        {"a": 1, "b": 2},
    ),
    # YAML as `yaml.safe_load` reads it knows no tab between words: see the refusals.
    Case("a tab between words", {"json": b'{"a":\t1}', "toml": b"a\t=\t1"}, {"a": 1}),
    # JSON knows no tab in quotes.
    Case("a tab in quotes", {"yaml": b'a: "x\ty"', "toml": b'a = "x\ty"'}, {"a": "x\ty"}),
    Case("a date", {"yaml": b"a: 2024-02-29", "toml": b"a = 2024-02-29"}, {"a": date(2024, 2, 29)}),
    Case(
        "a moment",
        {"yaml": b"a: 2024-02-29T01:02:03+01:00", "toml": b"a = 2024-02-29T01:02:03+01:00"},
        {"a": datetime(2024, 2, 29, 1, 2, 3, tzinfo=timezone(timedelta(hours=1)))},
    ),
    Case("no keys", {"yaml": b"{}", "json": b"{}"}, {}),
]

REFUSED = [
    Case(
        "UTF-16",
        {f: t.decode().encode("utf-16") for f, t in everywhere(b"1").items()},
        reason="is UTF-16",
    ),
    Case(
        "UTF-16 without a mark",
        {f: t.decode().encode("utf-16-le") for f, t in everywhere(b"1").items()},
        reason=ESCAPE,
    ),
    Case("a broken sequence", everywhere(b'"\xc3"'), reason="is not UTF-8"),
    Case("an overlong sequence", everywhere(b'"\xc0\x80"'), reason="is not UTF-8"),
    Case("an encoded surrogate", everywhere(b'"\xed\xa0\x80"'), reason="is not UTF-8"),
    Case(
        "two byte order marks",
        {f: BOM * 2 + t for f, t in everywhere(b"1").items()},
        reason="byte order",
    ),
    Case("a byte order mark inside", everywhere(b'"x' + BOM + b'y"'), reason="byte order"),
    Case("a NUL", everywhere(b'"x\0y"'), reason=ESCAPE),
    Case("a NUL at the end", {f: t + b"\n\0" for f, t in everywhere(b"1").items()}, reason=ESCAPE),
    Case("an escape character", everywhere(b'"x\x1by"'), reason=ESCAPE),
    Case("a DEL", everywhere(b'"x\x7fy"'), reason=ESCAPE),
    Case("U+0085", everywhere('"x\x85y"'.encode()), reason=ESCAPE),
    Case("U+2028", everywhere('"x\u2028y"'.encode()), reason=ESCAPE),
    Case("U+2029", everywhere('"x\u2029y"'.encode()), reason=ESCAPE),
    Case("U+FFFE", everywhere('"x\ufffey"'.encode()), reason=ESCAPE),
    Case("a lone surrogate", everywhere(b'"\\ud800"'), reason="escape"),
    Case(
        "a carriage return alone",
        {f: t + b"\r" for f, t in everywhere(b"1").items()},
        reason="carriage return",
    ),
    Case("a tab between words", {"yaml": b"a:\t1"}, reason="a tab may stand only"),
    Case("a tab in quotes", {"json": b'{"a": "x\ty"}'}, reason="control character"),
    Case("an integer too great", everywhere(b"9223372036854775808"), reason="64 bits"),
    Case("an integer too small", everywhere(b"-9223372036854775809"), reason="64 bits"),
    Case("10,000 digits", everywhere(b"1" * 10_000), reason="at most 400 characters"),
    Case(
        "a fraction of 10,000 digits",
        everywhere(b"1." + b"1" * 10_000),
        reason="at most 400 characters",
    ),
    Case(
        "10,000 hexadecimal digits",
        {"yaml": b"a: 0x" + b"f" * 10_000, "toml": b"a = 0x" + b"f" * 10_000},
        reason="at most 400 characters",
    ),
    Case(
        "hexadecimal beyond 64 bits",
        {"yaml": b"a: 0x1" + b"0" * 16, "toml": b"a = 0x1" + b"0" * 16},
        reason="64 bits",
    ),
    Case("a number too great", everywhere(b"1.0e+400"), reason="must be finite"),
    Case(
        "infinity",
        {"yaml": b"a: -.inf", "json": b'{"a": -Infinity}', "toml": b"a = -inf"},
        reason="must be finite",
    ),
    Case(
        "not a number",
        {"yaml": b"a: .nan", "json": b'{"a": NaN}', "toml": b"a = nan"},
        reason="must be finite",
    ),
    Case("65 levels of lists", nested(65), reason="deeper than 64"),
    Case("65 levels of mappings", tables(65), reason="deeper than 64"),
    Case("a million levels of lists", everywhere(b"[" * 1_000_000), reason="deeper than 64"),
    Case(
        "a key twice",
        {"yaml": b"a: 1\na: 1", "json": b'{"a": 1, "a": 1}', "toml": b"a = 1\na = 1"},
        reason="duplicate key; first on line 1",
    ),
    Case(
        "a key twice below",
        {
            "yaml": b"b: {a: 1, a: 1}",
            "json": b'{"b": {"a": 1, "a": 1}}',
            "toml": b"b = {a = 1, a = 1}",
        },
        reason="duplicate key; first on line 1",
    ),
    Case("too many containers", many(100_001), reason="more than 100,000 mappings and lists"),
    Case(
        "an impossible date",
        {"yaml": b"a: 2023-02-29", "toml": b"a = 2023-02-29"},
        reason="does not exist",
    ),
    Case("a list on top", {"yaml": b"[1]", "json": b"[1]"}, reason="top level"),
    Case("a word on top", {"yaml": b"true", "json": b"true"}, reason="top level"),
    Case("null on top", {"yaml": b"null", "json": b"null"}, reason="top level"),
    Case("no bytes", dict.fromkeys(FORMATS, b""), reason="is empty", error=SourceError),
    Case("only a mark", dict.fromkeys(FORMATS, BOM), reason="is empty", error=SourceError),
    Case(
        "only white space", dict.fromkeys(FORMATS, b" \n\n"), reason="is empty", error=SourceError
    ),
    Case(
        "only comments",
        dict.fromkeys(("yaml", "toml"), b"# a: 1\n#\n"),
        reason="is empty",
        error=SourceError,
    ),
]


def each(cases: list[Case]) -> list[object]:
    """Return every case in every format that has it."""
    return [
        pytest.param(case, format_, id=f"{case.name}-{format_}")
        for case in cases
        for format_ in case.texts
    ]


@pytest.mark.parametrize(("case", "format_"), each(ACCEPTED))
def test_what_is_accepted_is_the_same_tree_in_every_format(case: Case, format_: str) -> None:
    """The same content gives the same tree, to the type, whatever the format."""
    tree = parse(Document("config", case.texts[format_], format_), lambda: None)
    assert repr(case.tree) == repr(tree)


@pytest.mark.parametrize("format_", FORMATS)
def test_as_many_containers_as_may_be_are_taken(format_: str) -> None:
    """The last of 100,000 is there."""
    document = Document("config", many(100_000)[format_], format_)
    assert len(parse(document, lambda: None)["a"]) == 99_998


@pytest.mark.parametrize(
    "containers",
    [pytest.param(25_000, id="25,000"), pytest.param(100_000, id="all", marks=pytest.mark.long)],
)
@pytest.mark.parametrize("format_", FORMATS)
def test_the_place_of_one_of_many_containers_costs_a_bounded_memory(
    format_: str, containers: int
) -> None:
    """The last one's is found within as many bytes as make 64 MB for 100,000 of them."""
    document = Document("config", many(containers)[format_], format_)
    tracemalloc.start()
    try:
        place = locate(document, ("a", containers - 3))
        grown = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert place is not None
    assert place[0] == 1
    assert grown < 64 * 2**20 * containers / 100_000


@pytest.mark.parametrize(("case", "format_"), each(REFUSED))
def test_what_is_refused_is_refused_alike_in_every_format(case: Case, format_: str) -> None:
    """The same content is refused by the same kind of error for the same reason in every format."""
    with pytest.raises(case.error) as caught:
        parse(Document("config", case.texts[format_], format_), lambda: None)
    assert case.reason in caught.value.reason
    assert type(caught.value) is case.error
