"""What all parsers have in common at their border: formats, errors, pauses."""

import io
import traceback

import pytest

from reloadcheck.exceptions import ConfigError, OptionError
from reloadcheck.parsers import parse
from reloadcheck.sources._formats import FORMATS, format_of
from reloadcheck.types import Document

SECRET = "hunter2canary"


@pytest.mark.parametrize(
    ("path", "format_"),
    [("a.yaml", "yaml"), ("/b/a.YML", "yaml"), ("a.b.json", "json"), ("../a.toml", "toml")],
)
def test_the_suffix_tells_the_format(path: str, format_: str) -> None:
    """A file's suffix, in any case, names its format."""
    assert format_ == format_of(path)
    assert format_ in FORMATS.values()


@pytest.mark.parametrize("path", ["a.ini", "yaml", "a.yaml/b", ".json", "a\n.x"])
def test_an_unknown_suffix_names_the_known_ones(path: str) -> None:
    """A file whose format nobody knows is a mistake that the sentence shows how to mend."""
    with pytest.raises(OptionError) as caught:
        format_of(path)
    assert ".json, .toml, .yaml, .yml" in str(caught.value)
    assert str(caught.value).isprintable()


FAILING = {
    "yaml": [
        "a: '{}\n",
        "a: @{}",
        "a: {}: {}: x",
        "a: [{}",
        "a: {{b: {}",
        "a: {}\n  b: {}\n",
        "a: {}\n b: {}",
        "- {}",
        "{}",
        '"{}"',
        "a: {}\n---\nb: {}",
        'a: "{}\\q"',
        'a: "{}\\ud800"',
        "a: !!int {}",
        "a: !!float {}",
        "a: !!bool {}",
        "a: !!timestamp {}",
        "a: !x {}",
        "a: *x {}",
        "a: {}\na: {}",
        "a: {}\x00",
        "a: {}\u2028",
        "a: {}\tb",
        "a: [{}?]",
        "\ta: {}",
        "a: |9x\n {}",
        "%FOO {}\n---\na: {}",
        "a: &x [{}, *x]",
        "a: >\n{}",
        "yes: {}",
    ],
    "json": [
        '{{"a": "{}',
        '{{"a": {}}}',
        '{{"a": "{}\\q"}}',
        '{{"a": "{}\\ud800"}}',
        '{{"a": "{}", "a": "{}"}}',
        '["{}"]',
        '{{"a": "{}" "b"}}',
        '{{"a": "{}"}} {}',
        '{{"a": "{}\x00"}}',
        "{{{}: 1}}",
        '{{"a": "{}\n"}}',
    ],
    "toml": [
        'a = "{}',
        "a = {}",
        "a = '{}' '{}'",
        'a = "{}"\na = "{}"',
        'a = "{}\\q"',
        'a = "{}\\ud800"',
        'a = ["{}"',
        'a = """{}',
        "a = '''{}",
        "a.b = '{}'\n[a.b]\n",
        "a = {{b = '{}', b = '{}'}}",
        "a = '{}'\x00",
        "= '{}'",
        "a = nan # {}",
        "a = {{b = '{}'}}\n[a.c]",
    ],
}


@pytest.mark.parametrize(
    ("format_", "text"), [(format_, text) for format_, texts in FAILING.items() for text in texts]
)
def test_no_error_quotes_a_value(format_: str, text: str) -> None:
    """A secret in a broken file is in no sentence, repr, attribute or traceback of the error."""
    document = Document(
        "c", text.replace("{}", SECRET).replace("{{", "{").replace("}}", "}").encode(), format_
    )
    with pytest.raises(ConfigError) as caught:
        parse(document, lambda: None)
    error = caught.value
    formatted = io.StringIO()
    traceback.print_exception(error, file=formatted)
    shown = f"{error} {error!r} {error.args} {error.problems} {formatted.getvalue()}"
    assert SECRET not in shown
    assert error.__context__ is None
    assert error.__cause__ is None


def large(format_: str) -> bytes:
    """Write some 70 KB of small values."""
    lines = {"yaml": 'k{}: "v"\n', "json": '"k{}": "v",\n', "toml": 'k{} = "v"\n'}
    body = "".join(lines[format_].format(number) for number in range(5000))
    return (f'{{{body}"z": 1}}' if format_ == "json" else body).encode()


@pytest.mark.parametrize("format_", ["yaml", "json", "toml"])
def test_a_large_document_is_read_in_small_portions(format_: str) -> None:
    """Other threads get their turn every few hundred values, and not for a small document."""
    pauses: list[None] = []
    parse(Document("c", large(format_), format_), lambda: pauses.append(None))
    assert 90 <= len(pauses) <= 1000
    pauses.clear()
    small = b'{"a": 1}' if format_ == "json" else large(format_)[:1010].rsplit(b"\n", 1)[0]
    parse(Document("c", small, format_), lambda: pauses.append(None))
    assert pauses == []


@pytest.mark.parametrize(
    ("format_", "text", "least"),
    [
        ("yaml", "a: |\n" + "  text\n" * 60_000, 100),
        ("yaml", "# comment\n" * 60_000 + "a: 1\n", 100),
        ("yaml", "a: '" + "text " * 60_000 + "'\n", 60),
        ("toml", 'a = """' + "text " * 60_000 + '"""\n', 100),
        ("toml", "a = [" + "1, " * 60_000 + "]\n", 950),
        ("toml", "".join(f"k{n} = 1\r\n" for n in range(20_000)), 427),
        ("json", '{"a": "' + "text " * 60_000 + '"}', 18),
    ],
)
def test_one_large_value_is_read_in_portions_too(format_: str, text: str, least: int) -> None:
    """A value or a comment that is a single event does not keep others from their turn."""
    pauses: list[None] = []
    parse(Document("c", text.encode(), format_), lambda: pauses.append(None))
    assert len(pauses) >= least
