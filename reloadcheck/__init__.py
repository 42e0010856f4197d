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
    LeaseUsedError,
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
    from ._engine.api import Registering
    from ._engine.decorator import Decorating, UnitOfWork
    from ._engine.override import Override
    from ._observe.history import Attempt
    from ._observe.status import Draining, ProbeStatus, ResourceStatus, Standing, Status
    from ._resources.registry import FactoryKind
    from ._runtime.clock import Clock
    from ._schema.with_json_schema import JSONSchema
    from ._snapshots.snapshot import Resources
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
    "Clock",
    "Code",
    "ConfigError",
    "ConfigSyntaxError",
    "ContractError",
    "CopyError",
    "Decorating",
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
    "FactoryKind",
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
    "LeaseUsedError",
    "MergeError",
    "NoSnapshotError",
    "OptionError",
    "OrderRefusedError",
    "Orders",
    "Origin",
    "Outcome",
    "OutsideWorkError",
    "Override",
    "Phase",
    "ProbeError",
    "ProbeOutcome",
    "ProbeStatus",
    "Problem",
    "References",
    "RefusedError",
    "Registering",
    "RegistrationError",
    "ReloadCheck",
    "ReloadCheckError",
    "ReloadEvent",
    "Resource",
    "ResourceClosedError",
    "ResourceError",
    "ResourceStatus",
    "ResourceTimeoutError",
    "Resources",
    "RoundStatus",
    "SchemaClassError",
    "SchemaError",
    "ShadowStatus",
    "SignalStatus",
    "Snapshot",
    "Source",
    "SourceError",
    "Stamp",
    "Standing",
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
    "UnitOfWork",
    "UnknownResourceError",
    "UnsettledError",
    "UsageError",
    "Waiting",
    "WrongLoopError",
    "current_snapshot",
    "plain",
    "reload_check",
]


_LATE = {
    "Attempt": "._observe.history",
    "Clock": "._runtime.clock",
    "Decorating": "._engine.decorator",
    "DirectorySource": ".sources",
    "DotenvSource": ".sources",
    "Draining": "._observe.status",
    "EnvReferences": ".sources",
    "EnvironSource": ".sources",
    "EtcdSource": ".sources",
    "FactoryKind": "._resources.registry",
    "FileReferences": ".sources",
    "HTTPSource": ".sources",
    "JSONSchema": "._schema.with_json_schema",
    "NotStartedError": ".exceptions",
    "Orders": "._state.store_orders",
    "Override": "._engine.override",
    "ProbeStatus": "._observe.status",
    "Registering": "._engine.api",
    "ResourceStatus": "._observe.status",
    "Resources": "._snapshots.snapshot",
    "RoundStatus": ".seams.store",
    "ShadowStatus": ".types",
    "SignalStatus": ".types",
    "Standing": "._observe.status",
    "Status": "._observe.status",
    "StoreStatus": ".seams.store",
    "Together": ".seams.store",
    "TrialStatus": ".types",
    "UnitOfWork": "._engine.decorator",
    "Waiting": ".seams.gates",
}
"""What only those who look need, and where it is: loaded when it is asked for."""


def __getattr__(name: str) -> Any:
    """Load what is asked for by its name."""
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LATE[name], __name__), name)
