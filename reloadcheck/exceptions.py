"""Every error that reloadcheck raises, as one tree.

::

    ReloadCheckError
    ├── UsageError                  a mistake in the program that uses reloadcheck
    │   ├── OptionError             an option or a RELOAD_CHECK_ variable with an impossible value
    │   ├── RegistrationError       a resource that cannot be registered as written
    │   ├── SchemaClassError        a schema class that cannot be used, a mutable one for example
    │   ├── OrderRefusedError       an operator's order that somebody or something stands against
    │   ├── NoSnapshotError         there is no snapshot yet
    │   │   └── OutsideWorkError    asked for the current snapshot outside a unit of work
    │   ├── UnknownResourceError    a resource that the snapshot does not have
    │   ├── BlockingCallError       a blocking call in the thread of the event loop it waits for
    │   ├── WrongLoopError          an async resource read in a loop other than its own
    │   ├── LeaseUsedError          a lease taken a second time
    │   ├── CopyError               an engine, a handle or a snapshot pickled or copied
    │   └── InterpreterError        an engine started in an interpreter that cannot run one
    ├── ConfigError                 the configuration cannot be used; keeps its `problems`
    │   ├── SourceError             not for the moment: missing, unreadable, empty, too large
    │   │   ├── TornError           it changed while it was being read
    │   │   ├── UnsettledError      it keeps changing
    │   │   ├── HangingError        reading it has not returned
    │   │   └── DrainError          the edit waits for an old instance to drain
    │   ├── ConfigSyntaxError       it does not parse
    │   ├── MergeError              two sources disagree about what is a mapping
    │   ├── SchemaError             it parses and is not valid
    │   ├── ContractError           the contract cannot be used as it is written
    │   ├── RefusedError            a rule, a contract or an order stands against it
    │   ├── ResourceError           something that depends on it cannot be built
    │   │   ├── FactoryError        the factory raised
    │   │   ├── ProbeError          the probe said no
    │   │   └── ResourceTimeoutError  factory or probe took longer than `timeout`
    │   │       └── StillRunningError   an earlier call has not returned; it is not called again
    │   └── InternalError           a mistake of this package
    ├── StoreError                  what processes share cannot be had
    │   ├── StoreLostError          not for the moment, and nothing was written
    │   │   └── StoreRefusedError   never, until somebody puts it right
    │   └── StoreUnsureError        the answer was lost: something may have been written
    └── ResourceClosedError         read after its snapshot was closed at the drain deadline

Errors keep their data as attributes and build their sentence from them. No sentence quotes a value
of the configuration, and none carries a foreign exception whose text might.

What Python itself raises for its syntax stays Python's: `KeyError` for a key that is not there,
`TypeError` for an assignment to what is frozen, or for a subclass of what cannot have one.

Long because the tree is whole, so that nobody has to look elsewhere for an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .types import Code, KeyPath, Problem

if TYPE_CHECKING:
    pass


__all__ = [
    "BlockingCallError",
    "ConfigError",
    "ConfigSyntaxError",
    "ContractError",
    "CopyError",
    "DrainError",
    "FactoryError",
    "HangingError",
    "InternalError",
    "InterpreterError",
    "LeaseUsedError",
    "MergeError",
    "NoSnapshotError",
    "OptionError",
    "OrderRefusedError",
    "OutsideWorkError",
    "ProbeError",
    "RefusedError",
    "RegistrationError",
    "ReloadCheckError",
    "ResourceClosedError",
    "ResourceError",
    "ResourceTimeoutError",
    "SchemaClassError",
    "SchemaError",
    "SourceError",
    "StillRunningError",
    "StoreError",
    "StoreLostError",
    "StoreRefusedError",
    "StoreUnsureError",
    "TornError",
    "UnknownResourceError",
    "UnsettledError",
    "UsageError",
    "WrongLoopError",
]


class ReloadCheckError(Exception):
    """The root of all errors of this package; `code` is the stable name of the way to fail."""

    code: str = Code.USAGE


class UsageError(ReloadCheckError):
    """A mistake in the program; the sentence names the line to add or to change."""


class OptionError(UsageError):
    """An option, or the environment variable that overrides it, has an impossible value."""


class RegistrationError(UsageError):
    """A resource cannot be registered as written."""


class SchemaClassError(UsageError):
    """A schema cannot be used: it is mutable, or what converts to it is not installed."""


class OrderRefusedError(UsageError):
    """An order cannot be given: another's pin, a ban, an edition that is not there."""


class NoSnapshotError(UsageError, LookupError, RuntimeError):
    """There is no snapshot yet; `live.start()` or a unit of work makes one."""


class OutsideWorkError(NoSnapshotError):
    """The current snapshot was asked for outside a unit of work, or after it had ended.

    A `RuntimeError` too, because that is how context-local proxies tell that they are unbound.
    """


