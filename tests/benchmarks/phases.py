"""Where the time of a reload goes, and for how long each part of it keeps the interpreter.

Each step is the engine's own, called in a thread, with its naps, while the main thread asks for
the interpreter every millisecond. A turn that comes late was held by this process only as far as
its CPU clock moved meanwhile. What does not nap is measured in the same way.
"""

import gc
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
import pydantic

from reloadcheck._config.diff import diff
from reloadcheck._config.digest import source_digest, tree_digest
from reloadcheck._config.freeze import freeze
from reloadcheck._config.release import Leaving
from reloadcheck._runtime.pause import nap
from reloadcheck._schema.schema import schema_of
from reloadcheck.parsers import parse
from reloadcheck.types import Document
from tests.hazards.hold import text

from .judging import Claim, Report, Row, Series
from .rounds import Size

__all__ = ["run"]

PARTS = 14_000
TICK = 0.001
LONGEST = 20.0
"""Milliseconds for which a loop may be held by a reload."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one step took, in seconds: on the wall, of the CPU, and its longest hold."""

    wall: float
    cpu: float
    hold: float


def watched(work: Callable[[], object]) -> Step:
    """Do it in a thread, and ask for the interpreter meanwhile; what it gives goes afterwards."""
    cpu = [0.0]
    kept: list[object] = []

    def working() -> None:
        begun = time.thread_time()
        kept.append(work())
        cpu[0] = time.thread_time() - begun

    thread = threading.Thread(target=working)
    longest, begun = 0.0, time.perf_counter()
    last, used = begun, time.process_time()
    thread.start()
    while True:
        time.sleep(TICK)
        now, spent = time.perf_counter(), time.process_time()
        longest = max(longest, min(now - last - TICK, spent - used))
        last, used = now, spent
        if not thread.is_alive():
            break
    thread.join()
    return Step(now - begun, cpu[0], longest)


class Part(pydantic.BaseModel, frozen=True):
    """One part of the YAML."""

    name: str
    limits: list[int]
    on_call: bool


class Struct(msgspec.Struct, frozen=True):
    """The same part for msgspec."""

    name: str
    limits: list[int]
    on_call: bool


class Whole(pydantic.RootModel[dict[str, Part]], frozen=True):
    """All of it: three fields for each part."""


def run(size: Size) -> list[Report]:
    """Measure a reload of 1 MB of YAML by its steps, and other holders of the interpreter."""
    rounds = 2 if size.quick else 7
    parts = PARTS // 5 if size.quick else PARTS
    one = [_reload(parts, number, every=False) for number in range(rounds)]
    every = [_reload(parts, number, every=True) for number in range(rounds)]
    return [
        _steps("one value edited", one, parts),
        _steps("all values edited", every, parts),
        _others(rounds, parts),
    ]


def _reload(parts: int, number: int, *, every: bool) -> dict[str, Step]:
    """Reload once, step by step."""
    kept: dict[str, Any] = {
        "old": freeze(_parsed(_document(text(number, parts, every=every).encode())))
    }
    document = _document(text(number + 1, parts, every=every).encode())
    works: dict[str, Callable[[], object]] = {
        "digest of the bytes (blake3)": lambda: source_digest([document]),
        "parse": lambda: parse(document, nap),
        "freeze": lambda: freeze(kept["parse"], kept["old"], nap),
        "digest of the tree": lambda: tree_digest(kept["freeze"], nap),
        "diff": lambda: diff(kept["old"], kept["freeze"], nap),
    }
    steps: dict[str, Step] = {}
    for name, work in works.items():
        steps[name] = watched(partial(_keep, kept, name, work))
    leaving = Leaving()
    leaving.add(kept.pop("old"), kept.pop("parse"))
    steps["release"] = watched(lambda: leaving.let_go(nap))
    return steps


def _keep(kept: dict[str, Any], name: str, work: Callable[[], object]) -> None:
    kept[name] = work()


