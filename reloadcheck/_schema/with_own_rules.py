"""Validates dataclasses and attrs classes, by the rules of this package alone.

One set of rules whatever else is installed. A part that is a pydantic model or a msgspec struct is
left to its own library. Each annotation becomes a function once, when the schema is given.

Long because one walk reads every kind of annotation, so that all of them agree.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from enum import Enum
from typing import Any, Literal, NoReturn, TypeAlias, get_args, get_origin

from .._config.containers import is_dict, is_list, plain, typed
from .._config.model_fields import Kind
from .._config.redact import Scrubber
from ..exceptions import SchemaClassError, SchemaError
from ..types import Key, Problem, Tree, Untyped
from .annotations import container_of, members_of, metadata_of, owner_of, parameters_of
from .class_fields import Field, class_fields
from .constraints import Check, checks_of
from .messages import foreign_reason, mismatch, noun_of, tidy
from .scalars import Scalar, scalar_of
from .text_meaning import NoMeaningError, meaning_of

__all__ = ["AnnotationValidator"]

Read: TypeAlias = Callable[[Any], Any]
"""Takes a part of a tree, gives what it stands for, and raises SchemaError with what is wrong."""

_NAMED_VALUES = 10
"""How many allowed values a problem names."""


class AnnotationValidator:
    """Converts to one dataclass or attrs class; `foreign` gives what reads another library's."""

    def __init__(self, schema: Any, foreign: Callable[[Any, Kind], Read]) -> None:
        self._foreign = foreign
        self._known: dict[int, tuple[object, list[Read]]] = {}
        self._read = self._reader(schema)

    def __call__(self, tree: Tree) -> Any:
        """Return the validated object; raise SchemaError with all problems."""
        return self._read(tree)

    def _reader(self, annotation: Any) -> Read:
        """Return what reads an annotation; in one that contains itself, once it is complete."""
        known = self._known.get(id(annotation))
        if known is None:
            made: list[Read] = []
            self._known[id(annotation)] = annotation, made
            made.append(self._made(annotation))
        else:
            made = known[1]
        return made[0] if made else lambda value: made[0](value)

    def _made(self, annotation: Any) -> Read:
        owner = owner_of(annotation)
        if owner is not None:
            return self._foreign(annotation, owner)
        members = list(members_of(annotation))
        owners = {owner_of(member) for member in members} - {None}
        if owners and len(members) > 1:
            kind = Kind.PYDANTIC if Kind.PYDANTIC in owners else Kind.MSGSPEC
            return self._foreign(annotation, kind)
        checks = checks_of(metadata_of(annotation))
        if len(members) == 1:
            read = self._member(members[0])
        else:
            _tell_apart(annotation, members)
            read = _either(members, [self._reader(member) for member in members])
        return _checked(read, checks) if checks else read

    def _member(self, annotation: Any) -> Read:
        """Return what reads an annotation that is no union and has nothing beside it."""
        if annotation in (Any, object):
            return _anything
        if (owner := owner_of(annotation)) is not None:
            return self._foreign(annotation, owner)
        cls: Any = get_origin(annotation) or annotation
        if cls is Literal:
            return _of_values({typed(one): one for one in get_args(annotation)})
        if isinstance(cls, type) and issubclass(cls, Enum):
            return _of_values({typed(one.value): one for one in cls.__members__.values()})
        if (scalar := scalar_of(cls)) is not None:
            return _of_scalar(scalar)
        if (fields := class_fields(annotation)) is not None:
            return self._of_class(cls, fields)
        container: Any = container_of(annotation)
        if container is dict:
            return self._of_mapping(*parameters_of(annotation, 2))
        if container is tuple and get_args(annotation)[-1:] not in ((), (Ellipsis,)):
            return self._of_row(get_args(annotation))
        if container is not None:
            return self._of_items(container, parameters_of(annotation, 1)[0])
        name = getattr(annotation, "__qualname__", None) or str(annotation)
        raise SchemaClassError(f"nothing in a file can become {name}")

    def _of_class(self, cls: Any, fields: Sequence[Field]) -> Read:
        readers = [(field, self._of_field(cls, field)) for field in fields]
        make = dict if hasattr(cls, "__total__") else cls
        is_row = issubclass(cls, tuple)

        def read(value: Any) -> Any:
            if is_row and is_list(value) and len(value) <= len(readers):
                value = {field.key: part for (field, _), part in zip(readers, value, strict=False)}
            if not is_dict(value):
                raise _misfit("a mapping", value)
            given: dict[str, Any] = {}
            problems: list[Problem] = []
            for field, inner in readers:
                if field.key in value:
                    with _Below(field.key, problems):
                        given[field.name] = inner(value[field.key])
                elif field.required:
                    problems.append(Problem("is missing", key_path=(field.key,)))
            if problems:
                raise SchemaError(*problems)
            return _constructed(make, given, value)

        return read

    def _of_field(self, cls: Any, field: Field) -> Read:
        if field.converts:
            return _anything
        try:
            return self._reader(field.annotation)
        except SchemaClassError as error:
            reason = str(error)
        if field.required:
            raise SchemaClassError(f"field {field.name} of {cls.__qualname__}: {reason}")
        return _refusing(reason)

    def _of_mapping(self, of_key: Any, of_value: Any) -> Read:
        read_typed, read_part = self._reader(of_key), self._reader(of_value)

        def read_key(key: Any) -> Any:
            """Read a key, which is text in JSON and TOML whatever it stands for."""
            if isinstance(key, str):
                with suppress(NoMeaningError):
                    return read_typed(meaning_of(of_key, Untyped(key)))
            return read_typed(key)

        def read(value: Any) -> Any:
            if not is_dict(value):
                raise _misfit("a mapping", value)
            made: dict[Any, Any] = {}
            problems: list[Problem] = []
            for key, part in value.items():
                with _Below(key, problems, "as a key "):
                    known_as = read_key(key)
                    with _Below(key, problems):
                        made[known_as] = read_part(part)
            if problems:
                raise SchemaError(*problems)
            return made

        return read

    def _of_items(self, container: Callable[[list[Any]], Any], of_item: Any) -> Read:
        read_item = self._reader(of_item)

        def read(value: Any) -> Any:
            if not is_list(value):
                raise _misfit("a list", value)
            items = _items(value, [read_item] * len(value))
            return items if container is list else _constructed(container, items, value)

        return read

    def _of_row(self, of_items: tuple[Any, ...]) -> Read:
        readers = [self._reader(one) for one in of_items if one != ()]

        def read(value: Any) -> Any:
            if not is_list(value):
                raise _misfit("a list", value)
            if len(value) != len(readers):
                raise SchemaError(Problem(f"should have {len(readers)} items"))
            return tuple(_items(value, readers))

        return read


