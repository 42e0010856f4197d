"""Live configuration for Python web applications.

Each request works on one frozen snapshot; a bad edit never reaches one; what depends on the edited
part is rebuilt beside the old, which closes when its last user is done. Importing this loads no
framework and starts nothing.
"""

from typing import TYPE_CHECKING, Any

from ._config.freeze import FrozenDict
from ._engine.api import ReloadCheck
from ._engine.decorator import reload_check
from ._observe.events import ReloadEvent
from ._resources.registry import Resource
from ._snapshots.context import current_snapshot
from ._snapshots.snapshot import Snapshot
from .exceptions import (
    BlockingCallError,
    ConfigError,
    ConfigSyntaxError,
    FactoryError,
    MergeError,
    NoSnapshotError,
    NotStartedError,
    OptionError,
    ProbeError,
    RegistrationError,
    ReloadCheckError,
    ResourceClosedError,
    ResourceError,
    ResourceTimeoutError,
    SchemaClassError,
    SchemaError,
    SourceError,
    StoreError,
    StoreLostError,
    StoreRefusedError,
    StoreUnsureError,
    TornError,
    UnknownResourceError,
    UsageError,
    WrongLoopError,
)
from .sources import DirectorySource, EnvironSource, FileSource
from .types import Document, Layer, Origin, Outcome, ProbeOutcome, Problem, Source, Stamp

if TYPE_CHECKING:
    from ._observe.status import ProbeStatus, ResourceStatus, Status

__version__ = "0.1.0"

__all__ = [
    "BlockingCallError",
    "ConfigError",
    "ConfigSyntaxError",
    "DirectorySource",
    "Document",
    "EnvironSource",
    "FactoryError",
    "FileSource",
    "FrozenDict",
    "Layer",
    "MergeError",
    "NoSnapshotError",
    "NotStartedError",
    "OptionError",
    "Origin",
    "Outcome",
    "ProbeError",
    "ProbeOutcome",
    "ProbeStatus",
    "Problem",
    "RegistrationError",
    "ReloadCheck",
    "ReloadCheckError",
    "ReloadEvent",
    "Resource",
    "ResourceClosedError",
    "ResourceError",
    "ResourceStatus",
    "ResourceTimeoutError",
    "SchemaClassError",
    "SchemaError",
    "Snapshot",
    "Source",
    "SourceError",
    "Stamp",
    "Status",
    "StoreError",
    "StoreLostError",
    "StoreRefusedError",
    "StoreUnsureError",
    "TornError",
    "UnknownResourceError",
    "UsageError",
    "WrongLoopError",
    "current_snapshot",
    "reload_check",
]


def __getattr__(name: str) -> Any:
    """Load what only those who look need when it is asked for."""
    if name in ("ProbeStatus", "ResourceStatus", "Status"):
        from ._observe import status as _status

        return getattr(_status, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
