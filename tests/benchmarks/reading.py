"""Reading one value, three levels deep, from what each library gives an application."""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import dynaconf  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]
import pydantic

from reloadcheck import FrozenDict
from reloadcheck._config.freeze import freeze

from .judging import Claim, Report, Row, ratio
from .rounds import Batch, Size, interleave

__all__ = ["run"]

READS = 10
"""How often each batch's loop reads, so that the loop itself is little of it."""


@dataclass(frozen=True)
class Inner:
    """The innermost part."""

    c: int


@dataclass(frozen=True)
class Middle:
    """The part around it."""

    b: Inner


@dataclass(frozen=True)
class Outer:
    """The whole."""

    a: Middle


class InnerModel(pydantic.BaseModel, frozen=True):
    """The innermost part, as a model."""

    c: int


class MiddleModel(pydantic.BaseModel, frozen=True):
    """The part around it, as a model."""

    b: InnerModel


class OuterModel(pydantic.BaseModel, frozen=True):
    """The whole, as a model."""

    a: MiddleModel


def run(size: Size) -> list[Report]:
    """Measure each; the empty loop's cost is taken off."""
    tree = {"a": {"b": {"c": 1}}}
    frozen: FrozenDict = freeze(tree)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "app.yaml"
        path.write_text("a: {b: {c: 1}}\n")
        settings = dynaconf.Dynaconf(settings_files=[str(path)], core_loaders=["YAML"])
        assert settings.a.b.c == 1
        found = interleave(
            {
                "nothing": _nothing(),
                'dict d["a"]["b"]["c"]': _items(tree),
                "the same again": _items(tree),
                "ours config.a.b.c": _attributes(frozen),
                'ours config["a"]["b"]["c"]': _items(frozen),
                "dataclass": _attributes(Outer(Middle(Inner(1)))),
                "pydantic model": _attributes(OuterModel(a=MiddleModel(b=InnerModel(c=1)))),
                "dynaconf": _attributes(settings),
            },
            size,
        )
    nothing = found.pop("nothing")
    read = {name: one.less(nothing) for name, one in found.items()}
    rows = tuple(Row.of(name, one, "ns", 1e9 / READS) for name, one in read.items())
    plain = read['dict d["a"]["b"]["c"]']
    claim = Claim(
        'reading config.a.b.c, against d["a"]["b"]["c"] of plain dicts',
        ratio(read["ours config.a.b.c"], plain),
        0.7,
        control=ratio(read["the same again"], plain),
    )
    return [Report("Reading a value", rows, (claim,))]


def _attributes(config: object) -> Batch:
    return _compiled("config.a.b.c", config)


def _items(config: object) -> Batch:
    return _compiled('config["a"]["b"]["c"]', config)


def _nothing() -> Batch:
    return _compiled("config", None)


def _compiled(expression: str, config: object) -> Batch:
    """Make a loop of its own for each, for the interpreter adapts code to what it reads."""
    lines = [f"        {expression}"] * READS
    code = "\n".join(["def loop(config, times):", "    for _ in range(times):", *lines])
    names: dict[str, Callable[[object, int], None]] = {}
    exec(code, names)  # pyright: ignore[reportArgumentType] - it puts a function there
    loop = names["loop"]

    def batch(times: int) -> float:
        begun = time.process_time()
        loop(config, times)
        return time.process_time() - begun

    return batch
