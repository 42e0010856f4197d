"""The mirror of a network store: orders and last good on disk, trusted only when they are whole."""

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from reloadcheck._state.board import Ban, Hold, Round, State
from reloadcheck._state.mirror import Mirror, Mirrored
from reloadcheck._state.mirror import _sum as mirror_sum  # pyright: ignore[reportPrivateUsage]

DATA = b'{"v":1,"documents":[{"source":0,"name":"a","format":"yaml","data":"eA=="}]}'
STATE = State(
    edition=4,
    active="A",
    hold=Hold("pin", "A", 4, "dora", 1.0, "x"),
    banned={"B": Ban(3, "dora")},
    round=Round(7, "C"),
)


@pytest.fixture
def mirror(tmp_path: Path) -> Mirror:
    """A mirror that has been written once."""
    mirror = Mirror(str(tmp_path / "made" / "mirror"), "a%20shop/default/")
    mirror.save(STATE, "A", DATA)
    return mirror


def test_it_gives_back_what_was_saved(mirror: Mirror) -> None:
    """Orders and last good, to the letter; a round is none of it."""
    state = State(4, "A", hold=STATE.hold, banned=STATE.banned)
    assert mirror.load() == Mirrored(state, {"A": DATA})
    found = json.loads(Path(mirror.path).read_text())
    keys = ["v", "app", "release", "state", "content", "documents", "sum"]
    assert list(found) == keys
    assert (found["app"], found["release"], found["content"]) == ("a shop", "default", "A")


def test_nobody_else_can_read_it(mirror: Mirror) -> None:
    """The file is 0600 and its directory 0700, and nothing is left beside it."""
    path = Path(mirror.path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]


def test_it_is_written_only_when_something_changed(mirror: Mirror) -> None:
    """Not for a round, nor by the fifteen other workers of the host."""
    before = os.stat(mirror.path).st_ino
    assert not mirror.wants(State(4, "A", hold=STATE.hold, banned=STATE.banned), "A")
    other = Mirror(mirror.path, "a%20shop/default/")
    assert other.wants(STATE, "A")
    other.save(STATE, "A", DATA)
    assert os.stat(mirror.path).st_ino == before
    mirror.save(State(5, "D"), "D", None)
    assert os.stat(mirror.path).st_ino != before
    assert mirror.load() == Mirrored(State(5, "D"), {})


def _damage(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"edition":4', b'"edition":5'))


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def _another_kind(path: Path) -> None:
    path.write_text("[1]")


def _newer(path: Path) -> None:
    body = {**json.loads(path.read_text()), "v": 2}
    del body["sum"]
    path.write_text(json.dumps({**body, "sum": mirror_sum(body)}))


def _stateless(path: Path) -> None:
    body = {**json.loads(path.read_text()), "state": 7}
    del body["sum"]
    path.write_text(json.dumps({**body, "sum": mirror_sum(body)}))


def _open_it(path: Path) -> None:
    path.chmod(0o666)


def _link_it(path: Path) -> None:
    path.rename(path.with_name("other"))
    path.symlink_to(path.with_name("other"))


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (_damage, "is damaged"),
        (_cut, "is damaged"),
        (_another_kind, "is damaged"),
        (_newer, "is damaged"),
        (_stateless, "is damaged"),
        (_open_it, "others may write it"),
        (_link_it, "it is not used"),
    ],
)
def test_what_cannot_be_trusted_is_told_and_not_used(
    mirror: Mirror, harm: Callable[[Path], None], words: str, caplog: pytest.LogCaptureFixture
) -> None:
    """One ERROR with the path, and the start goes on without it."""
    harm(Path(mirror.path))
    assert mirror.load() is None
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert words in caplog.text
    assert mirror.path in caplog.text


@pytest.mark.parametrize("prefix", ["another/default/", "a%20shop/2.0/"])
def test_somebody_elses_is_told_and_not_used(
    mirror: Mirror, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither another application's nor another release's, whose orders are others."""
    assert Mirror(mirror.path, prefix).load() is None
    assert "is the mirror of another application or release" in caplog.text


def test_none_is_nothing_to_tell(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The first start of all has none."""
    assert Mirror(str(tmp_path / "mirror"), "shop/default/").load() is None
    assert not caplog.records


def test_a_disk_that_takes_nothing_is_told_once(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The old one stays whole, nothing is left beside it, and it is written when there is room."""
    before = mirror.load()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        for _ in range(3):
            mirror.save(State(9, "Z"), "Z", None)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "cannot be written: No space left on device" in caplog.text
    assert mirror.load() == before
    assert len(os.listdir(os.path.dirname(mirror.path))) == 1
    assert mirror.wants(State(9, "Z"), "Z")
    mirror.save(State(9, "Z"), "Z", None)
    assert mirror.load() == Mirrored(State(9, "Z"), {})
