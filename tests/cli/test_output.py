"""What all commands share: colour where it is wanted, width, escapes."""

import io
import json

import pytest

from reloadcheck.cli import main
from reloadcheck.cli._output import Page


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        """Be a terminal."""
        return True


@pytest.mark.parametrize(
    ("out", "environ", "coloured"),
    [
        (_Terminal, {}, True),
        (_Terminal, {"NO_COLOR": ""}, True),
        (_Terminal, {"NO_COLOR": "1"}, False),
        (_Terminal, {"TERM": "dumb"}, False),
        (io.StringIO, {}, False),
    ],
)
def test_colour_is_for_terminals_whose_user_wants_it(
    out: type[io.StringIO], environ: dict[str, str], coloured: bool
) -> None:
    """NO_COLOR counts when it is not empty, as its convention says; a pipe never gets colour."""
    stream = out()
    Page(stream, environ).sentence("FAILED: it did", kind="error", mark="FAILED:")
    expected = "\x1b[31;1mFAILED:\x1b[0m it did\n" if coloured else "FAILED: it did\n"
    assert expected == stream.getvalue()


def test_a_sentence_is_escaped_and_wrapped() -> None:
    """No line is longer than 80 columns and none is forged."""
    stream = io.StringIO()
    Page(stream, {}).sentence("word " * 40 + "\x1b[31m\u202e\nforged")
    assert all(len(line) <= 80 for line in stream.getvalue().splitlines())
    assert "\\x1b[31m\\u202e\\nforged" in stream.getvalue()


@pytest.mark.parametrize(
    "words",
    [
        ["digest", "config.yaml", "--no-app", "--and-an-option-that-is-not-there", "--another"],
        ["validate"],
        ["fleet", "--store", f"/nowhere/{'deep/' * 12}store.db"],
        ["explain", "config.yaml", "a", f"--app-dir={'x' * 70}", "--app", "a:b"],
    ],
)
def test_what_is_wrong_fits_a_terminal(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Folded where it is read on one, a word at a time; one line for a program."""
    told: list[list[str]] = []
    for kind in (_Terminal, io.StringIO):
        stream = kind()
        monkeypatch.setattr("sys.stderr", stream)
        try:
            status = main(words)
        except SystemExit as error:
            status = int(str(error.code))
        assert status == 2
        told.append(stream.getvalue().splitlines())
    on_terminal, elsewhere = told
    (sentence,) = [line for line in elsewhere if ": error: " in line]
    assert " ".join("\n".join(on_terminal).split()).endswith(" ".join(sentence.split()))
    assert [line for line in on_terminal if len(line) > 80 and " " in line.strip()] == []


def test_json_is_ascii() -> None:
    """What steers a terminal is an escape in JSON too."""
    stream = io.StringIO()
    Page(stream, {}).json({"\u202e": "\x1b"})
    assert stream.getvalue().isascii()
    assert "\x1b" not in stream.getvalue()
    assert json.loads(stream.getvalue()) == {"\u202e": "\x1b"}


def test_what_an_encoding_lacks_is_escaped() -> None:
    """A terminal without Unicode gets no traceback."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    Page(stream, {}).line("µ and …")
    stream.seek(0)
    assert stream.read() == "\\xb5 and \\u2026\n"


@pytest.mark.parametrize(("command", "status"), [("validate", 130), ("watch", 0)])
def test_ctrl_c_is_no_traceback(command: str, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whenever it comes; of `watch` it is the good end."""

    def interrupted(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(f"reloadcheck.cli.{command}.run", interrupted)
    assert status == main([command, "a.yaml"])
