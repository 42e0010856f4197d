"""Who may decide what the configuration is, and what a name may do to those who read of it."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from reloadcheck import (
    ConfigError,
    DirectorySource,
    EnvironSource,
    FileSource,
    Outcome,
    ReloadCheck,
    ReloadEvent,
    Source,
)
from tests.hazards.rig import engine, logged, options, replace
from tests.support.rig import Call, until
from tests.support.steady import SteadyClock

GOOD = "number: 1\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a file that only its owner may write."""
    tmp_path.chmod(0o755)
    path = tmp_path / "app.yaml"
    path.write_text(GOOD)
    path.chmod(0o644)
    return path


def test_a_link_to_another_file_quotes_nothing_of_it(path: Path) -> None:
    """Whoever may swap the path cannot read a file of the server's through its errors."""
    for target in ("/etc/passwd", "/proc/self/environ", "/proc/self/maps", "/etc/hostname"):
        content = Path(target).read_bytes().decode(errors="replace")
        clock = SteadyClock()
        with engine(path, clock=clock, patience=2.0) as live:
            path.unlink()
            path.symlink_to(target)
            outcome = Call(live.check).result(clock, 0.1)
            assert outcome in (Outcome.REJECTED, Outcome.DEFERRED)
            error = live.status().error or ""
            path.unlink()
            path.write_text(GOOD)
        words = [word for word in content.replace("\0", " ").split() if len(word) > 7]
        assert [word for word in words if word in error] == []


def test_confinement_holds_in_a_running_engine(path: Path) -> None:
    """`within` refuses a path that leads out; inside, links may lead about."""
    inside, outside = path.parent / "inside", path.parent / "outside.yaml"
    inside.mkdir()
    (inside / "app.yaml").write_text(GOOD)
    outside.write_text("number: 2\n")
    with engine(FileSource(inside / "app.yaml", within=inside)) as live:
        (inside / "app.yaml").unlink()
        (inside / "app.yaml").symlink_to(outside)
        assert live.check() is Outcome.DEFERRED
        assert "leads out of" in (live.status().error or "")
        (inside / "other.yaml").write_text("number: 3\n")
        (inside / "app.yaml").unlink()
        (inside / "app.yaml").symlink_to("other.yaml")
        assert live.check() is Outcome.RELOADED
        assert live.snapshot.config.number == 3


EXPOSED = {
    "file": (0o666, 0o755, "can be written by everybody"),
    "directory": (
        0o644,
        0o777,
        "can be replaced by everybody: its directory is writable by others",
    ),
}


@pytest.mark.parametrize(("file", "directory", "words"), EXPOSED.values(), ids=EXPOSED)
def test_an_exposed_file_is_warned_of_once(
    path: Path, file: int, directory: int, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    """In the log and, as long as it is so, in the status; it is used all the same."""
    with engine(path, verify=0) as live:
        assert live.status().remarks == ()
        path.chmod(file)
        path.parent.chmod(directory)
        for _ in range(3):
            assert live.check() is Outcome.UNCHANGED
        assert live.status().remarks == (f"{path}: {words}",)
        path.chmod(0o644)
        path.parent.chmod(0o755)
        assert live.check() is Outcome.UNCHANGED
        assert live.status().remarks == ()
    assert logged(caplog) == [f"configuration is used, with a warning: {path}: {words}"]


def test_a_sticky_directory_exposes_nothing(path: Path) -> None:
    """As `/tmp` is: everybody may add a file there, nobody may replace another's."""
    path.parent.chmod(0o1777)
    with engine(FileSource(path, private=True), verify=0) as live:
        assert live.check() is Outcome.UNCHANGED
        assert live.status().remarks == ()


@pytest.mark.parametrize(("file", "directory", "words"), EXPOSED.values(), ids=EXPOSED)
def test_an_exposed_file_is_refused_where_it_is_to_be_private(
    path: Path, file: int, directory: int, words: str
) -> None:
    """The edit that somebody may have made is not taken, until the modes are right again."""
    with engine(FileSource(path, private=True)) as live:
        path.write_text("number: 2\n")
        path.chmod(file)
        path.parent.chmod(directory)
        assert live.check() is Outcome.DEFERRED
        assert live.status().error == f"{path}: {words}; it is to be private"
        assert live.snapshot.config.number == 1
        path.chmod(0o644)
        path.parent.chmod(0o755)
        assert live.check() is Outcome.RELOADED


EVIL = "a\nERROR all is lost\x1b[31m\u202egnp.exe</script>\x7f\x85\u2028"


def evil_sources(directory: Path) -> Iterator[tuple[str, list[Source | Path]]]:
    """Return sources whose names or keys are evil, and whose content is refused."""
    beside = directory / "good.yaml"
    beside.write_text(GOOD)
    key = directory / "key.json"
    key.write_text('{"' + "".join(f"\\u{ord(c):04x}" for c in EVIL) + '": 1e999}')
    yield "key", [key]
    name = EVIL.replace("/", "_")
    named = directory / f"{name}.yaml"
    named.write_text("a: [\n")
    yield "file name", [named]
    missing = directory / f"{name}.missing.yaml"
    yield "missing file", [missing]
    yield "environment", [beside, EnvironSource("APP", {f"APP_{EVIL}": "9" * 500})]
    keys = directory / "keys"
    keys.mkdir()
    (keys / name).write_bytes(b"\xff")
    yield "key file", [DirectorySource(keys)]
    link = directory / "link.yaml"
    link.symlink_to(f"gone{name}")
    yield "link", [link]
    clash = directory / "clash.json"
    clash.write_text(key.read_text().replace("1e999", "1"))
    nested = directory / "nested.json"
    nested.write_text(key.read_text().replace("1e999", '{"x": 1}'))
    yield "clash", [clash, nested]


def test_names_can_forge_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Line ends, escape sequences and bidi marks in keys and names are escaped wherever shown."""
    caplog.set_level(logging.DEBUG)
    shown: list[str] = []
    for where, sources in evil_sources(tmp_path):
        clock = SteadyClock()
        live = ReloadCheck(*sources, **options(patience=2.0, clock=clock))
        with pytest.raises(ConfigError) as caught:
            Call(live.start).result(clock, 0.1)
        live.close()
        said = [str(caught.value), live.status().error or "", repr(live), repr(live.status())]
        assert any("ERROR all is lost" in text for text in said), where
        shown += said
    shown += logged(caplog, logging.DEBUG)
    assert [text for text in shown if not text.isprintable()] == []


def test_keys_in_events_and_logs_of_good_edits_are_escaped(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A reload names what changed, and a key may be anything."""
    caplog.set_level(logging.DEBUG)
    events: list[ReloadEvent] = []
    escaped = "".join(f"\\u{ord(char):04x}" for char in EVIL)
    with engine(path) as live:
        live.subscribe(events.append)
        replace(path, f'"{escaped}": 1\n"</script>": 2\n')
        assert live.check() is Outcome.RELOADED
        until(lambda: events)
        assert (EVIL,) in events[0].diff.added
        shown = [repr(events[0]), repr(live.snapshot), repr(live.snapshot.config)]
        shown += [repr(live.status()), *logged(caplog, logging.DEBUG)]
    assert any("ERROR all is lost" in text for text in shown)
    assert [text for text in shown if not text.isprintable()] == []
    assert os.path.basename(path) == "app.yaml"
