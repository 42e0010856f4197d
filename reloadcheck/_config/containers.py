"""The read-only containers that a frozen configuration is made of.

They are a `dict`, a `list` and a `set`, so that `isinstance`, `==`, `json.dumps` and pydantic's
`model_dump` treat them as ever, and refuse each method and statement that would change them. A
shallow copy is the same object, a deep one is made of built-in containers. Their `repr` shows keys
and sizes, never a value. Read-only means "by any ordinary syntax": calling
`dict.__setitem__(x, …)` or writing to `x.__dict__` still works and is nobody's accident.
"""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from sys import intern
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias, TypeGuard, TypeVar

from .untrack import exempt

__all__ = [
    "FrozenDict",
    "FrozenList",
    "FrozenSet",
    "is_attribute",
    "is_dict",
    "is_frozen",
    "is_frozenset",
    "is_list",
    "is_set",
    "is_tuple",
    "only_text",
    "plain",
    "typed",
]

T = TypeVar("T")
_SHOWN_KEYS = 50
Memo: TypeAlias = dict[int, Any] | None


def _refuse(self: object, *_: object, **__: object) -> NoReturn:
    raise TypeError(f"{type(self).__name__} cannot be changed: it is part of a snapshot")


class FrozenDict(dict[str, Any]):
    """A read-only mapping whose keys are attributes too: `config.database.url`.

    Takes what `dict` takes, and freezes the mappings, lists and sets inside it. A key that is also
    a method's name (`items`, `get`, `to_dict`) or a dunder is read by item only.
    """

    # The instance `__dict__` is there because reading from it beats a dict's items, while a
    # `__getattr__`, even one that is never reached, makes every read two to three times slower. It
    # is a dict of its own that is put there whole: one that the interpreter makes and shares keys
    # with others of the class is read half as quickly from Python 3.13 on.
    __slots__ = ("__dict__", "_sealed")

    def __init__(
        self, items: Mapping[Any, Any] | Iterable[tuple[Any, Any]] = (), /, **more: Any
    ) -> None:
        if hasattr(self, "_sealed"):
            _refuse(self)
        attributes: dict[str, Any] = {}
        put = super().__setitem__
        for key, value in dict(items, **more).items():
            frozen = value if type(value) in _ATOMS else _contained(value)
            if type(key) is not str:
                put(key, frozen)
                continue
            name = intern(key)
            put(name, frozen)
            if is_attribute(name):
                attributes[name] = frozen
        object.__setattr__(self, "__dict__", attributes)
        object.__setattr__(self, "_sealed", True)
        exempt(attributes, self.values())
        exempt(self, (*self, *self.values()))

    @classmethod
    def assembled(cls, items: dict[Any, Any], attributes: dict[str, Any]) -> "FrozenDict":
        """Make one of parts that are frozen already, in no time however many they are.

        `attributes` are the items that can be read as attributes.
        """
        made = cls.__new__(cls)
        super(FrozenDict, made).update(items)
        own = dict(attributes)
        object.__setattr__(made, "__dict__", own)
        object.__setattr__(made, "_sealed", True)
        exempt(own, made.values())
        exempt(made, (*made, *made.values()))
        return made

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    def to_dict(self) -> dict[str, Any]:
        """Return a plain, deep, mutable copy."""
        return {key: plain(value) for key, value in self.items()}

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))

    def __repr__(self) -> str:
        keys = [key if key.isidentifier() else repr(key) for key in map(str, self)]
        shown = ", ".join(f"{key}=…" for key in keys[:_SHOWN_KEYS])
        return f"{type(self).__name__}({shown}{', …' if len(keys) > _SHOWN_KEYS else ''})"

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (dict(self),)

    def __copy__(self) -> "FrozenDict":
        return self

    def __deepcopy__(self, memo: Memo = None) -> dict[str, Any]:
        return {key: deepcopy(value, memo) for key, value in self.items()}

    __setitem__ = __delitem__ = __ior__ = __setattr__ = __delattr__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse


