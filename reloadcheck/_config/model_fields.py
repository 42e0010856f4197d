"""What a frozen model looks like from outside: of pydantic, msgspec, attrs, or a dataclass.

The one place that knows each library's way to read a model's fields and, before the model is
published, to replace a list in it by a frozen one. Imports none of the libraries: an instance of
theirs can only exist once the program has imported them.
"""

import dataclasses
import sys
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any, TypeAlias

from .containers import FrozenDict, FrozenSet

Freeze: TypeAlias = Callable[[Any, Any], Any]


class Kind(Enum):
    """The kinds of classes that a schema may be made of."""

    PYDANTIC = "pydantic"
    MSGSPEC = "msgspec"
    ATTRS = "attrs"
    DATACLASS = "dataclass"


def kind_of(cls: type) -> Kind | None:
    """Return which library's rules a class follows; None for a class of no known kind."""
    if _is_subclass(cls, "pydantic", "BaseModel"):
        return Kind.PYDANTIC
    if _is_subclass(cls, "msgspec", "Struct"):
        return Kind.MSGSPEC
    if hasattr(cls, "__attrs_attrs__"):
        return Kind.ATTRS
    return Kind.DATACLASS if dataclasses.is_dataclass(cls) else None


def is_immutable(cls: Any, kind: Kind) -> bool:
    """Return whether assigning to an attribute of an instance raises."""
    if kind is Kind.PYDANTIC:
        return cls.model_config.get("frozen") is True
    if kind is Kind.MSGSPEC:
        return cls.__struct_config__.frozen is True
    if kind is Kind.ATTRS:  # the name that attrs of any age gives the method that refuses
        return bool(cls.__setattr__.__name__ == "_frozen_setattrs")
    return cls.__dataclass_params__.frozen is True


def field_values(model: object) -> dict[str, Any] | None:
    """Return a model's fields by name, with what it holds beyond those; None for other objects."""
    kind = kind_of(type(model))
    if kind is None or isinstance(model, type):
        return None
    values = {name: getattr(model, name) for name, _ in _fields(model, kind)}
    return values | (getattr(model, "__pydantic_extra__", None) or {})


def freeze_fields(model: Any, previous: Any, kind: Kind, freeze: Freeze) -> Any:
    """Freeze a new model's fields in place, sharing with `previous`; give `previous` if all equal.

    What does not come from the configuration, as private attributes and fields that `__init__`
    does not take, is frozen but not compared.
    """
    comparable = type(previous) is type(model)
    same = comparable
    for name, compared in _fields(model, kind):
        value = getattr(model, name)
        old = getattr(previous, name) if comparable else None
        frozen = freeze(value, old)
        if compared and same:
            same = frozen is old
        if frozen is not value:
            _set_field(model, name, frozen, kind)
    if kind is Kind.PYDANTIC:
        extra_same = _freeze_pydantic_state(model, previous if comparable else None, freeze)
        same = same and extra_same
    return previous if same else model


def _fields(model: Any, kind: Kind) -> Iterator[tuple[str, bool]]:
    if kind is Kind.PYDANTIC:
        cls: Any = model.__class__
        yield from ((name, True) for name in cls.model_fields)
    elif kind is Kind.MSGSPEC:
        yield from ((name, True) for name in model.__struct_fields__)
    elif kind is Kind.ATTRS:
        for field in model.__attrs_attrs__:
            if field.init or hasattr(model, field.name):
                yield field.name, field.init
    else:
        for field in dataclasses.fields(model):
            if field.init or hasattr(model, field.name):
                yield field.name, field.init


def _set_field(model: Any, name: str, value: object, kind: Kind) -> None:
    if kind is Kind.PYDANTIC:
        model.__dict__[name] = value
    elif kind is Kind.MSGSPEC:
        sys.modules["msgspec"].structs.force_setattr(model, name, value)
    else:
        object.__setattr__(model, name, value)


class _ModelDict(FrozenDict):
    """A part of a model's own state; a copy of it, as `model_copy` makes one, can be changed."""

    __slots__ = ()

    def __copy__(self) -> Any:
        return dict(self)

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Any:
        return dict(self.items())


class _ModelSet(FrozenSet[str]):
    """The set of the fields that were given; a copy of it can be changed."""

    __slots__ = ()

    def __copy__(self) -> Any:
        return set(self)


def _freeze_pydantic_state(model: Any, previous: Any, freeze: Freeze) -> bool:
    """Freeze what a pydantic model holds beside its fields; tell whether the extras are equal."""
    given = model.__pydantic_fields_set__
    if not isinstance(given, _ModelSet):
        object.__setattr__(model, "__pydantic_fields_set__", _ModelSet(given))
    private = model.__pydantic_private__
    if private is not None:
        held = freeze(private, None)
        object.__setattr__(model, "__pydantic_private__", _ModelDict(held))
    extra: dict[str, Any] | None = model.__pydantic_extra__
    old: dict[str, Any] | None = None if previous is None else previous.__pydantic_extra__
    if extra is None:  # and so it is in all models of the class
        return True
    shared = freeze(extra, old)
    if shared is not old:
        object.__setattr__(model, "__pydantic_extra__", _ModelDict(shared))
    return shared is old


def _is_subclass(cls: type, module: str, name: str) -> bool:
    base = getattr(sys.modules.get(module), name, None)
    return isinstance(base, type) and issubclass(cls, base)
