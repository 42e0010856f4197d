"""Rules in CEL, as a contract holds them: `self`, `oldSelf` and `environment`, as in Kubernetes.

Compiled at the start and evaluated off the request path. Only the top-level parts that an
expression names are handed over, thawed, for the library takes only the built-in types and copying
a large configuration would hold the interpreter; its errors come back as values, may quote what
they were given, and are never shown.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from importlib import import_module
from typing import Any, Final, Protocol, cast

from .._config.containers import is_dict, is_frozenset, is_list, is_set, is_tuple
from .._config.model_fields import field_values
from ..types import Code, Problem
from .terms import CelRule

LONGEST: Final = 1_000
"""Characters of an expression, at the most."""

MOST_NODES: Final = 2_000
"""Values that the parts named by one expression may have together."""

_LARGEST: Final = 2**63
_PART: Final = re.compile(
    r"""\b(self|oldSelf)\b(?:\s*\.\s*([A-Za-z_]\w*)|\s*\[\s*["']([^"']+)["']\s*\])?"""
)


class _Compiled(Protocol):
    def eval(self, *, data: Mapping[str, object]) -> Any: ...


@dataclass(frozen=True, slots=True)
class Expression:
    """One compiled rule; `parts` are the top-level keys that it names, None for all of them."""

    rule: CelRule
    parts: frozenset[str] | None
    is_transition: bool
    compiled: _Compiled = field(repr=False)

    def concerns(self, old: object, new: object) -> bool:
        """Return whether it is to be asked: at the first load, or when a part of it changed."""
        if old is None:
            return not self.is_transition
        if self.parts is None:
            return old is not new
        before, after = _top(old), _top(new)
        return any(before.get(part) is not after.get(part) for part in self.parts)

    def judge(
        self, old: object, new: object, environment: str | None
    ) -> tuple[Problem, str] | None:
        """Return what is wrong and its code, or None where the rule holds."""
        data: dict[str, object] = {"environment": environment or ""}
        try:
            data["self"] = _thawed(new, self.parts)
            data["oldSelf"] = {} if old is None else _thawed(old, self.parts)
        except _TooLargeError:
            return self._error(f"what it names has more than {MOST_NODES} values")
        try:
            answer = self.compiled.eval(data=data).value()
        except Exception:
            return self._error("it takes too long, or cannot be evaluated")
        if answer is True:
            return None
        if answer is False:
            return Problem(self.rule.says, key_path=self.rule.key), Code.RULE
        return self._error("it comes to neither true nor false: is a key missing, or another type?")

    def _error(self, reason: str) -> tuple[Problem, str]:
        reason = f"the rule on line {self.rule.line} of the contract cannot be asked: {reason}"
        return Problem(reason, key_path=self.rule.key), Code.RULE_ERROR


class _TooLargeError(Exception):
    """More values than an expression is given."""


def compiled(rule: CelRule) -> Expression | str:
    """Return the compiled rule, or what is wrong with it."""
    if len(rule.text) > LONGEST:
        return f"a rule has at most {LONGEST:,} characters"
    try:
        cel = import_module("cel_expr_python.cel")
    except ImportError:
        return "rules need the extra: pip install 'reloadcheck[rules]'"
    module = cast("Any", cel)
    kinds = {"self": module.Type.DYN, "oldSelf": module.Type.DYN, "environment": module.Type.STRING}
    try:
        program = module.NewEnv(variables=kinds).compile(rule.text)
    except Exception as error:
        return f"is no expression in CEL{_where(str(error))}"
    if program.return_type().name() not in ("BOOL", "DYN"):
        return "must come to true or false"
    parts = _parts(rule.text)
    return Expression(rule, parts, re.search(r"\boldSelf\b", rule.text) is not None, program)


def _where(text: str) -> str:
    """Return at which character the compiler stopped, and why, if it says so.

    What it quotes is the contract's own text, in which no configuration stands.
    """
    match = re.search(r"<input>:\d+:(\d+): (.{1,120})", text)
    return "" if match is None else f", at character {match[1]}: {match[2]}"


def _parts(text: str) -> frozenset[str] | None:
    bare = re.sub(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'", _kept, text)
    found = [(match[2] or match[3]) for match in _PART.finditer(bare)]
    return frozenset(found) if all(found) else None


def _kept(match: re.Match[str]) -> str:
    """Blank what is quoted, save a plain key in brackets."""
    before = match.string[: match.start()].rstrip()
    return match[0] if before.endswith("[") else '""'


def _top(config: object) -> Mapping[str, object]:
    if is_dict(config):
        return {str(key): value for key, value in config.items()}
    return field_values(config) or {}


def _thawed(config: object, parts: frozenset[str] | None) -> dict[str, object]:
    left = [MOST_NODES]
    return {
        key: _plain(value, left)
        for key, value in _top(config).items()
        if parts is None or key in parts
    }


def _plain(value: object, left: list[int]) -> Any:
    """Return exact built-in values; what CEL has no type for as its text."""
    left[0] -= 1
    if left[0] < 0:
        raise _TooLargeError
    if value is None or type(value) in (bool, str, float):
        return value
    if isinstance(value, Enum):
        return _plain(value.value, left)
    if isinstance(value, int):
        number = int(value)
        return number if -_LARGEST <= number < _LARGEST else str(number)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if is_dict(value):
        return {str(key): _plain(part, left) for key, part in value.items()}
    if is_list(value) or is_tuple(value) or is_set(value) or is_frozenset(value):
        return [_plain(part, left) for part in value]
    fields = field_values(value)
    if fields is not None:
        return {key: _plain(part, left) for key, part in fields.items()}
    return str(value)