class _Below:
    """Collects what is wrong with the part at a key, below that key."""

    __slots__ = ("_key", "_problems", "_words")

    def __init__(self, key: object, problems: list[Problem], words: str = "") -> None:
        self._key, self._problems, self._words = key, problems, words

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: object, trace: object) -> bool:
        if not isinstance(error, SchemaError):
            return False
        key: Key = self._key if isinstance(self._key, str | int) else str(self._key)
        self._problems += [
            replace(one, reason=self._words + one.reason, key_path=(key, *one.key_path))
            for one in error.problems
        ]
        return True


def _items(values: Sequence[Any], readers: Sequence[Read]) -> list[Any]:
    made: list[Any] = []
    problems: list[Problem] = []
    for index, (value, read) in enumerate(zip(values, readers, strict=True)):
        with _Below(index, problems):
            made.append(read(value))
    if problems:
        raise SchemaError(*problems)
    return made


def _anything(value: Any) -> Any:
    return plain(value)  # code of the class's own may change what it is given


def _of_scalar(scalar: Scalar) -> Read:
    noun, read = scalar.noun, scalar.read

    def reading(value: Any) -> Any:
        try:
            return read(value)
        except Exception:  # whatever a class of the standard library raises for what it cannot read
            pass
        raise _misfit(noun, value)

    return reading


def _of_values(values: dict[Any, Any]) -> Read:
    *first, last = [repr(one) for _, one in values] or ["nothing"]
    wanted = f"should be {' or '.join(filter(None, [', '.join(first), last]))}"
    if len(values) > _NAMED_VALUES:
        wanted = "is not one of the values allowed here"

    def read(value: Any) -> Any:
        try:
            return values[typed(value)]
        except (KeyError, TypeError):
            pass
        raise SchemaError(Problem(wanted))

    return read


def _either(members: Sequence[Any], reads: Sequence[Read]) -> Read:
    """Return what reads the first member that a value fits, its own type before any other."""
    exact = dict(zip(members, reads, strict=True)) if all(map(_is_hashable, members)) else {}

    def read(value: Any) -> Any:
        own = exact.get(type(value))
        problems: list[Problem] = []
        for one in reads if own is None else [own, *reads]:
            try:
                return one(value)
            except SchemaError as error:
                problems += error.problems
        deeper = [problem for problem in problems if problem.key_path]
        raise SchemaError(*(deeper or tidy(problems)))

    return read


def _is_hashable(annotation: object) -> bool:
    try:
        hash(annotation)
    except TypeError:
        return False
    return True


def _tell_apart(annotation: Any, members: Sequence[Any]) -> None:
    """Refuse a union of two classes that a file writes alike."""
    for found in (
        [one for one in members if class_fields(one) is not None or container_of(one) is dict],
        [one for one in members if container_of(one) not in (None, dict)],
    ):
        if len(found) > 1:
            names = " and ".join(getattr(one, "__qualname__", str(one)) for one in found)
            raise SchemaClassError(f"{names} look alike in a file: a union takes one of them")


def _checked(read: Read, checks: Sequence[Check]) -> Read:
    def reading(value: Any) -> Any:
        made = read(value)
        for check in checks:
            try:
                problem = check(made)
            except TypeError:  # null where `int | None` has a bound
                continue
            if problem is not None:
                raise SchemaError(Problem(problem))
        return made

    return reading


def _refusing(reason: str) -> Read:
    def read(value: Any) -> NoReturn:
        raise SchemaError(Problem(reason))

    return read


def _constructed(make: Callable[..., Any], given: Any, value: object) -> Any:
    """Call a class, whose own code may refuse what it is given."""
    try:
        return make(**given) if is_dict(given) else make(given)
    except Exception as error:
        problem = Problem(foreign_reason(error, Scrubber(value)))
    raise SchemaError(problem)


def _misfit(wanted: str, value: object) -> SchemaError:
    return SchemaError(Problem(mismatch(wanted, noun_of(value))))
