"""The words that every stage shares: key paths, documents, layers, stamps, sources, outcomes.

Plain values and protocols; nothing here does I/O or holds state. They stand by subject in `_words`,
and everybody imports them from here. The words of trials and stores are loaded when somebody asks.
"""

from typing import TYPE_CHECKING, Any

from ._words.keys import Diff, Key, KeyPath, Pause, Tree, key_path_text, no_pause, printable
from ._words.outcomes import TIMER, Code, Outcome, Phase, ProbeOutcome, Trigger
from ._words.problems import Origin, Problem
from ._words.sources import Document, Layer, Place, References, Source, Stamp, Untyped, Verbatim

if TYPE_CHECKING:
    from ._words.boards import Board, Record, Retention, Store
    from ._words.trials import ShadowStatus, SignalStatus, TrialStatus

__all__ = [
    "TIMER",
    "Board",
    "Code",
    "Diff",
    "Document",
    "Key",
    "KeyPath",
    "Layer",
    "Origin",
    "Outcome",
    "Pause",
    "Phase",
    "Place",
    "ProbeOutcome",
    "Problem",
    "Record",
    "References",
    "Retention",
    "ShadowStatus",
    "SignalStatus",
    "Source",
    "Stamp",
    "Store",
    "Tree",
    "TrialStatus",
    "Trigger",
    "Untyped",
    "Verbatim",
    "key_path_text",
    "no_pause",
    "printable",
]

_OF_STORES = ("Board", "Record", "Retention", "Store")
_OF_TRIALS = ("ShadowStatus", "SignalStatus", "TrialStatus")


def __getattr__(name: str) -> Any:
    """Load the words of stores and trials."""
    if name in _OF_STORES:
        from ._words import boards

        found = {one: getattr(boards, one) for one in _OF_STORES}
    elif name in _OF_TRIALS:
        from ._words import trials

        found = {one: getattr(trials, one) for one in _OF_TRIALS}
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    _take(found)
    return found[name]


def _take(words: dict[str, Any]) -> None:
    """Call words by where they are imported from, in reprs, pickles and documentation."""
    for word in words.values():
        if isinstance(word, type):
            word.__module__ = __name__
    globals().update(words)


_take({name: globals()[name] for name in __all__ if name in globals()})
