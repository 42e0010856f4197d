"""The engine's options: from code, overridden by an operator's environment variables.

A value that cannot be used is an error that names the option or the variable, never a default.
"""

from __future__ import annotations

import math
from collections.abc import (
    Iterable,
    Mapping,
)
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, TypedDict, cast

from .._runtime.clock import Clock
from ..exceptions import OptionError

if TYPE_CHECKING:
    pass


_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})


@dataclass(frozen=True, slots=True)
class Options:
    """How fresh, how patient, how bounded, what is secret; times in seconds, sizes in bytes."""

    window: float = 1.0
    settle: float = 0.25
    verify: float | None = 30.0
    patience: float = 5.0
    drain: float = 30.0
    max_bytes: int = 4 * 2**20
    enabled: bool = True
    secrets: frozenset[str] = frozenset()


def options_from(given: Options, enabled: bool | None, environ: Mapping[str, str]) -> Options:
    """Check `given` and lay the environment over it; `enabled=None` means: on, unless told off."""
    for field in fields(Options):
        if field.name not in ("enabled", "max_bytes", "secrets"):
            _check_seconds(field.name, getattr(given, field.name))
    if type(enabled) not in (bool, type(None)):  # "false" is a word, and would be true
        raise OptionError("enabled must be True, False or None")
    if type(given.max_bytes) is not int or given.max_bytes <= 0:
        raise OptionError("max_bytes must be a positive number of bytes")
    enabled = True if enabled is None else enabled
    options = replace(given, enabled=enabled, secrets=_names(given.secrets))
    changes: dict[str, Any] = {}
    for name in ("window", "settle", "verify", "patience", "drain"):
        text = environ.get(variable := f"RELOAD_CHECK_{name.upper()}")
        if text is not None:
            changes[name] = _seconds(variable, text, none=name == "verify")
    text = environ.get("RELOAD_CHECK_ENABLED")
    if text is not None:
        changes["enabled"] = _boolean("RELOAD_CHECK_ENABLED", text)
    return replace(options, **changes)


def _names(secrets: object) -> frozenset[str]:
    """Take names of keys; a lone string would be taken for its letters."""
    if isinstance(secrets, Iterable) and not isinstance(secrets, str):
        listed = list(cast("Iterable[object]", secrets))
        names = [name for name in listed if isinstance(name, str) and name]
        if len(names) == len(listed):
            return frozenset(names)
    raise OptionError('secrets must be names of keys, as in secrets=["license"]')


def _check_seconds(name: str, value: object) -> None:
    if name == "verify" and value is None:
        return
    good = isinstance(value, int | float) and not isinstance(value, bool)
    if not good or not math.isfinite(value) or value < 0:  # type: ignore[arg-type,operator]
        raise OptionError(f"{name} must be a number of seconds, 0 or more")


def _seconds(variable: str, text: str, *, none: bool) -> float | None:
    if none and text.strip().lower() == "none":
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or value < 0:
        wanted = "a number of seconds, 0 or more" + (", or none" if none else "")
        raise OptionError(f"environment variable {variable}: must be {wanted}")
    return value


def _boolean(variable: str, text: str) -> bool:
    word = text.strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise OptionError(
        f"environment variable {variable}: must be one of 1 true yes on, or 0 false no off"
    )


LEAST_READ = 0.2
"""Seconds after which at the earliest a disk counts as hanging, whatever the patience."""


class EngineOptions(TypedDict, total=False):
    """The options of `ReloadCheck`; times in seconds, sizes in bytes."""

    window: float
    settle: float
    verify: float | None
    patience: float
    drain: float
    max_bytes: int
    enabled: bool | None
    secrets: Iterable[str]
    clock: Clock
    environ: Mapping[str, str]


def _options(given: EngineOptions) -> Options:
    known = ("schema", *EngineOptions.__annotations__)
    for name in given:
        if name not in known:
            raise OptionError(f"there is no option {name}; the options are: {', '.join(known)}")
    return Options(**cast("dict[str, Any]", given))
