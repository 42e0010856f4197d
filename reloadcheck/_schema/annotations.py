"""How annotations are written: unions, `Annotated`, aliases, containers; takes one apart.

The one place that knows how annotations are written: unions, `Annotated`, `NewType`, the `type`
statement, type variables and the wrappers of typed dicts. Imports no library of schemas.
"""

from collections.abc import Iterable, Iterator, Mapping, Set
from types import NoneType, UnionType
from typing import Annotated, Any, NewType, TypeVar, Union, get_args, get_origin

from .._config.model_fields import Kind, kind_of

__all__ = [
    "container_of",
    "members_of",
    "metadata_of",
    "owner_of",
    "parameters_of",
    "present_in",
    "union_of",
]

_WRAPPERS = frozenset({"Final", "NotRequired", "ReadOnly", "Required"})


def members_of(annotation: Any) -> Iterator[Any]:
    """Return what may stand there, in the order in which it is written, and nothing beside it."""
    inner = _unwrapped(annotation)
    if inner is not annotation:
        yield from members_of(inner)
    elif get_origin(annotation) in (Union, UnionType):
        for part in get_args(annotation):
            yield from members_of(part)
    else:
        yield NoneType if annotation is None else annotation


def metadata_of(annotation: Any) -> tuple[Any, ...]:
    """Return what stands beside a type in `Annotated`, also behind a name for it."""
    inner = _unwrapped(annotation)
    if inner is annotation:
        return ()
    beside = annotation.__metadata__ if get_origin(annotation) is Annotated else ()
    return (*metadata_of(inner), *beside)


def union_of(annotations: Iterable[Any]) -> Any:
    """Make one annotation of several, of which not every one need be a class."""
    parts = tuple(annotations)
    return Union[parts] if parts else Any  # noqa: UP007


def present_in(annotation: Any) -> Any:
    """Return what an annotation means where there is something: no constraints, no `| None`."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, UnionType):
        members = [part for part in get_args(annotation) if part is not NoneType]
        return present_in(members[0]) if len(members) == 1 else annotation
    return annotation


def owner_of(annotation: Any) -> Kind | None:
    """Return whose rules alone hold for a class, or for what a library's words annotate."""
    if any(_is_from_pydantic(one.__class__) for one in metadata_of(annotation)):
        return Kind.PYDANTIC
    cls: Any = get_origin(annotation) or annotation
    if not isinstance(cls, type):
        return None
    kind = kind_of(cls)
    if kind is Kind.PYDANTIC or hasattr(cls, "__pydantic_validator__") or _is_from_pydantic(cls):
        return Kind.PYDANTIC
    return Kind.MSGSPEC if kind is Kind.MSGSPEC else None


def container_of(annotation: Any) -> type | None:
    """Return whether a value is to be a `list`, `tuple`, `set`, `frozenset` or `dict`, if any."""
    cls: Any = get_origin(annotation) or annotation
    if not isinstance(cls, type) or cls in (str, bytes) or hasattr(cls, "_fields"):
        return None
    if issubclass(cls, Mapping):
        return dict
    known = next((one for one in (list, tuple, set, frozenset) if issubclass(cls, one)), None)
    if known is not None:
        return known
    if issubclass(cls, Set):  # the protocol: a class of somebody else's that could be any set
        return set
    return list if issubclass(cls, Iterable) and issubclass(list, cls) else None


def parameters_of(annotation: Any, count: int) -> tuple[Any, ...]:
    """Return what a container is of, `Any` where it is not said."""
    given = [part for part in get_args(annotation) if part is not Ellipsis]
    return (*given, *[Any] * count)[:count]


def _unwrapped(annotation: Any) -> Any:
    """Take one wrapper off: constraints, a name, what a typed dict says of a key."""
    origin: Any = get_origin(annotation)
    if origin is Annotated or str(origin).rpartition(".")[2] in _WRAPPERS:
        return get_args(annotation)[0]
    if isinstance(annotation, NewType):
        return annotation.__supertype__
    if isinstance(annotation, TypeVar):
        if annotation.__constraints__:
            return union_of(annotation.__constraints__)
        return Any if annotation.__bound__ is None else annotation.__bound__
    aliased = getattr(annotation, "__value__", None)  # a `type` statement's
    return annotation if aliased is None or isinstance(annotation, type) else aliased


def _is_from_pydantic(cls: type) -> bool:
    return cls.__module__.partition(".")[0] in ("pydantic", "pydantic_core", "pydantic_extra_types")
