"""Tell what `schema=` is, and give a merged tree to whoever reads such a class.

That is one of `with_pydantic`, `with_msgspec`, `with_json_schema` and `with_own_rules`. A schema is
a frozen pydantic model, msgspec struct, attrs class or dataclass, a function, or nothing. What it
is made of is checked once, when it is given. Who reads it follows from the class alone, never from
what else is installed: pydantic its models, msgspec its structs, and this package attrs classes and
dataclasses. Problems name the file's own keys and never quote a value; where a key stands, the
loader knows.
"""

from collections.abc import Callable
from inspect import signature
from types import UnionType
from typing import Any, Generic, TypeAlias, TypeVar, cast, get_origin, overload

from .._config.containers import plain
from .._config.freeze import FrozenDict, freeze
from .._config.model_fields import Kind, kind_of
from .._runtime.foreign import placed
from ..exceptions import SchemaClassError, SchemaError
from ..types import KeyPath, Pause, Problem, Tree, key_path_text, no_pause
from .annotations import members_of, owner_of
from .field_paths import fields_of, has_field
from .immutable import check_immutable, check_result
from .messages import foreign_problem
from .settings_classes import object_that_reads
from .spellings import spellings

__all__ = ["Schema", "schema_of"]

T = TypeVar("T")
Validate: TypeAlias = Callable[[Tree], Any]


class Schema(Generic[T]):
    """How a tree becomes a configuration of type T; `reader` names who makes it.

    That is `pydantic`, `msgspec`, `reloadcheck`, `jsonschema`, `function`, or `none` without a
    schema. `given` is what the application gave.
    """

    def __init__(
        self, validate: Validate, annotation: object, reader: str, given: object = None
    ) -> None:
        self._validate = validate
        self._annotation = annotation
        self.reader = reader
        self.given = given

    @property
    def annotation(self) -> Any:
        """Return the type of the configuration; of a JSON Schema once its file is read."""
        given: Any = self.given
        return given.annotation if _is_json_schema(given) else self._annotation

    @property
    def is_plain(self) -> bool:
        """Return whether there is nothing to validate: the configuration is the frozen tree."""
        return self._validate is _unchanged

    def convert(self, tree: Tree, previous: object = None, pause: Pause = no_pause) -> T:
        """Return the validated configuration, frozen, sharing with `previous` what did not change.

        The tree is left as it is. Raises SchemaError with a problem for each thing that is wrong.
        """
        valid = self.validate(tree)
        try:
            return freeze(valid, previous, pause)
        except RecursionError:
            pass
        raise SchemaError(Problem("what the schema made contains itself, or nests too deeply"))

    def validate(self, tree: Tree) -> T:
        """Return the validated configuration that is still to be frozen; else do as `convert`."""
        problems: tuple[Problem, ...]
        try:
            valid: T = self._validate(tree)
        except SchemaError as error:
            problems = error.problems
        except Exception as error:
            problems = (foreign_problem(error, tree),)
        else:
            return valid
        # Raised out here, so that it does not carry the library's error, which quotes the input.
        raise SchemaError(*problems)

    def field(self, path: KeyPath) -> bool | None:
        """Return whether the validated configuration has such a field; None when it depends."""
        return has_field(self._annotation, path)

    def missing(self, path: KeyPath) -> str | None:
        """Return that it has no such field, and which was meant; None where it has, or might."""
        depth = next((n for n in range(1, len(path) + 1) if self.field(path[:n]) is False), None)
        if depth is None:
            return None
        return f"the schema has no field {key_path_text(path)}{self._meant(path, depth)}"

    def meant(self, path: KeyPath) -> str:
        """Return which key was meant by a path that no file may spell, as the end of a sentence."""
        depths = range(1, len(path) + 1)
        return self._meant(path, next((n for n in depths if not self.spelled(path[:n])), 0))

    def _meant(self, path: KeyPath, depth: int) -> str:
        from difflib import get_close_matches  # which only a mistake needs

        around = path[: depth - 1]
        close = get_close_matches(str(path[depth - 1]), self.fields(around), 1) if depth else []
        return f"; did you mean {key_path_text((*around, close[0]))}?" if close else ""

    def spelled(self, path: KeyPath) -> tuple[KeyPath, ...]:
        """Return how a file may spell a key path, also one with `*` steps; none for no such key."""
        return spellings(self.annotation, path)

    def fields(self, path: KeyPath) -> tuple[str, ...]:
        """Return the names of the fields that are known at a key path."""
        found: list[Any] = [*members_of(self._annotation)]
        for key in path:
            inner = [fields_of(one).get(str(key)) for one in found]
            found = [member for one in inner if one is not None for member in members_of(one)]
        return tuple(name for one in found for name in fields_of(one))