def _parsed(document: Document) -> dict[str, Any]:
    return parse(document, lambda: None)


def _document(data: bytes, kind: str = "yaml") -> Document:
    return Document(f"app.{kind}", data, kind)


def _steps(what: str, found: list[dict[str, Step]], parts: int) -> Report:
    rows: list[Row] = []
    for name in found[0]:
        steps = [one[name] for one in found]
        rows.append(Row.of(f"{name}, CPU", Series(tuple(s.cpu for s in steps)), "ms", 1e3))
        rows.append(Row.of(f"{name}, wall", Series(tuple(s.wall for s in steps)), "ms", 1e3))
        rows.append(Row.of(f"{name}, hold", Series(tuple(s.hold for s in steps)), "ms", 1e3))
    totals = Series(tuple(sum(step.cpu for step in one.values()) for one in found))
    rows.append(Row.of("all of it, CPU", totals, "ms", 1e3))
    holds = Series(tuple(max(step.hold for step in one.values()) for one in found))
    size = f"{len(text(0, parts, every=True)) / 1e6:.1f} MB"
    claim = Claim(
        f"longest hold of the interpreter, {size} of YAML, {what}",
        holds.median * 1e3,
        LONGEST,
        "ms",
    )
    shares = {
        name: Series(tuple(one[name].cpu for one in found)).median / totals.median
        for name in found[0]
    }
    told = (
        f"A reload of {size} of YAML, {what}, takes {totals.median:.2f} s of CPU: "
        + ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
        + ".",
    )
    return Report(f"A reload of {size} of YAML, {what}", tuple(rows), (claim,), (), told)


def _others(rounds: int, parts: int) -> Report:
    """Measure what has no naps of ours, or only few."""
    held = _collector(rounds, parts)
    plain = _parsed(_document(text(0, parts, every=True).encode()))
    large = json.dumps(plain).encode()
    large_json = b'{"copies": [' + b", ".join([large] * max(1, 4_000_000 // len(large))) + b"]}"
    schema = schema_of(Whole)
    many = {f"part{n}": {"name": "n", "limits": [1], "on_call": True} for n in range(33_334)}
    works: dict[str, Callable[[], object]] = {
        "json.loads, 4 MB": partial(json.loads, large_json),
        "our JSON, 4 MB": partial(parse, _document(large_json, "json"), nap),
        "pydantic alone, 100,000 fields": partial(Whole.model_validate, many),
        "msgspec alone, 100,000 fields": partial(msgspec.convert, many, dict[str, Struct]),
        "our schema step with pydantic, 100,000 fields": partial(schema.convert, many, None, nap),
        "blake3 of 4 MB": partial(source_digest, [_document(large_json, "json")]),
    }
    for name, work in works.items():
        held[name] = Series(tuple(watched(work).hold for _ in range(rounds)))
    rows = tuple(Row.of(name, one, "ms", 1e3) for name, one in held.items())
    notes = ("the longest hold of the interpreter by each",)
    told = (
        "Longest holds of the interpreter lock: "
        + ", ".join(f"{name}: {one.median * 1e3:.0f} ms" for name, one in held.items())
        + ".",
    )
    return Report("What else holds the interpreter", rows, (), notes, told)


def _collector(rounds: int, parts: int) -> dict[str, Series]:
    """Measure a full collection with nothing there, with a configuration, and with plain dicts."""
    data = json.dumps(_parsed(_document(text(0, parts, every=True).encode())))
    held = {"the collector": _collections(rounds)}
    frozen = freeze(_parsed(_document(data.encode(), "json")))
    held["the collector, with a configuration"] = _collections(rounds)
    plain = json.loads(data)
    held["the collector, with the same as plain dicts too"] = _collections(rounds)
    assert len(plain) == len(frozen)
    return held


def _collections(rounds: int) -> Series:
    return Series(tuple(watched(gc.collect).hold for _ in range(rounds)))
