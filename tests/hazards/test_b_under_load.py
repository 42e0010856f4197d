"""A megabyte of configuration is reloaded, and nobody pays for it: not the event loop, not the
collector of garbage, not whoever drops the last reference to what was there before.
"""

import asyncio
import gc
import threading
import weakref
from collections.abc import Callable
from pathlib import Path

import pydantic
import pytest

from reloadcheck import FrozenDict, Outcome, ReloadCheck
from reloadcheck._config.containers import is_dict, is_list
from reloadcheck._config.freeze import freeze
from reloadcheck._config.release import Leaving
from reloadcheck.parsers import parse
from reloadcheck.types import Document
from tests.hazards import loadlag
from tests.hazards.hold import measure, text
from tests.hazards.loadlag import LONGEST, MEGABYTE
from tests.hazards.rig import options, replace

PICK_UP = 3.0
SIZES = [
    pytest.param(2_900, id="200 KB", marks=pytest.mark.long),
    pytest.param(MEGABYTE, id="1 MB"),
]


@pytest.mark.alone
@pytest.mark.parametrize("parts", SIZES)
@pytest.mark.parametrize("every", [False, True], ids=["one value", "all values"])
def test_no_reload_of_yaml_holds_the_loop(parts: int, every: bool, tmp_path: Path) -> None:
    """Not for 20 ms, from the edit until the old tree is gone; and it is live within 3 s.

    The best of three, since what else this machine does is by chance and what a reload does is not.
    """
    _holds_the_loop_briefly(tmp_path, parts, every=every)


@pytest.mark.alone
def test_json_is_no_worse(tmp_path: Path) -> None:
    """A megabyte of it, all of it changed; the best of three, too."""
    _holds_the_loop_briefly(tmp_path, MEGABYTE, every=True, form="json")


def _holds_the_loop_briefly(
    directory: Path, parts: int, *, every: bool, form: str = "yaml"
) -> None:
    found = measure(directory, parts, every=every, form=form, rounds=1)
    while len(found) < 3 and (found[-1].longest > LONGEST or found[-1].live_after > PICK_UP):
        found += measure(directory, parts, every=every, form=form, rounds=1)
    assert min(hold.longest for hold in found) <= LONGEST
    assert min(hold.live_after for hold in found) <= PICK_UP


@pytest.mark.alone
@pytest.mark.long
def test_requests_do_not_feel_a_megabyte_rewritten_each_second() -> None:
    """The short form of `python -m tests.hazards.loadlag`: one server, 400 requests a second.

    The loop is not held for 20 ms, and p99 stays within 3.5 times that of the idle phases around
    it, as far as those agree with each other.
    """
    found = loadlag.run(4.5, ["all"])
    if not _is_good(found):
        found = loadlag.run(4.5, ["all"])
    (during,) = found.of("all")
    assert during.reloads >= 1
    assert during.hold <= LONGEST
    assert found.ratio("all") <= loadlag.BOUNDS["all"] * _noise(found)


def _is_good(found: loadlag.Phases) -> bool:
    (during,) = found.of("all")
    within = found.ratio("all") <= loadlag.BOUNDS["all"] * _noise(found)
    return during.reloads >= 1 and during.hold <= LONGEST and within


def _noise(found: loadlag.Phases) -> float:
    return max(found.control, 1 / found.control)


@pytest.mark.parametrize("form", ["yaml", "json", "toml"])
def test_the_collector_never_looks_at_a_configuration(form: str) -> None:
    """Neither at what was parsed nor at what is frozen: 100,000 containers cost a collection 10 ms.

    Trees of ours have no cycles, and what could have one stays with the collector.
    """
    document = Document("app", text(1, 20, every=True, form=form).encode(), form)
    tree = parse(document, lambda: None)
    frozen = freeze(tree)
    assert [part for part in containers(tree) if gc.is_tracked(part)] == []
    assert [part for part in containers(frozen) if gc.is_tracked(part)] == []