class UnknownResourceError(UsageError, KeyError):
    """A resource was asked for that the snapshot's engine does not have."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class BlockingCallError(UsageError, RuntimeError):
    """A blocking call was made in the thread of the event loop that would have to answer it."""


class WrongLoopError(UsageError, RuntimeError):
    """An async resource was read in an event loop other than the one that built it."""


class LeaseUsedError(UsageError, RuntimeError):
    """A lease was taken a second time; each is one unit of work."""


class CopyError(UsageError, TypeError):
    """An engine, a handle or a snapshot was pickled or copied; it belongs to a process."""


class InterpreterError(UsageError, RuntimeError):
    """An engine was started in a sub-interpreter with a lock of its own, which cannot run one."""


class ConfigError(ReloadCheckError):
    """The configuration cannot be used, for the reasons in `problems` (at least one).

    `path`, `line`, `column`, `key_path` and `reason` are those of the first problem.
    """

    code: str = Code.CONFIG

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*problems)
        self.problems = problems

    @property
    def path(self) -> str | None:
        """Return the file or variable of the first problem."""
        return self.problems[0].path

    @property
    def line(self) -> int | None:
        """Return the line of the first problem, from 1."""
        return self.problems[0].line

    @property
    def column(self) -> int | None:
        """Return the column of the first problem, from 1."""
        return self.problems[0].column

    @property
    def key_path(self) -> KeyPath:
        """Return the key path of the first problem; empty when it concerns the whole document."""
        return self.problems[0].key_path

    @property
    def reason(self) -> str:
        """Return the first problem's reason alone."""
        return self.problems[0].reason

    def __str__(self) -> str:
        return "; ".join(str(problem) for problem in self.problems)


class SourceError(ConfigError):
    """A source cannot be used for the moment: missing, unreadable, empty or too large."""

    code = Code.SOURCE_UNREADABLE


class TornError(SourceError):
    """A source changed while it was being read."""

    code = Code.TORN


class UnsettledError(SourceError):
    """A source keeps changing, so that it is never quiet."""

    code = Code.UNSETTLED


class HangingError(SourceError):
    """Reading a source has not returned, as on a disk that hangs."""

    code = Code.HANGING


class DrainError(SourceError):
    """An edit waits for an old instance of a resource to drain."""

    code = Code.DRAIN


class ConfigSyntaxError(ConfigError):
    """A document does not parse, or holds what no configuration may hold."""

    code = Code.SYNTAX


class MergeError(ConfigError):
    """A later source puts a mapping where an earlier one has something else, or the reverse."""

    code = Code.MERGE


class SchemaError(ConfigError):
    """The merged configuration does not fit the schema."""

    code = Code.SCHEMA


class ContractError(ConfigError):
    """A contract cannot be used as it is written; told at the start, all of it at once."""

    code = Code.CONTRACT


class RefusedError(ConfigError):
    """A rule, a contract or an order stands against the edit; `code` says which."""

    def __init__(self, *problems: Problem, code: str) -> None:
        super().__init__(*problems)
        self.code = code

    def __reduce__(self) -> tuple[object, ...]:
        return (_restore_refused_error, (self.problems, self.code))


class ResourceError(ConfigError):
    """A resource cannot be built; `resource` is its name."""

    code = Code.RESOURCE

    def __init__(self, *problems: Problem, resource: str) -> None:
        super().__init__(*problems)
        self.resource = resource

    def __reduce__(self) -> tuple[object, ...]:
        return (_restore_resource_error, (type(self), self.problems, self.resource))


class FactoryError(ResourceError):
    """A factory raised."""

    code = Code.FACTORY


class ProbeError(ResourceError):
    """A probe raised, or returned False."""

    code = Code.PROBE


class ResourceTimeoutError(ResourceError):
    """A factory or probe took longer than its `timeout`."""

    code = Code.TIMEOUT


class StillRunningError(ResourceTimeoutError):
    """An earlier, abandoned call for this resource has not returned; it is not called again."""


class InternalError(ConfigError):
    """A mistake of this package, met while it looked at the configuration."""

    code = Code.INTERNAL


class ResourceClosedError(ReloadCheckError):
    """A resource was read after it was closed.

    The unit of work has ended, has outlived the drain deadline, or had not read it before an edit
    needed its place.
    """

    code = Code.FORCED_CLOSE


class StoreError(ReloadCheckError):
    """What several processes share cannot be had; serving goes on without it."""

    code = Code.STORE


class StoreLostError(StoreError):
    """A store does not answer for the moment: locked, full, gone. Nothing was written."""


class StoreRefusedError(StoreLostError):
    """A store cannot be used as it is: a link, another's database, a newer schema."""


class StoreUnsureError(StoreError):
    """A store's answer was lost; look again, since what was asked for may have been written."""


def __getattr__(name: str) -> type[ReloadCheckError]:
    """Answer to the name that an error had before, for one release."""
    if name == "NotStartedError":
        import warnings

        words = "NotStartedError is called NoSnapshotError now"
        warnings.warn(words, DeprecationWarning, stacklevel=2)
        return NoSnapshotError
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _restore_refused_error(problems: tuple[Problem, ...], code: str) -> RefusedError:
    return RefusedError(*problems, code=code)


def _restore_resource_error(
    kind: type[ResourceError], problems: tuple[Problem, ...], resource: str
) -> ResourceError:
    return kind(*problems, resource=resource)
