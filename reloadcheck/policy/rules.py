"""Rules in code: functions that judge an edit before anything is built.

Each takes new values and may take the old ones and the environment's name. Rules run in threads of
their own, each with a time-out; all that are broken are told at once.
"""

import inspect
import logging
import math
import threading
from collections.abc import Callable, Sequence
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any, Final

from .._config.key_path import lookup
from .._config.redact import scrub
from .._runtime.foreign import placed
from .._runtime.jobs import Job, call
from .._runtime.log import log
from ..exceptions import RegistrationError
from ..seams.gates import GO, Answer, Go, Proposal, Reject
from ..types import Code, KeyPath, Problem

SLACK: Final = 1.0
"""Seconds beyond the time-outs of its rules that the gate may take."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: a function, the key paths that it is about, and how it is told.

    `warn`: a broken one only tells. `timeout` is in seconds.
    """

    name: str
    paths: tuple[KeyPath, ...]
    function: Callable[..., object] = field(repr=False)
    warn: bool
    timeout: float
    keywords: frozenset[str]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a broken rule says; `code` is `rule`, or `rule-error` for one that cannot be asked."""

    rule: Rule
    problem: Problem
    code: str


class Rules:
    """The rules of one engine, as a gate; `environment` names the deployment, or is None."""

    @property
    def name(self) -> str:
        """Return what messages call it."""
        return "the rules"

    def __init__(self, environment: Callable[[], str | None]) -> None:
        self._environment = environment
        self._rules: list[Rule] = []
        self._stuck: dict[str, Job[object]] = {}
        self._remarked: set[tuple[str, str]] = set()
        self._said: tuple[str | None, str] | None = None
        self._answer: Answer = GO

    @property
    def seconds(self) -> float:
        """Return how long one answer may take, in seconds."""
        return sum(rule.timeout for rule in self._rules) + SLACK

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the rules, in the order of their registration."""
        return tuple(rule.name for rule in self._rules)

    def add(
        self,
        function: Callable[..., object],
        paths: Sequence[KeyPath],
        name: str | None,
        *,
        warn: bool,
        timeout: float,
    ) -> None:
        """Register a rule; raise `RegistrationError`."""
        if not callable(function) or inspect.iscoroutinefunction(function):
            raise RegistrationError("a rule is a function that is not async: @live.rule(…)")
        name = name or str(getattr(function, "__name__", type(function).__name__))
        if name in self.names:
            raise RegistrationError(f"there is a rule named {name!r} already: give one a name=")
        if not 0 < timeout < math.inf:
            raise RegistrationError(f"rule {name!r}: timeout must be a number of seconds above 0")
        words = _keywords(function)
        self._rules.append(Rule(name, tuple(paths), function, warn, timeout, words))

    def may(self, proposal: Proposal) -> Answer:
        """Ask each rule one of whose parts changed; no rule again while the same edit waits."""
        about = None if proposal.old is None else proposal.old.digest, proposal.new.digest
        if not proposal.again or self._said != about:
            self._said, self._answer = about, self._asked(proposal)
        return self._answer

    def _asked(self, proposal: Proposal) -> Answer:
        findings = self.judged(proposal)
        refusing = [one for one in findings if not one.rule.warn]
        if refusing:
            return Reject(tuple(one.problem for one in refusing), refusing[0].code)
        remarks = tuple(f"rule {one.rule.name}: {one.problem}" for one in findings)
        for remark in remarks:
            if (key := (proposal.new.digest, remark)) not in self._remarked:
                self._remarked = {key} | {k for k in self._remarked if k[0] == key[0]}
                log(logging.WARNING, "%s", remark, code=str(Code.RULE))
        return Go(remarks) if remarks else GO

    def now(self, proposal: Proposal) -> Answer:
        """Let through what was let through before the build."""
        return GO

    def judged(self, proposal: Proposal) -> list[Finding]:
        """Return what each broken rule says, in the order of their registration."""
        findings: list[Finding] = []
        for rule in self._rules:
            finding = self._judged(rule, proposal)
            if finding is not None:
                findings.append(finding)
        return findings

    def asked(self, proposal: Proposal) -> tuple[str, ...]:
        """Return the names of the rules that the edit is judged by."""
        return tuple(rule.name for rule in self._rules if _concerns(rule, proposal))

    def _judged(self, rule: Rule, proposal: Proposal) -> Finding | None:
        try:
            if not _concerns(rule, proposal):
                return None
            values = _values(rule, proposal.new.config)
        except KeyError as error:
            path = error.args[0]
            reason = f"is missing, and rule {rule.name!r} is about it"
            return Finding(rule, Problem(reason, key_path=path), Code.RULE)
        keywords: dict[str, object] = {}
        if "old" in rule.keywords:
            keywords["old"] = _old(rule, proposal)
        if "environment" in rule.keywords:
            keywords["environment"] = self._environment()
        quotable = (proposal.new.config, None if proposal.old is None else proposal.old.config)
        return self._called(rule, values, keywords, quotable)

    def _called(
        self, rule: Rule, values: tuple[object, ...], keywords: dict[str, object], quotable: object
    ) -> Finding | None:
        """Call a rule; what it quotes of `quotable`, the old values too, is hidden."""
        stuck = self._stuck.get(rule.name)
        if stuck is not None and not stuck.done:
            return _error(rule, "an earlier call of it has not returned yet")
        done = threading.Event()
        job = Job[object](done.set)
        context = copy_context()  # so that a rule that would wait for its own engine is refused
        call(f"rule {rule.name}", lambda: context.run(rule.function, *values, **keywords), job)
        if not done.wait(rule.timeout):
            self._stuck[rule.name] = job
            return _error(rule, f"it did not return within {rule.timeout:g} s")
        self._stuck.pop(rule.name, None)
        error = job.error
        if isinstance(error, ValueError):
            return _broken(rule, scrub(str(error), quotable) or placed(error))
        if error is not None:
            return _error(rule, f"it raised {placed(error)}")
        said = job.result()
        if said is None:
            return None
        if isinstance(said, str) and said:
            return _broken(rule, scrub(said, quotable))
        kind = type(said).__name__
        return _error(rule, f"it returned a {kind}: a rule returns None, or says what is wrong")