def containers(tree: object) -> list[object]:
    """Return all dicts and lists of a tree, and what a frozen one reads its attributes from."""
    found: list[object] = []
    waiting = [tree]
    while waiting:
        value = waiting.pop()
        if is_dict(value) or is_list(value):
            found += [value, getattr(value, "__dict__", None)]
            waiting.extend(value.values() if is_dict(value) else value)
    return found


class Loop:
    """A foreign object that can lead back to where it came from."""

    back: object = None


def test_a_cycle_through_a_foreign_object_is_collected() -> None:
    """What somebody else's class made is not exempt, nor is what contains it."""
    loop = Loop()
    frozen = FrozenDict(inner=FrozenDict(items=[loop]))
    loop.back = frozen
    assert gc.is_tracked(frozen)
    gone = weakref.ref(loop)
    del loop, frozen
    gc.collect()
    assert gone() is None


class Large:
    """A part that tells in which portion of work it was freed."""

    def __init__(self, portions: list[int], freed: list[int]) -> None:
        self._portions = portions
        self._freed = freed

    def __del__(self) -> None:
        self._freed.append(len(self._portions))


def test_an_old_tree_is_let_go_in_slices() -> None:
    """Bit by bit, with pauses between; what a newer tree or a unit of work holds stays."""
    portions: list[int] = []
    freed: list[int] = []
    tree = freeze({f"a{n}": {"b": [Large(portions, freed)]} for n in range(3000)})
    kept = tree["a7"]
    leaving = Leaving()
    leaving.add(tree, tree)
    leaving.let_go(lambda: portions.append(1))
    assert (freed, leaving.is_ready()) == ([], False)
    del tree
    assert leaving.is_ready()
    leaving.let_go(lambda: portions.append(1))
    assert len(freed) == 2999
    assert len(portions) > 10
    assert max(freed.count(portion) for portion in set(freed)) < 600
    assert len(kept.b) == 1


class Settings(pydantic.BaseModel):
    """A model, which unlike a frozen mapping can be watched by a weak reference."""

    model_config = pydantic.ConfigDict(frozen=True)
    number: int


def test_an_old_config_lives_as_long_as_its_last_lease(tmp_path: Path) -> None:
    """It is gone one check after that, whoever was the last to hold it."""
    path = tmp_path / "app.yaml"
    replace(path, "number: 1\n")
    live = ReloadCheck(path, schema=Settings, **options())
    live.start()
    live.check()
    with live.lease() as snapshot:
        old = weakref.ref(snapshot.config)
        replace(path, "number: 2\n")
        assert live.check() is Outcome.RELOADED
        assert live.check() is Outcome.UNCHANGED
        assert old() is snapshot.config
        del snapshot
    for _ in range(3):
        live.check()
    assert old() is None
    live.close()


def test_a_rejected_edit_is_not_kept(tmp_path: Path) -> None:
    """The error that stands for it holds no frame, and so nothing of the tree it was about."""
    path = tmp_path / "app.yaml"
    replace(path, "number: 1\n")
    made: list[weakref.ref[Settings]] = []

    def schema(tree: dict[str, object]) -> Settings:
        config = Settings.model_validate(tree)
        made.append(weakref.ref(config))
        if config.number == 2:
            raise ValueError("not this one")
        return config

    live = ReloadCheck(path, schema=schema, **options())
    live.start()
    live.check()
    replace(path, "number: 2\n")
    assert live.check() is Outcome.REJECTED
    live.check()
    assert [ref() is None for ref in made] == [False, True]
    live.close()


def test_a_loop_that_only_awaits_gets_its_turns(tmp_path: Path) -> None:
    """The reader naps: with naps taken out, parsing alone would keep the interpreter."""
    naps: list[str] = []
    path = tmp_path / "app.yaml"
    replace(path, text(1, 2_900, every=True))
    live = ReloadCheck(path, **options(patience=60.0))

    async def main() -> None:
        await live.astart()
        await live.aclose()

    sleeping: Callable[[float], None] = threading.Event().wait  # type: ignore[assignment]

    def sleep(seconds: float) -> None:
        naps.append(threading.current_thread().name)
        sleeping(seconds)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reloadcheck._runtime.pause.time.sleep", sleep)
        asyncio.run(main())
    assert naps.count("reloadcheck-reader") > 200