class FrozenList(list[T]):
    """A read-only list."""

    __slots__ = ("_sealed",)

    def __init__(self, items: Iterable[T] = (), /) -> None:
        if hasattr(self, "_sealed"):
            _refuse(self)
        super().__init__(_contained(item) for item in items)
        object.__setattr__(self, "_sealed", True)
        exempt(self, self)

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"FrozenList({len(self)} items)"

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (list(self),)

    def __copy__(self) -> "FrozenList[T]":
        return self

    def __deepcopy__(self, memo: Memo = None) -> list[T]:
        return [deepcopy(item, memo) for item in self]

    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse
    __setattr__ = __delattr__ = _refuse
    append = clear = extend = insert = pop = remove = reverse = sort = _refuse


class FrozenSet(set[T]):
    """A read-only set; not a `frozenset`, which is no `set` and which pydantic would warn about."""

    __slots__ = ("_sealed",)

    def __init__(self, items: Iterable[T] = (), /) -> None:
        if hasattr(self, "_sealed"):
            _refuse(self)
        super().__init__(items)
        object.__setattr__(self, "_sealed", True)
        exempt(self, self)

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self))

    def __repr__(self) -> str:
        return f"FrozenSet({len(self)} items)"

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (list(self),)

    def __copy__(self) -> "FrozenSet[T]":
        return self

    def __deepcopy__(self, memo: Memo = None) -> set[T]:
        return {deepcopy(item, memo) for item in self}

    __iand__ = __ior__ = __isub__ = __ixor__ = _refuse
    __setattr__ = __delattr__ = _refuse
    add = clear = discard = pop = remove = update = _refuse
    difference_update = intersection_update = symmetric_difference_update = _refuse


_ATOMS = frozenset({str, int, float, bool, type(None), FrozenDict, FrozenList, FrozenSet})
_TAKEN = frozenset(dir(FrozenDict))


def is_frozen(value: object) -> bool:
    """Return whether a value is one of the read-only containers of this module."""
    return isinstance(value, FrozenDict | FrozenList | FrozenSet)


def is_dict(value: object) -> TypeGuard[dict[Any, Any]]:
    """Return whether a value is a dict, frozen or not."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Return whether a value is a list, frozen or not."""
    return isinstance(value, list)


def is_frozenset(value: object) -> TypeGuard[frozenset[Any]]:
    """Return whether a value is Python's own `frozenset`."""
    return isinstance(value, frozenset)


def is_tuple(value: object) -> TypeGuard[tuple[Any, ...]]:
    """Return whether a value is a tuple."""
    return isinstance(value, tuple)


def is_set(value: object) -> TypeGuard[set[Any]]:
    """Return whether a value is a set, frozen or not, but not a `frozenset`."""
    return isinstance(value, set)


def only_text(keys: Iterable[object]) -> bool:
    """Return whether all keys are strings, which nothing else equals; quick for many keys."""
    return set(map(type, keys)) <= {str}


def typed(value: object) -> tuple[type, object]:
    """Return what tells `1` from `True` and `1.0` where equality does not."""
    return type(value), value


def plain(value: Any) -> Any:
    """Return a deep copy of ordinary dicts, lists and sets; everything else is kept as it is."""
    if is_dict(value):
        return {key: plain(part) for key, part in value.items()}
    if is_list(value):
        return [plain(part) for part in value]
    if is_tuple(value):
        return tuple(plain(part) for part in value) if type(value) is tuple else value
    return set(value) if is_set(value) else value


def _contained(value: Any) -> Any:
    """Freeze a container that somebody put into one of ours."""
    if is_frozen(value):
        return value
    if is_dict(value):
        return FrozenDict(value)
    if is_list(value):
        return FrozenList(value)
    return FrozenSet(value) if is_set(value) else value


def is_attribute(key: str) -> bool:
    """Return whether a key can be read as an attribute of a frozen mapping."""
    return key not in _TAKEN and key.isidentifier() and not _is_dunder(key)


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")
