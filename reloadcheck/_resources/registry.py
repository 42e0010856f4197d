"""The handles that `live.resource` registers: each factory, what it depends on, and their order.

Takes functions, gives handles in an order in which each stands after what it needs. Calls nothing
of what it is given.
"""

import inspect
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Self, TypeVar, cast

from .._config.key_path import key_path_of
from .._schema.schema import Schema
from ..exceptions import CopyError, RegistrationError, UsageError
from ..types import KeyPath, key_path_text, printable

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class FactoryKind(Enum):
    """How a factory makes its resource."""

    PLAIN = "plain"
    GENERATOR = "generator"
    COROUTINE = "coroutine"
    ASYNC_GENERATOR = "async generator"


@dataclass(frozen=True, eq=False, repr=False)
class Resource(Generic[T_co]):
    """The handle of a registered resource: `snapshot[handle]` gives the object, typed.

    Times are in seconds; `drain=None` means the engine's. Without `config` it is built from what it
    needs alone.
    """

    name: str
    paths: tuple[KeyPath, ...]
    needs: tuple["Resource[Any]", ...]
    factory: Callable[..., Any] = field(repr=False)
    probe: Callable[[Any], Any] | None
    timeout: float
    drain: float | None
    kind: FactoryKind
    config: bool = True
    max_age: float | None = None
    rebuild_after: int | None = None

    if not TYPE_CHECKING:  # or every attribute would look as if it were there

        def __getattr__(self, name: str) -> Any:
            raise AttributeError(
                f"a resource's handle has no {name!r}: snapshot[handle] gives what was built",
                name=name,
                obj=self,
            )

    def __repr__(self) -> str:
        return f"<resource {self.name}>"

    def __copy__(self) -> Self:
        return self  # as a function: another one would be no handle of any engine

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise CopyError(
            f"the handle of resource {self.name!r} cannot be pickled: pass nothing, and let the "
            "other process import the module that registers it"
        )

    @property
    def key_paths(self) -> tuple[KeyPath, ...]:
        """Return the places of the values that its factory is called with; `()` is the whole."""
        return self.paths or (((),) if self.config else ())

    @property
    def is_async(self) -> bool:
        """Return whether it is built in the home loop."""
        return self.kind in (FactoryKind.COROUTINE, FactoryKind.ASYNC_GENERATOR)

    @property
    def needs_loop(self) -> bool:
        """Return whether it cannot be built without an event loop, for itself or for its probe."""
        return self.is_async or (self.probe is not None and is_coroutine(self.probe))


class Registry:
    """The resources of one engine, each after the ones it needs."""

    def __init__(self, schema: Schema[Any]) -> None:
        self._schema = schema
        self.library: str | None = None
        """The async library, not asyncio, that the application was seen to run under."""
        self._resources: dict[str, Resource[Any]] = {}

    def __iter__(self) -> Iterator[Resource[Any]]:
        return iter(self._resources.values())

    def __contains__(self, resource: object) -> bool:
        return any(resource is known for known in self)

    @property
    def needs_loop(self) -> bool:
        """Return whether any resource needs an event loop."""
        return any(resource.needs_loop for resource in self)

    def add(
        self,
        factory: Callable[..., Any],
        paths: Iterable[KeyPath],
        needs: Iterable[Resource[Any]],
        probe: Callable[[Any], Any] | None,
        timeout: float,
        drain: float | None,
        name: str | None,
        *,
        config: bool = True,
        max_age: float | None = None,
        rebuild_after: int | None = None,
    ) -> Resource[Any]:
        """Register a factory; raise `RegistrationError` for what could never work.

        A cycle cannot be written: `needs` takes handles, and a handle exists only once it is
        registered with all that it needs.
        """
        _check_options(factory, needs, probe)
        name = name if name is not None else getattr(factory, "__name__", "")
        if not name:
            raise RegistrationError("the factory has no name: add name=… to live.resource(…)")
        if name in self._resources:
            raise RegistrationError(f"resource {name!r} is registered already: add name=…")
        resource = Resource[Any](
            name=name,
            paths=tuple(paths),
            needs=tuple(needs),
            factory=factory,
            probe=probe,
            timeout=_positive(name, "timeout", timeout),
            drain=None if drain is None else _positive(name, "drain", drain, zero=True),
            kind=_kind(factory),
            config=config,
            max_age=None if max_age is None else _positive(name, "max_age", max_age),
            rebuild_after=_count(name, rebuild_after, probe),
        )
        self._check(resource)
        self._resources[name] = resource
        return resource

    def _check(self, resource: Resource[Any]) -> None:
        if resource.paths and not resource.config:
            raise RegistrationError(
                f"resource {resource.name!r}: config=False means that it is built from what it "
                "needs alone; leave out the paths, or config=False"
            )
        for need in resource.needs:
            if need not in self:
                shown = getattr(need, "name", type(need).__name__)
                raise RegistrationError(
                    f"resource {resource.name!r} needs {shown!r}, which is not a handle that this "
                    "engine's live.resource(…) returned before (needs that form a cycle cannot be)"
                )
        for path in resource.paths:
            missing = self._schema.missing(path)
            if missing is not None:
                raise RegistrationError(f"resource {resource.name!r}: {missing}")
        count = len(resource.key_paths) + len(resource.needs)
        try:
            signature = inspect.signature(resource.factory)
        except (TypeError, ValueError):  # some built-in types do not tell
            return
        try:
            signature.bind(*[None] * count)
        except TypeError:
            raise RegistrationError(f"resource {resource.name!r}: {_called(resource)}") from None