def _concerns(rule: Rule, proposal: Proposal) -> bool:
    """Return whether a part of the rule changed; frozen parts that did not are the same object."""
    if proposal.old is None:
        return True
    old, new = proposal.old.config, proposal.new.config
    if not rule.paths:
        return old is not new
    return any(_part(old, path) is not _part(new, path) for path in rule.paths)


def _part(config: object, path: KeyPath) -> object:
    try:
        return lookup(config, path)
    except KeyError:
        return _ABSENT


_ABSENT: Final = object()


def _values(rule: Rule, config: object) -> tuple[object, ...]:
    values: list[object] = []
    for path in rule.paths:
        value = _part(config, path)
        if value is _ABSENT:
            raise KeyError(path)
        values.append(value)
    return tuple(values) if rule.paths else (config,)


def _old(rule: Rule, proposal: Proposal) -> object:
    """Return the same of what serves: bare for one path, a tuple for several, None where absent."""
    if proposal.old is None:
        return None
    if not rule.paths:
        return proposal.old.config
    parts = [_part(proposal.old.config, path) for path in rule.paths]
    values = tuple(None if part is _ABSENT else part for part in parts)
    return values[0] if len(values) == 1 else values


def _keywords(function: Callable[..., Any]) -> frozenset[str]:
    """Return which of `old` and `environment` the function takes by name."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return frozenset()
    return frozenset(
        one.name
        for one in parameters
        if one.name in ("old", "environment") and one.kind is not one.POSITIONAL_ONLY
    )


def _broken(rule: Rule, sentence: str) -> Finding:
    return Finding(rule, Problem(sentence, key_path=_key_path_of(rule)), Code.RULE)


def _error(rule: Rule, reason: str) -> Finding:
    problem = Problem(f"rule {rule.name!r} cannot be asked: {reason}", key_path=_key_path_of(rule))
    return Finding(rule, problem, Code.RULE_ERROR)


def _key_path_of(rule: Rule) -> KeyPath:
    return rule.paths[0] if rule.paths else ()
