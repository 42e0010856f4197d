"""A large file of which every value is refused: the time that it takes to say so."""

import time
from typing import Any

import msgspec
import pydantic
import pytest

from reloadcheck._schema.schema import schema_of
from reloadcheck.exceptions import SchemaError


class CheckedItem(pydantic.BaseModel):
    """A value with a check of its own."""

    model_config = pydantic.ConfigDict(frozen=True)
    name: str

    @pydantic.field_validator("name")
    @classmethod
    def refuse(cls, name: str) -> str:
        """Refuse any."""
        raise ValueError(f"{name} is not liked")


class CheckedStruct(msgspec.Struct, frozen=True):
    """The same by msgspec."""

    name: str

    def __post_init__(self) -> None:
        """Refuse any."""
        raise ValueError(f"{self.name} is not liked")


class ManyItems(pydantic.BaseModel):
    """Many of them."""

    model_config = pydantic.ConfigDict(frozen=True)
    a: tuple[CheckedItem, ...]


class ManyStructs(msgspec.Struct, frozen=True):
    """Many of them."""

    a: tuple[CheckedStruct, ...]


@pytest.mark.parametrize("schema", [ManyItems, ManyStructs])
def test_thousands_of_values_that_a_check_refuses_take_no_quadratic_time(schema: Any) -> None:
    """Each sentence is masked by all values: of a large file only the first ones can be."""
    names = [f"a secret name, number {number}" for number in range(5000)]
    begun = time.process_time()
    with pytest.raises(SchemaError) as caught:
        schema_of(schema).convert({"a": [{"name": name} for name in names]})
    assert time.process_time() - begun < 10
    assert len(caught.value.problems) == 5000
    assert caught.value.reason == "ValueError: *** is not liked"
    assert caught.value.problems[-1].reason == "ValueError: ***"