def _called(resource: Resource[Any]) -> str:
    """Say how a factory is called that cannot be called so."""
    given = [key_path_text(path) or "config" for path in resource.key_paths]
    given = [one.rsplit(".", 1)[-1] for one in given]
    call = f"{resource.name}({', '.join([*given, *(need.name for need in resource.needs)])})"
    if resource.paths:
        return f"it is called as `{call}`, with the values at its paths and then its needs"
    if not resource.config:
        return f"it is called as `{call}`, with its needs alone"
    return (
        f"no path is named, so it is called as `{call}`; name paths, take `config` first, or say "
        "config=False"
    )


def as_key_path(path: object) -> KeyPath:
    """Return the keys of a path; raise `RegistrationError` for what is none."""
    if not isinstance(path, str | tuple):
        raise RegistrationError(
            "a path is dotted, like 'database.url', or a tuple of keys; without a path, write "
            "@live.resource() with its parentheses"
        )
    wrong = "a path is dotted, like 'database.url' or 'hosts[1].name', or a tuple of keys"
    if isinstance(path, tuple):
        keys = cast("KeyPath", path)
        if not keys or not all(key != "" for key in keys):
            raise RegistrationError(wrong)
        return keys
    try:
        return key_path_of(path)
    except UsageError:
        raise RegistrationError(f"{wrong}, not {printable(path)!r}") from None


def _positive(name: str, option: str, value: Any, *, zero: bool = False) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or value < 0 or (value == 0 and not zero):
        raise RegistrationError(f"resource {name!r}: {option} must be a positive number of seconds")
    return float(value)


def _count(name: str, number: Any, probe: object) -> int | None:
    if number is None:
        return None
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise RegistrationError(
            f"resource {name!r}: rebuild_after must be a number of failed probes, 1 or more"
        )
    if probe is None:
        raise RegistrationError(f"resource {name!r}: rebuild_after needs a probe: add probe=…")
    return number


def _check_options(factory: object, needs: object, probe: object) -> None:
    if not callable(factory):
        raise RegistrationError("live.resource(…) decorates a function that builds the resource")
    if isinstance(needs, Resource) or not isinstance(needs, Iterable):
        raise RegistrationError("needs takes a list of handles: needs=[db]")
    if probe is not None and not callable(probe):
        raise RegistrationError("probe takes a function that is called with what was built")


def is_coroutine(function: Callable[..., Any]) -> bool:
    """Return whether a call gives a coroutine; a class never does, whatever its instances do."""
    return not inspect.isclass(function) and any(
        inspect.iscoroutinefunction(candidate)
        for candidate in (function, getattr(function, "__call__", None))  # noqa: B004
    )


def _kind(factory: Callable[..., Any]) -> FactoryKind:
    if inspect.isasyncgenfunction(factory):
        return FactoryKind.ASYNC_GENERATOR
    if inspect.isgeneratorfunction(factory):
        return FactoryKind.GENERATOR
    if is_coroutine(factory):
        return FactoryKind.COROUTINE
    return FactoryKind.PLAIN