@overload
def schema_of(schema: None) -> Schema[FrozenDict]: ...
@overload
def schema_of(schema: type[T]) -> Schema[T]: ...
@overload
def schema_of(schema: Callable[[Tree], T]) -> Schema[T]: ...
def schema_of(schema: object) -> Schema[Any]:
    """Return the schema that a class, a callable or None stands for.

    Raises SchemaClassError for a class whose instances could be changed, for one that nothing
    installed converts to, and for what is no schema at all.
    """
    if schema is None:
        return Schema(_unchanged, Any, "none")
    if (instead := object_that_reads(schema)) is not None:
        raise SchemaClassError(instead)
    cls = get_origin(schema) or schema
    if isinstance(cls, type) and kind_of(cls) is not None:
        reader = _reader_of(schema, check_immutable(schema))
        return Schema(
            _validator(schema, reader), schema, reader.value if reader else "reloadcheck", schema
        )
    if isinstance(cls, type) and cls is not UnionType:
        raise _no_schema(cls)
    if _is_json_schema(schema):
        return Schema(cast("Validate", schema), Any, "jsonschema", schema)
    if callable(schema) and get_origin(schema) is None:
        _check_parameters(schema)
        return Schema(_called(schema), Any, "function")
    what = type(schema).__name__ if get_origin(schema) is None else str(schema)
    raise SchemaClassError(f"{_SCHEMAS}, not {what}")


_SCHEMAS = (
    "a schema is a frozen pydantic model, msgspec struct, attrs class or dataclass, or a function"
)


def _is_json_schema(schema: object) -> bool:
    """Return whether it is a `JSONSchema`, whose module only those who use one have imported."""
    return getattr(type(schema), "is_json_schema", False) is True


def _no_schema(cls: type) -> SchemaClassError:
    """Return what to write instead of a class that maps no keys to fields."""
    name = cls.__qualname__
    if cls.__module__ == "builtins":
        return SchemaClassError(f"{_SCHEMAS}, not the class {name}")
    return SchemaClassError(
        f"{_SCHEMAS}, and {name} is none of them: write `@dataclass(frozen=True)` above it, or "
        f"`schema=lambda tree: {name}(…)` to make one of the configuration's keys"
    )


def _check_parameters(schema: Callable[..., Any]) -> None:
    """Refuse a function that cannot be called with the tree, as `get_settings()` cannot."""
    try:
        parameters = signature(schema)
    except (TypeError, ValueError):  # a builtin does not tell
        return
    try:
        parameters.bind({})
    except TypeError:
        name = getattr(schema, "__name__", type(schema).__name__)
        raise SchemaClassError(
            f"a schema function is called with the configuration as a mapping, as in "
            f"`def {name}(tree): …`, and {name}{parameters} does not take that; a function that "
            "fetches its settings by itself becomes sources and a frozen class, as in "
            '`ReloadCheck("config.yaml", EnvironSource("APP"), schema=Settings)`'
        ) from None


def _unchanged(tree: Tree) -> Tree:
    return tree


def _called(schema: Callable[[Any], Any]) -> Validate:
    def validate(tree: Tree) -> Any:
        try:
            made = schema(plain(tree))
        except SchemaError:
            raise
        except Exception as error:
            raise SchemaError(*_problems(error, tree)) from None
        try:
            check_result(made)
        except SchemaClassError as error:
            raise SchemaError(Problem(str(error))) from None
        return made

    return validate


def _problems(error: Exception, tree: Tree) -> list[Problem]:
    """Return what a function that is the schema found wrong, or a model inside it."""
    kind = type(error)
    if kind.__name__ == "ValidationError" and kind.__module__.startswith("pydantic_core"):
        from .with_pydantic import problems_of_function  # it is imported already

        return problems_of_function(error, tree, placed(error))
    return [foreign_problem(error, tree, placed(error))]


def _reader_of(schema: Any, inside: set[Kind]) -> Kind | None:
    """Return whose rules hold for a class that holds others; None for those of this package."""
    owner = owner_of(schema)
    return Kind.PYDANTIC if owner is Kind.MSGSPEC and Kind.PYDANTIC in inside else owner


def _validator(schema: Any, reader: Kind | None) -> Validate:
    if reader is Kind.PYDANTIC:
        from .with_pydantic import PydanticValidator  # an application has one of them, or none

        return PydanticValidator(schema)
    if reader is Kind.MSGSPEC:
        from .with_msgspec import MsgspecValidator

        return MsgspecValidator(schema)
    from .with_own_rules import AnnotationValidator

    return AnnotationValidator(schema, _validator)
