"""Rules in CEL, as a contract holds them: `self`, `oldSelf` and `environment`, as in Kubernetes.

Compiled at the start and evaluated off the request path. Only the top-level parts that an
expression names are handed over, thawed, for the library takes only the built-in types and copying
a large configuration would hold the interpreter; its errors come back as values, may quote what
they were given, and are never shown.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from importlib import import_module
from typing import Any, Final, Protocol, cast

from .._config.containers import is_dict, is_frozenset, is_list, is_set, is_tuple
from .._config.model_fields import field_values
from ..types import Code, KeyPath, Problem, printable
from .terms import CelRule

LONGEST: Final = 1_000
"""Characters of an expression, at the most."""

MOST_NODES: Final = 2_000
"""Values that the parts named by one expression may have together."""

MOST_TEXT: Final = 64 * 2**10
"""Characters that they may have together."""

_LARGEST: Final = 2**63
_WALKS: Final = re.compile(r"\.\s*(?:map|filter|all|exists|exists_one)\s*\(")
"""What walks a list: its cost is not bounded by the size of what it is given."""

_CHILD_SECONDS: Final = 1.0
_STARTING: Final = 4.0
"""Seconds that an interpreter may take to begin, on a busy machine; its work is bounded by CPU."""
_PART: Final = re.compile(
    r"""\b(self|oldSelf)\b(?:\s*\.\s*([A-Za-z_]\w*)|\s*\[\s*["']([^"']+)["']\s*\])?"""
)
_QUOTED: Final = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'")
_STEP: Final = re.compile(r"""\.\s*([A-Za-z_]\w*)(?![\w]|\s*\()|\[\s*["']([^"']+)["']\s*\]""")
_CHAIN: Final = re.compile(rf"(?<![\w.])(?:self|oldSelf)\b((?:\s*(?:{_STEP.pattern}))*)")
"""What is read of a configuration, up to the first call or computed index."""


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
        return any(
            before.get(part) is not after.get(part) or (part not in before and part not in after)
            for part in self.parts  # what is nowhere may be misspelt: asked, and told
        )

    def judge(
        self, old: object, new: object, environment: str | None
    ) -> tuple[Problem, str] | None:
        """Return what is wrong and its code, or None where the rule holds."""
        data: dict[str, object] = {"environment": environment or ""}
        try:
            data["self"] = _thawed(new, self.parts)
            data["oldSelf"] = {} if old is None else _thawed(old, self.parts)
        except _TooLargeError:
            most = f"{MOST_NODES:,} values or {MOST_TEXT // 1024} KiB of text"
            return self._error(f"what it names has more than {most}")
        try:
            answer = self._answer(data)
        except Exception:
            return self._error("it takes too long, or cannot be evaluated")
        if answer is True:
            return None
        if answer is False:
            return Problem(self.rule.says, key_path=self.rule.key), Code.RULE
        return self._error("it comes to neither true nor false: is a key missing, or another type?")

    def _answer(self, data: Mapping[str, object]) -> object:
        """Evaluate it here, or in a process of its own where it could hold the interpreter."""
        if _WALKS.search(self.rule.text) is None:
            return self.compiled.eval(data=data).value()
        return in_child(self.rule.text, data)

    def _error(self, reason: str) -> tuple[Problem, str]:
        reason = f"the rule on line {self.rule.line} of the contract cannot be asked: {reason}"
        return Problem(reason, key_path=self.rule.key), Code.RULE_ERROR


class _TooLargeError(Exception):
    """More values than an expression is given."""


def in_child(text: str, data: Mapping[str, object]) -> object:
    """Evaluate an expression in a process that is ended after a second; raise where it fails."""
    library = import_module("cel_expr_python.cel")
    place = os.path.dirname(os.path.dirname(os.path.abspath(str(library.__file__))))
    command = [interpreter(), "-I", "-S", os.path.join(os.path.dirname(__file__), "cel_child.py")]
    given = json.dumps({"rule": text, "data": data}).encode()
    done = subprocess.run(
        [*command, place],
        input=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=_CHILD_SECONDS + _STARTING,
        check=True,
        env={},
    )
    return {b"true": True, b"false": False}.get(done.stdout.strip())


def interpreter() -> str:
    """Return the interpreter that runs this, also where a server has put itself in its place."""
    own = sys.executable or ""
    if os.path.basename(own).startswith("python"):
        return own
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return next(
        path
        for directory in (sys.exec_prefix, sys.base_exec_prefix)
        if os.access(path := os.path.join(directory, "bin", name), os.X_OK)
    )


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
    return "" if match is None else f", at character {match[1]}: {printable(match[2])}"


def _parts(text: str) -> frozenset[str] | None:
    bare = _QUOTED.sub(_kept, text)
    found = [(match[2] or match[3]) for match in _PART.finditer(bare)]
    return frozenset(found) if all(found) else None


def named_in(text: str) -> tuple[KeyPath, ...]:
    """Return the key paths that an expression reads of `self` and `oldSelf`, as far as it says."""
    bare = _QUOTED.sub(_kept, text)
    chains = (_STEP.findall(match[1]) for match in _CHAIN.finditer(bare))
    paths = (tuple(name or quoted for name, quoted in chain) for chain in chains)
    return tuple(dict.fromkeys(path for path in paths if path))


def asks_environment(text: str) -> bool:
    """Return whether an expression reads the name of the deployment."""
    return re.search(r"(?<![\w.\"'])environment\b(?!\s*:)", _QUOTED.sub(_kept, text)) is not None


def _kept(match: re.Match[str]) -> str:
    """Blank what is quoted, save a plain key in brackets."""
    before = match.string[: match.start()].rstrip()
    return match[0] if before.endswith("[") else '""'


def _top(config: object) -> Mapping[str, object]:
    if is_dict(config):
        return {str(key): value for key, value in config.items()}
    return field_values(config) or {}


def _thawed(config: object, parts: frozenset[str] | None) -> dict[str, object]:
    left = [MOST_NODES, MOST_TEXT]
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
    if isinstance(value, str):
        left[1] -= len(value)
        if left[1] < 0:
            raise _TooLargeError
        return str(value) if not isinstance(value, Enum) else _plain(value.value, left)
    if value is None or type(value) in (bool, float):
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
