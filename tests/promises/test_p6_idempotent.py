"""P6. Idempotent: same content, no reload; a resource whose part did not change is carried over."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

from reloadcheck import FrozenDict, Outcome, ReloadCheck, Resource
from tests.support import config, journal
from tests.support.engines import drained
from tests.support.load import Load, workers
from tests.support.servers import environment, serving, uvicorn

LINES = config.text(1)


def _touch(file: Path) -> None:
    os.utime(file, ns=(1, 1))


def _chmod(file: Path) -> None:
    file.chmod(0o600)


def _link(file: Path) -> None:
    os.link(file, file.with_name("another"))


def _rewrite(file: Path) -> None:
    config.write(file, LINES)


def _replace(file: Path) -> None:
    config.replace(file, LINES)


def _comment(file: Path) -> None:
    config.write(file, "# for people\n" + LINES.replace("end:", "\n# the end\nend:"))


def _reorder(file: Path) -> None:
    number, rest = LINES.split("\n", 1)
    config.write(file, f"{rest}{number}\n")


def _spell(file: Path) -> None:
    pool = f"{{number: 0x1, password: '{config.CANARY}'}}"
    config.write(file, f"{{number: 1, note: '', 'pool': {pool}, ? 'end' : +1}}")


def _bom_and_crlf(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf" + LINES.replace("\n", "\r\n").encode())


SAME: dict[str, Callable[[Path], None]] = {
    "touched": _touch,
    "its mode changed": _chmod,
    "another link to it": _link,
    "rewritten": _rewrite,
    "replaced by an equal one": _replace,
    "re-commented": _comment,
    "re-ordered": _reorder,
    "spelled otherwise": _spell,
    "with a BOM and other line ends": _bom_and_crlf,
}


class PoolSettings(BaseModel):
    """The part that the resource is built from."""

    model_config = ConfigDict(frozen=True)
    number: int
    password: str


class Settings(BaseModel):
    """The whole configuration."""

    model_config = ConfigDict(frozen=True)
    number: int
    note: str
    pool: PoolSettings
    end: int


@pytest.mark.parametrize("schema", [None, Settings], ids=["no schema", "pydantic"])
@pytest.mark.parametrize("change", SAME.values(), ids=SAME.keys())
def test_the_same_content_is_no_reload(
    change: Callable[[Path], None], schema: type[Settings] | None, tmp_path: Path
) -> None:
    """Nothing is built, no version is made, nobody is told; the snapshot is the same object."""
    file = tmp_path / "config.yaml"
    config.write(file, LINES)
    live: ReloadCheck[FrozenDict] | ReloadCheck[Settings] = (
        ReloadCheck(file, settle=0.0, verify=0.0, environ={})
        if schema is None
        else ReloadCheck(file, schema=schema, settle=0.0, verify=0.0, environ={})
    )
    built: list[object] = []
    live.resource("pool", name="pool")(built.append)
    live.start()
    assert live.check() is Outcome.UNCHANGED
    told: list[object] = []
    live.subscribe(told.append)
    before = live.snapshot
    for _ in range(3):
        change(file)
        assert live.check() is Outcome.UNCHANGED
        (file.with_name("another")).unlink(missing_ok=True)
    assert live.snapshot is before
    assert (live.status().version, live.status().reloads, len(built), told) == (1, 1, 1, [])
    live.close()


def test_only_what_changed_is_built_anew(tmp_path: Path) -> None:
    """A resource whose part and needs did not change is carried over, the same object."""
    file = tmp_path / "config.yaml"
    config.write(file, config.text(1, pool=1))
    live = ReloadCheck(file, settle=0.0, environ={})
    closed: list[str] = []

    def keeping(name: str) -> Callable[..., Iterator[list[object]]]:
        def factory(*arguments: object) -> Iterator[list[object]]:
            yield [*arguments]
            closed.append(name)

        return factory

    pool: Resource[list[object]] = live.resource("pool", name="pool")(keeping("pool"))
    user: Resource[list[object]] = live.resource(needs=[pool], name="user")(keeping("user"))
    note: Resource[list[object]] = live.resource("note", name="note")(keeping("note"))
    leaf: Resource[list[object]] = live.resource("number", needs=[pool], name="leaf")(
        keeping("leaf")
    )
    live.start()
    first = live.snapshot
    config.write(file, config.text(1, pool=1, note="new"))
    live.check()
    second = live.snapshot
    drained(live)
    assert second.version == 2
    assert second[pool] is first[pool]
    assert second[leaf] is first[leaf]
    assert second[note] == ["new"]
    config.write(file, config.text(1, pool=2, note="new"))
    live.check()
    third = live.snapshot
    assert third[note] is second[note]
    assert third[leaf][1] is third[user][1] is third[pool]
    assert third[pool] == [{"number": 2, "password": config.CANARY}]
    live.close()
    assert Counter(closed) == {"pool": 2, "user": 3, "note": 2, "leaf": 2}


def test_every_worker_carries_its_pool_through_an_edit_of_something_else(tmp_path: Path) -> None:
    """On a real server the number is new in each worker, the pool the same; a touch is nothing."""
    file, log = tmp_path / "config.yaml", tmp_path / "journal"
    config.write(file, config.text(1, pool=1))
    with serving(uvicorn(), environment(file, log), tmp_path) as server:
        everyone = set(workers(server.port))
        with Load(server.port) as load:
            for number in range(2, 5):
                config.write(file, config.text(number, pool=1))
                load.reaches(number, everyone)
                _touch(file)
        entries = journal.read(log)
        versions = {one.said["version"] for one in workers(server.port).values()}
    assert [(one.event, one.serial) for one in entries] == [("built", 1), ("built", 1)]
    assert versions == {4}
