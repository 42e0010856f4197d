"""Live configuration for Python web applications.

Each request works on one frozen snapshot; a bad edit never reaches one; what depends on the edited
part is rebuilt beside the old, which closes when its last user is done. Importing this loads no
framework and starts nothing.
"""

from typing import TYPE_CHECKING, Any

from ._config.freeze import FrozenDict
from ._config.plain import plain
from ._engine.api import ReloadCheck
from ._engine.decorator import reload_check
from ._observe.events import ReloadEvent
from ._resources.registry import Resource
from ._snapshots.context import current_snapshot
from ._snapshots.lease import Lease
from ._snapshots.snapshot import Snapshot
from .exceptions import (
    BlockingCallError,
    ConfigError,
    ConfigSyntaxError,
    ContractError,
    CopyError,
    DrainError,
    FactoryError,
    HangingError,
    InternalError,
    InterpreterError,
    MergeError,
    NoSnapshotError,
    OptionError,
    OrderRefusedError,
    OutsideWorkError,
    ProbeError,
    RefusedError,
    RegistrationError,
    ReloadCheckError,
    ResourceClosedError,
    ResourceError,
    ResourceTimeoutError,
    SchemaClassError,
    SchemaError,
    SourceError,
    StillRunningError,
    StoreError,
    StoreLostError,
    StoreRefusedError,
    StoreUnsureError,
    TornError,
    UnknownResourceError,
    UnsettledError,
    UsageError,
    WrongLoopError,
)
from .sources import FileSource
from .types import (
    Code,
    Diff,
    Document,
    Layer,
    Origin,
    Outcome,
    Phase,
    ProbeOutcome,
    Problem,
    References,
    Source,
    Stamp,
    Trigger,
)

if TYPE_CHECKING:
    from ._observe.history import Attempt
    from ._observe.status import Draining, ProbeStatus, ResourceStatus, Status
    from ._schema.with_json_schema import JSONSchema
    from ._state.store_orders import Orders
    from .seams.gates import Waiting
    from .seams.store import RoundStatus, StoreStatus, Together
    from .sources import (
        DirectorySource,
        DotenvSource,
        EnvironSource,
        EnvReferences,
        EtcdSource,
        FileReferences,
        HTTPSource,
    )
    from .types import ShadowStatus, SignalStatus, TrialStatus

__version__ = "0.1.0"

__all__ = [
    "Attempt",
    "BlockingCallError",
    "Code",
    "ConfigError",
    "ConfigSyntaxError",
    "ContractError",
    "CopyError",
    "Diff",
    "DirectorySource",
    "Document",
    "DotenvSource",
    "DrainError",
    "Draining",
    "EnvReferences",
    "EnvironSource",
    "EtcdSource",
    "FactoryError",
    "FileReferences",
    "FileSource",
    "FrozenDict",
    "HTTPSource",
    "HangingError",
    "InternalError",
    "InterpreterError",
    "JSONSchema",
    "Layer",
    "Lease",
    "MergeError",
    "NoSnapshotError",
    "OptionError",
    "OrderRefusedError",
    "Orders",
    "Origin",
    "Outcome",
    "OutsideWorkError",
    "Phase",
    "ProbeError",
    "ProbeOutcome",
    "ProbeStatus",
    "Problem",
    "References",
    "RefusedError",
    "RegistrationError",
    "ReloadCheck",
    "ReloadCheckError",
    "ReloadEvent",
    "Resource",
    "ResourceClosedError",
    "ResourceError",
    "ResourceStatus",
    "ResourceTimeoutError",
    "RoundStatus",
    "SchemaClassError",
    "SchemaError",
    "ShadowStatus",
    "SignalStatus",
    "Snapshot",
    "Source",
    "SourceError",
    "Stamp",
    "Status",
    "StillRunningError",
    "StoreError",
    "StoreLostError",
    "StoreRefusedError",
    "StoreStatus",
    "StoreUnsureError",
    "Together",
    "TornError",
    "TrialStatus",
    "Trigger",
    "UnknownResourceError",
    "UnsettledError",
    "UsageError",
    "Waiting",
    "WrongLoopError",
    "current_snapshot",
    "plain",
    "reload_check",
]


_OF_SOURCES = (
    "DirectorySource", "DotenvSource", "EnvReferences", "EnvironSource", "EtcdSource",
    "FileReferences", "HTTPSource",
)  # fmt: skip


def __getattr__(name: str) -> Any:
    """Load what only those who look need when it is asked for."""
    if name == "Orders":
        from ._state.store_orders import Orders as _Orders

        return _Orders
    if name in _OF_SOURCES:
        from . import sources as _sources

        return getattr(_sources, name)
    if name == "Waiting":
        from .seams.gates import Waiting

        return Waiting
    if name in ("RoundStatus", "StoreStatus", "Together"):
        from .seams import store as _store

        return getattr(_store, name)
    if name == "Attempt":
        from ._observe.history import Attempt

        return Attempt
    if name in ("Draining", "ProbeStatus", "ResourceStatus", "Status"):
        from ._observe import status as _status

        return getattr(_status, name)
    if name in ("ShadowStatus", "SignalStatus", "TrialStatus"):
        from . import types as _types

        return getattr(_types, name)
    if name == "JSONSchema":
        from ._schema.with_json_schema import JSONSchema

        return JSONSchema
    if name == "NotStartedError":
        from . import exceptions as _exceptions

        return getattr(_exceptions, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
