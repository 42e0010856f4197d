"""Takes the merged plain tree and gives the validated, frozen configuration, or all its problems.

A schema is a frozen pydantic model, msgspec struct or dataclass, a callable, or nothing. What it
is made of is checked once, when it is given; a library is imported only for classes of its own.
Problems name the file's own keys and never quote a value; where a key stands, the loader knows.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any, Generic, TypeAlias, TypeVar, get_origin, overload

from .._config.containers import plain
from .._config.freeze import FrozenDict, freeze
from .._config.model_fields import Kind, kind_of
from .._runtime.foreign import placed
from ..exceptions import SchemaClassError, SchemaError
from ..types import KeyPath, Pause, Problem, Tree, no_pause
from .annotations import check_immutable, check_result, has_field
from .messages import foreign_problem

__all__ = ["Schema", "schema_of"]

T = TypeVar("T")
Validate: TypeAlias = Callable[[Tree], Any]


class Schema(Generic[T]):
    """How a tree becomes a configuration of type T."""

    def __init__(self, validate: Validate, annotation: object) -> None:
        self._validate = validate
        self.annotation = annotation

    @property
    def is_plain(self) -> bool:
        """Tell whether there is nothing to validate: the configuration is the frozen tree."""
        return self._validate is _unchanged

    @property
    def converts_text(self) -> bool:
        """Tell whether `Untyped` text becomes what its field's type says, so that it may stay."""
        return False

    def convert(self, tree: Tree, previous: object = None, pause: Pause = no_pause) -> T:
        """Give the validated configuration, frozen, sharing with `previous` what did not change.

        The tree is left as it is. Raises SchemaError with a problem for each thing that is wrong.
        """
        valid = self.validate(tree)
        try:
            return freeze(valid, previous, pause)
        except RecursionError:
            pass
        raise SchemaError(Problem("what the schema made contains itself, or nests too deeply"))

    def validate(self, tree: Tree) -> T:
        """Give the validated configuration that is still to be frozen; else do as `convert`."""
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
        """Tell whether the validated configuration has such a field; None when it depends."""
        return has_field(self.annotation, path)


@overload
def schema_of(schema: None) -> Schema[FrozenDict]: ...
@overload
def schema_of(schema: type[T]) -> Schema[T]: ...
@overload
def schema_of(schema: Callable[[Tree], T]) -> Schema[T]: ...
def schema_of(schema: object) -> Schema[Any]:
    """Give the schema that a class, a callable or None stands for.

    Raises SchemaClassError for a class whose instances could be changed, for one that nothing
    installed converts to, and for what is no schema at all.
    """
    if schema is None:
        return Schema(_unchanged, Any)
    cls = get_origin(schema) or schema
    kind = kind_of(cls) if isinstance(cls, type) else None
    if kind is not None:
        return Schema(_validator(schema, kind, check_immutable(schema)), schema)
    if callable(schema):
        return Schema(_called(schema), Any)
    raise SchemaClassError(
        "a schema is a frozen pydantic model, msgspec struct or dataclass, or a callable, "
        f"not {type(schema).__name__}"
    )


def _unchanged(tree: Tree) -> Tree:
    return tree


def _called(schema: Callable[[Any], Any]) -> Validate:
    def validate(tree: Tree) -> Any:
        try:
            made = schema(plain(tree))
        except SchemaError:
            raise
        except Exception as error:
            raise SchemaError(foreign_problem(error, tree, placed(error))) from None
        try:
            check_result(made)
        except SchemaClassError as error:
            raise SchemaError(Problem(str(error))) from None
        return made

    return validate


def _validator(schema: Any, kind: Kind, inside: set[Kind]) -> Validate:
    if Kind.PYDANTIC in inside:
        return _with_pydantic(schema)
    if kind is Kind.MSGSPEC or _installed("msgspec"):
        return _with_msgspec(schema)
    if _installed("pydantic"):
        return _with_pydantic(schema)
    raise SchemaClassError(
        f"nothing installed converts to the dataclass {schema.__qualname__}: "
        "`pip install reloadcheck[msgspec]` or `pip install reloadcheck[pydantic]`"
    )


def _installed(name: str) -> bool:
    try:
        import_module(name)
    except ImportError:
        return False
    return True


def _with_pydantic(schema: object) -> Validate:
    from .with_pydantic import PydanticValidator  # an application has one of them, or none

    return PydanticValidator(schema)


def _with_msgspec(schema: object) -> Validate:
    from .with_msgspec import MsgspecValidator

    return MsgspecValidator(schema)
