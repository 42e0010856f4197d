"""The demo's edits: what the file says after each, and what each promises."""

from pathlib import Path

import pytest
import yaml

from reloadcheck.demo import steps
from reloadcheck.demo.databases import sqlite_database
from reloadcheck.demo.steps import Promise, Script
from reloadcheck.demo.tried import TITLE


def _at_once(seconds: float) -> None:
    """Stand in for a pause."""


@pytest.fixture
def script(tmp_path: Path) -> Script:
    """Return a script on a file and a database of its own."""
    with sqlite_database(tmp_path) as database:
        return Script(tmp_path / "orders.yaml", database, sleep=_at_once)


def test_the_steps_are_those_that_the_demo_announces(script: Script) -> None:
    """Nine edits, in this order; the last one is made to an application that tries it."""
    assert [step.title for step in script.steps()] == [
        "edit the greeting",
        "move to another database",
        "change the pool's size",
        "touch the file",
        "write broken YAML",
        "name a missing database",
        "write slowly, in pieces",
        "restore the file",
        "break one request in five",
    ]
    assert [step.title for step in script.steps() if step.is_tried] == [TITLE]


def test_each_step_promises_what_its_edit_deserves(script: Script) -> None:
    """Valid edits go live, a touch is nothing, bad ones are rejected; pools follow the database."""
    expected = [step.perform() for step in script.steps() if not step.is_tried]
    assert [(one.promise, one.rebuilds, one.code) for one in expected] == [
        (Promise.LIVE, False, None),
        (Promise.LIVE, True, None),
        (Promise.LIVE, True, None),
        (Promise.NOTHING, False, None),
        (Promise.REJECTED, False, "syntax"),
        (Promise.REJECTED, False, "factory"),
        (Promise.LIVE, False, None),
        (Promise.LIVE, True, None),
    ]


def test_the_file_says_what_is_expected_of_it(script: Script) -> None:
    """After every edit that must go live, the file holds exactly the content to expect."""
    for step in script.steps():
        expected = step.perform()
        text = script.file.read_text()
        if expected.promise is Promise.REJECTED:
            assert text != expected.content.text()
            continue
        assert text == expected.content.text()
        assert yaml.safe_load(text) == {
            "greeting": expected.content.greeting,
            "database": {"url": expected.content.url, "pool_size": expected.content.pool_size},
        }


def test_broken_yaml_is_broken(script: Script) -> None:
    """The file that must be rejected does not parse."""
    script.steps()[4].perform()
    with pytest.raises(yaml.YAMLError):
        yaml.safe_load(script.file.read_text())


def test_restoring_goes_back_to_the_first_content(script: Script) -> None:
    """At the end the file is as it was, save for what the rotation changed."""
    first = script.content
    last = [step.perform().content for step in script.steps()][-1]
    assert (last.greeting, last.pool_size) == (first.greeting, first.pool_size)
    assert last.url != first.url


def test_slow_writing_leaves_torn_files_on_the_way(tmp_path: Path) -> None:
    """The slow writer empties the file first and pauses, shorter than settle, after each piece."""
    file = tmp_path / "orders.yaml"
    seen: list[bytes] = []

    def look(seconds: float) -> None:
        assert seconds < 0.25
        seen.append(file.read_bytes())

    with sqlite_database(tmp_path) as database:
        slow = Script(file, database, sleep=look)
    whole = slow.steps()[6].perform().content.text().encode()
    assert seen[0] == b""
    assert len(seen) == steps.PIECES
    assert all(whole.startswith(piece) and piece != whole for piece in seen)


def test_contents_hide_their_url(script: Script) -> None:
    """What a traceback would show of a content has no password in it."""
    assert script.content.url not in repr(script.content)
