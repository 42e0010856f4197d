"""P7. Frozen: no ordinary syntax or method changes a snapshot, at any depth."""

import copy
import json
import pickle
from pathlib import Path

import pytest

from reloadcheck import FrozenDict, ReloadCheck
from tests.support import config
from tests.support.load import get
from tests.support.servers import environment, serving, uvicorn


def test_a_request_cannot_change_its_config(tmp_path: Path) -> None:
    """Through `request.state.config` on a real server, each of a hundred ways is refused."""
    file = tmp_path / "config.yaml"
    config.write(file, config.NESTED)
    environ = environment(file, tmp_path / "journal")
    with serving(uvicorn("tests.support.frozen_app:app"), environ, tmp_path) as server:
        for schema in ("plain", "pydantic", "msgspec"):
            said = get(server.port, f"/{schema}/").said
            assert said["tried"] > 100
            assert (said["through"], said["same"]) == ([], True)


@pytest.fixture
def frozen(tmp_path: Path) -> FrozenDict:
    """The configuration of a snapshot whose engine is closed again."""
    file = tmp_path / "config.yaml"
    config.write(file, config.NESTED)
    live = ReloadCheck(file, environ={})
    live.start()
    snapshot = live.snapshot
    for name in ("config", "version", "new"):
        with pytest.raises(AttributeError):
            setattr(snapshot, name, 0)
        with pytest.raises(AttributeError):
            delattr(snapshot, name)
    with pytest.raises(TypeError):
        snapshot.resources["new"] = 1  # type: ignore[index]
    live.close()
    return snapshot.config


def test_what_is_copied_out_of_it_is_apart(frozen: FrozenDict) -> None:
    """A plain or deep copy can be changed and changes no snapshot; other copies stay frozen."""
    mine = frozen.to_dict()
    mine["hosts"].append("c")
    mine["deep"][0]["rules"][0]["then"].clear()
    assert frozen["hosts"] == ["a", "b"]
    assert frozen["deep"][0]["rules"][0]["then"] == [1, 2]
    deep = copy.deepcopy(frozen)
    deep["hosts"].append("c")
    assert frozen["hosts"] == ["a", "b"]
    for copied in (copy.copy(frozen), pickle.loads(pickle.dumps(frozen))):
        assert copied == frozen
        with pytest.raises(TypeError):
            copied["hosts"].append("c")


def test_it_reads_as_the_ordinary_types_do(frozen: FrozenDict) -> None:
    """`isinstance`, `==` and `json.dumps` behave as before: frozen, not foreign."""
    assert isinstance(frozen, dict)
    assert isinstance(frozen["hosts"], list)
    assert frozen == json.loads(json.dumps(frozen))
    assert {**frozen}["limits"] == {"low": 1, "high": 2}
    assert frozen["hosts"] + ["c"] == ["a", "b", "c"]
