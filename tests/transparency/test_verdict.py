"""The verdict on two runs of a framework's tests."""

from pathlib import Path

from tests.transparency.projects import PROJECTS
from tests.transparency.verdict import Run, Verdict, compare, read


def test_what_passes_bare_and_not_behind_a_door_is_broken() -> None:
    """Failed, skipped or missing: all three; what fails bare as well is not our doing."""
    bare = Run({"a": "passed", "b": "passed", "c": "passed", "d": "failed", "e": "passed"}, 0)
    behind = Run({"a": "failed", "b": "skipped", "d": "failed", "e": "passed"}, 5)
    assert compare(bare, behind, frozenset()) == Verdict(("a", "b", "c"), ())
    assert compare(bare, behind, {"b", "d"}) == Verdict(("a", "c"), ("b",))


def test_notes_are_read_as_they_are_written(tmp_path: Path) -> None:
    """And a run that wrote none has nothing, so that every test of it counts as missing."""
    notes = tmp_path / "notes.jsonl"
    notes.write_text('{"test": "a", "outcome": "passed"}\n{"wrapped": 3}\n')
    assert read(notes) == Run({"a": "passed"}, 3)
    assert read(tmp_path / "none.jsonl") == Run({}, 0)


def test_every_exception_has_its_reason() -> None:
    """No test is expected to fail without a sentence that says why."""
    for project in PROJECTS.values():
        assert all(len(reason) > 20 for reason in project.expected.values())
