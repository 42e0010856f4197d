"""Show a value of a configuration to its operator, with what looks secret hidden."""

import json
from dataclasses import dataclass

from .._config.containers import is_dict
from .._config.redact import MASK, is_secret, redact
from ..types import KeyPath, printable
from ._output import cut

__all__ = ["HIDDEN", "Hiding", "shown", "told"]

HIDDEN = "(hidden)"
_MOST = 60


@dataclass(frozen=True, slots=True)
class Hiding:
    """What is hidden: all values, or what looks secret, by the application's own names too."""

    everything: bool
    also: frozenset[str] = frozenset()


def shown(value: object, path: KeyPath, *, hide: Hiding) -> str:
    """Give a value on one line: `***` where it looks secret, cut where it is long."""
    if hide.everything:
        return HIDDEN
    if is_secret(path, value, also=hide.also) and value is not None:
        return MASK
    if is_dict(value) and value:
        return f"({len(value)} key{'s' if len(value) > 1 else ''})"
    text = json.dumps(redact(value, path, also=hide.also), ensure_ascii=False, default=str)
    return cut(printable(text), _MOST)


def told(value: object, path: KeyPath, *, hide: Hiding) -> object:
    """Give a value as JSON has it, with the same parts hidden."""
    return HIDDEN if hide.everything else redact(value, path, also=hide.also)
