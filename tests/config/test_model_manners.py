"""A frozen model behaves as the one that nobody froze: dumps, copies, equality, hashes, pickles."""

import copy
import json
import pickle
from dataclasses import replace
from typing import Any

import msgspec

from reloadcheck._schema.schema import schema_of

from .models import TREE, DataPool, DataSettings, Settings, StructSettings, pydantic_config


def test_pydantic_behaves_as_before() -> None:
    """Dumps, copies, equality, hashes and pickles are those of the model nobody froze."""
    given = TREE | {"surplus": [1], "anything": {"a": [1]}}
    loose, config = (
        Settings.model_validate(given),
        pydantic_config(surplus=[1], anything={"a": [1]}),
    )
    assert config == loose
    assert config.model_dump() == loose.model_dump()
    assert config.model_dump(mode="json") == loose.model_dump(mode="json")
    assert json.loads(config.model_dump_json()) == json.loads(loose.model_dump_json())
    assert config.model_dump(exclude_unset=True) == loose.model_dump(exclude_unset=True)
    assert type(config.model_dump()["hosts"]) is list
    assert isinstance(config.tags, set)
    assert config.double == 14
    assert hash(config.pool) == hash(pydantic_config().pool)
    assert pickle.loads(pickle.dumps(config)) == config
    assert copy.deepcopy(config) == config == copy.copy(config)
    assert Settings.model_validate(config.model_dump(exclude={"double"})) == config


def test_a_copy_of_a_pydantic_model_is_the_callers_own() -> None:
    """`model_copy` with an update works, extras included, and leaves the snapshot as it is."""
    config = pydantic_config(surplus=[1])
    for deep in (False, True):
        other: Any = config.model_copy(update={"hosts": [], "more": 1}, deep=deep)
        assert other.hosts == []
        assert other.model_extra == {"surplus": [1], "more": 1}
        assert other.model_fields_set >= {"hosts", "more"}
    for mine in (copy.copy(config), copy.deepcopy(config)):
        assert mine.model_extra is not None
        mine.model_extra["more"] = 1
        mine.model_fields_set.add("more")
    assert config.hosts == [[1, 2], [3]]
    assert config.model_extra == {"surplus": [1]}
    assert "more" not in config.model_fields_set


def test_msgspec_behaves_as_before() -> None:
    """Encoding, conversion, equality and `replace` are those of the struct nobody froze."""
    loose = msgspec.convert(TREE, StructSettings)
    config = schema_of(StructSettings).convert(TREE)
    assert config == loose
    assert msgspec.json.decode(msgspec.json.encode(config)) == msgspec.json.decode(
        msgspec.json.encode(loose)
    )
    assert msgspec.to_builtins(config, str_keys=True)["hosts"] == [[1, 2], [3]]
    assert msgspec.structs.replace(config, hosts=[]).hosts == []
    assert pickle.loads(pickle.dumps(config)) == config
    assert copy.deepcopy(config) == config


def test_dataclasses_behave_as_before() -> None:
    """Equality, `replace` and pickling are those of the dataclass nobody froze."""
    config = schema_of(DataSettings).convert(TREE)
    assert config.pool == DataPool(7, ["a", "b"])
    assert replace(config, hosts=[]).hosts == []
    assert pickle.loads(pickle.dumps(config)) == config
    assert copy.deepcopy(config) == config
