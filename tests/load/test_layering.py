"""Several sources, one configuration: later ones override, one that fails holds all back."""

from pathlib import Path
from typing import Any, Self

import pytest
from pydantic import BaseModel, ConfigDict, model_validator

from reloadcheck import EnvironSource, FileSource, Outcome, ReloadCheck
from reloadcheck.exceptions import SchemaError
from reloadcheck.testing import MemorySource
from tests.support.fixtures import Make
from tests.support.rig import Text, begin, config, reload

# ------------------------------------------------------------------------ several sources


def test_later_sources_override_earlier_ones(make: Make) -> None:
    """Mappings merge by key, lists and scalars are replaced, null sets null."""
    below = Text("d: {x: 1, y: [1, 2], z: 3}\nk: v\nn: {m: 1}", name="base.yaml")
    above = Text("d: {y: [9], w: 4}\nk: null\nn: null", name="site.yaml")
    live = make(below, above)
    begin(live)
    assert config(live) == {"d": {"x": 1, "y": [9], "z": 3, "w": 4}, "k": None, "n": None}
    above.write("d: {}\n")
    reload(live)
    assert config(live) == {"d": {"x": 1, "y": [1, 2], "z": 3}, "k": "v", "n": {"m": 1}}


@pytest.mark.parametrize(("low", "high"), [("d: {x: 1}", "d: 5"), ("d: 5", "d: {x: 1}")])
def test_a_mapping_against_something_else_is_rejected(make: Make, low: str, high: str) -> None:
    """What is a mapping in one source and not in the other is rejected naming both places."""
    below, above = Text("a: 1", name="base.yaml"), Text("a: 1", name="site.yaml")
    live = make(below, above)
    begin(live)
    below.write(low)
    above.write(high)
    assert live.check() is Outcome.REJECTED
    error = str(live.status().error)
    assert "site.yaml:1:4: d: " in error
    assert "in base.yaml:1:4" in error
    assert live.status().code == "merge"


def test_one_unreadable_source_holds_all_back(make: Make) -> None:
    """No version is made of one source's new content and another one's absence."""
    below, above = Text("a: 1", name="base.yaml"), Text("b: 1", name="site.yaml")
    live = make(below, above, settle=0)
    begin(live)
    below.write("a: 2")
    above.unreadable()
    assert live.check() is Outcome.DEFERRED
    assert config(live) == {"a": 1, "b": 1}
    above.fault = None
    reload(live)
    assert config(live) == {"a": 2, "b": 1}


def test_an_optional_file_may_come_and_go(make: Make, tmp_path: Path) -> None:
    """A missing optional file is an empty one, at the start and later."""
    path = tmp_path / "site.yaml"
    live = make(Text("a: 1"), FileSource(path, optional=True), settle=0)
    begin(live)
    assert config(live) == {"a": 1}
    path.write_text("a: 2")
    reload(live)
    assert config(live) == {"a": 2}
    path.unlink()
    reload(live)
    assert config(live) == {"a": 1}


def test_a_required_file_may_not_go(make: Make, tmp_path: Path) -> None:
    """A required file that goes away leaves the last good configuration, and names the file."""
    path = tmp_path / "app.yaml"
    path.write_text("a: 1")
    live = make(path, settle=0)
    begin(live)
    path.unlink()
    assert live.check() is Outcome.DEFERRED
    assert str(path) in str(live.status().error)
    assert config(live) == {"a": 1}
    path.write_text("")
    assert live.check() is Outcome.DEFERRED
    assert config(live) == {"a": 1}
    path.write_text("a: 2")
    reload(live)


def test_the_environment_overrides_and_is_read_once(make: Make, text: Text) -> None:
    """Variables override the file's keys and are those of the first load, for all versions."""
    environ = {"APP_A": "7", "APP_D__X": "yes", "OTHER_A": "9"}
    live = make(text, EnvironSource("APP", environ))
    begin(live)
    assert config(live) == {"a": 7, "b": 1, "d": {"x": True}}
    environ["APP_A"] = "8"
    text.write("a: 1\nb: 2")
    reload(live)
    assert config(live) == {"a": 7, "b": 2, "d": {"x": True}}


class Consistent(BaseModel):
    """A model whose own code judges several keys at once."""

    model_config = ConfigDict(frozen=True)
    debug: bool = False
    stage: str = "dev"

    @model_validator(mode="after")
    def no_debug_in_production(self) -> Self:
        """Refuse both together."""
        if self.debug and self.stage == "prod":
            raise ValueError("not together")
        return self


class Whole(BaseModel):
    """A model that holds one."""

    model_config = ConfigDict(frozen=True)
    part: Consistent


@pytest.mark.parametrize(
    ("schema", "wrap", "start"),
    [(Consistent, "{}", "base.yaml:1:1: "), (Whole, "part: {}", "base.yaml:1:7: part: ")],
)
def test_what_is_wrong_with_a_whole_is_not_the_last_layers(
    schema: Any, wrap: str, start: str
) -> None:
    """Several keys contradict each other: the file that begins the mapping, not who added last."""
    sources = [
        MemorySource(wrap.format("{debug: true, stage: prod}"), "base.yaml"),
        MemorySource(wrap.format("{other: 1}"), "more.yaml"),
    ]
    live: ReloadCheck[Any] = ReloadCheck(*sources, schema=schema, environ={})
    with pytest.raises(SchemaError) as caught:
        live.start()
    assert str(caught.value) == f"{start}ValueError: not together"
