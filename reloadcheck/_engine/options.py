"""The engine's options, each declared once: its default, what it may be, and its variable.

From code, overridden by an operator's environment variables. A value that cannot be used is an
error that names the option or the variable, never a default.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import Field, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Final, Protocol, cast, runtime_checkable

from ..exceptions import OptionError
from ..types import printable

if TYPE_CHECKING:
    from ..seams.store import Together

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})
_LONGEST_SHOWN = 40


class _Kind(Protocol):
    """What values of one kind may be."""

    def check(self, name: str, value: object) -> object:
        """Return the value to use for the option; raise `OptionError`."""
        ...


@runtime_checkable
class _Text(Protocol):
    """A kind that an environment variable can override."""

    def parse(self, text: str) -> object:
        """Return the value that a variable stands for; raise `ValueError` with what is wanted."""
        ...


class _Seconds:
    def __init__(self, *, none: bool = False) -> None:
        self._none = none

    def check(self, name: str, value: object) -> object:
        if value is None and self._none:
            return None
        good = isinstance(value, int | float) and not isinstance(value, bool)
        if not good or not math.isfinite(cast("float", value)) or cast("float", value) < 0:
            raise OptionError(f"{name} must be a number of seconds, 0 or more, not {_given(value)}")
        return value

    def parse(self, text: str) -> object:
        if self._none and text.strip().lower() == "none":
            return None
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or value < 0:
            raise ValueError("a number of seconds, 0 or more" + (", or none" * self._none))
        return value


class _Bytes:
    def check(self, name: str, value: object) -> object:
        if type(value) is not int or value <= 0:
            raise OptionError(f"{name} must be a positive number of bytes")
        return value


class _Switch:
    def check(self, name: str, value: object) -> object:
        if type(value) is not bool:  # "false" is a word, and would be true
            raise OptionError(f"{name} must be True, False or None")
        return value

    def parse(self, text: str) -> object:
        word = text.strip().lower()
        if word in _TRUE or word in _FALSE:
            return word in _TRUE
        raise ValueError("one of 1 true yes on, or 0 false no off")


class _Names:
    def check(self, name: str, value: object) -> object:
        """Take names of keys; a lone string would be taken for its letters."""
        if isinstance(value, Iterable) and not isinstance(value, str):
            listed = list(cast("Iterable[object]", value))
            names = [one for one in listed if isinstance(one, str) and one]
            if len(names) == len(listed):
                return frozenset(names)
        raise OptionError(f'{name} must be names of keys, as in {name}=["license"]')


class _Choice:
    def __init__(self, *words: str) -> None:
        self._words = words

    def check(self, name: str, value: object) -> object:
        if value not in self._words:
            raise OptionError(f"{name} must be {self._wanted}")
        return value

    @property
    def _wanted(self) -> str:
        return "one of " + ", ".join(self._words)


class _Mode(_Choice):
    def parse(self, text: str) -> object:
        if text.strip().lower() not in self._words:
            raise ValueError(self._wanted)
        return text.strip().lower()


class _Word:
    def check(self, name: str, value: object) -> object:
        if value is None or (isinstance(value, str) and value.strip() == value != ""):
            return value
        raise OptionError(f"{name} must be a name, or None")

    def parse(self, text: str) -> object:
        if text.strip() == "":
            raise ValueError("a name")
        return text.strip()


class _Together:
    """How many must be ready: a word, or a `Together(…)`."""

    _WORDS = ("all", "quorum")

    def check(self, name: str, value: object) -> object:
        if value is None:
            return None
        from ..seams.store import Together  # which few have

        chosen = Together(value) if isinstance(value, str) else value
        if not isinstance(chosen, Together) or chosen.need not in self._WORDS:
            raise OptionError(f"{name} must be one of all, quorum, a Together(…), or None")
        for option in ("deadline", "alone_after"):
            seconds: object = getattr(chosen, option)
            if seconds is not None and not _Seconds().check(f"{name}: {option}", seconds):
                raise OptionError(f"{name}: {option} must be a number of seconds above 0, or None")
        return chosen

    def parse(self, text: str) -> object:
        word = text.strip().lower()
        if word in ("", "off", "none"):
            return None
        if word not in self._WORDS:
            raise ValueError("one of all, quorum, off")
        from ..seams.store import Together

        return Together(word)


def _option(default: Any, kind: _Kind) -> Any:
    return field(default=default, metadata={"kind": kind})


@dataclass(frozen=True, slots=True)
class Options:
    """How fresh, how patient, how bounded, what is secret; times in seconds, sizes in bytes."""

    window: float = _option(1.0, _Seconds())
    settle: float = _option(0.25, _Seconds())
    verify: float | None = _option(30.0, _Seconds(none=True))
    patience: float = _option(5.0, _Seconds())
    drain: float = _option(30.0, _Seconds())
    max_bytes: int = _option(4 * 2**20, _Bytes())
    enabled: bool = _option(True, _Switch())
    secrets: frozenset[str] = _option(frozenset(), _Names())
    public: frozenset[str] = _option(frozenset(), _Names())
    unknown: str = _option("warn", _Choice("warn", "reject", "ignore"))
    environment: str | None = _option(None, _Word())
    app: str | None = _option(None, _Word())
    release: str | None = _option(None, _Word())
    together: "Together | None" = _option(None, _Together())  # noqa: RUF009 - a field
    boot: str = _option("file", _Mode("file", "last-good"))


def variable_of(name: str) -> str:
    """Return the environment variable that overrides an option."""
    return f"RELOAD_CHECK_{name.upper()}"


VARIABLES: Final = (
    *(variable_of(one.name) for one in fields(Options) if isinstance(one.metadata["kind"], _Text)),
    "RELOAD_CHECK_CONTRACT",
    "RELOAD_CHECK_TRIAL",
    "RELOAD_CHECK_STATUS_PATH",
    "RELOAD_CHECK_STATUS_TOKEN",
    "RELOAD_CHECK_STATUS_URL",
    "RELOAD_CHECK_HEALTH_PATH",
    "RELOAD_CHECK_STORE",
)
"""All environment variables that this package looks at."""


def options_from(given: Options, enabled: bool | None, environ: Mapping[str, str]) -> Options:
    """Check `given` and lay the environment over it; `enabled=None` means: on, unless told off."""
    given = replace(given, enabled=True if enabled is None else enabled)
    chosen: dict[str, Any] = {one.name: _value(one, given, environ) for one in fields(Options)}
    return replace(given, **chosen)


def _value(option: Field[Any], given: Options, environ: Mapping[str, str]) -> object:
    kind: _Kind = option.metadata["kind"]
    value = kind.check(option.name, getattr(given, option.name))
    variable = variable_of(option.name)
    text = environ.get(variable)
    if text is None or not isinstance(kind, _Text):
        return value
    try:
        return kind.parse(text)
    except ValueError as wanted:
        reason = f"must be {wanted}, not '{_shown(text)}'"
    raise OptionError(f"environment variable {variable}: {reason}")


def _given(value: object) -> str:
    """Show what code gave for a number: an option is no secret, and may be long."""
    return _shown(repr(value))


def switch_of(variable: str, text: str) -> bool:
    """Return whether a variable's text means on; raise `OptionError` for what is neither."""
    try:
        return bool(_Switch().parse(text))
    except ValueError as wanted:
        reason = f"must be {wanted}, not '{_shown(text)}'"
    raise OptionError(f"environment variable {variable}: {reason}")


def _shown(text: str) -> str:
    cut = text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…"
    return printable(cut)


LEAST_READ = 0.2
"""Seconds after which at the earliest a disk counts as hanging, whatever the patience."""
