"""What to do about each code, in a sentence; the same words stand in the documentation."""

from collections.abc import Mapping
from typing import Final

from ..types import Code

__all__ = ["REMEDIES", "remedy_of"]

REMEDIES: Final[Mapping[str, str]] = {
    Code.SOURCE_UNREADABLE: "look at the path and its permissions; it is taken up as soon as it "
    "can be read",
    Code.TORN: "nothing, it is read again; if it lasts, write beside the file and rename",
    Code.UNSETTLED: "find what rewrites the file all the time, or lower settle",
    Code.HANGING: "look at the disk or the network mount; it goes on by itself when the read "
    "returns",
    Code.SYNTAX: "correct the file at the line and column that are named",
    Code.MERGE: "make the key the same kind in both places that are named",
    Code.SCHEMA: "correct the keys that are named",
    Code.FACTORY: "correct the part of the configuration that it is built from, or what it "
    "connects to; it is tried again with growing pauses",
    Code.PROBE: "look at the server behind it; it is tried again",
    Code.TIMEOUT: "look at the server behind it, or raise the resource's timeout",
    Code.RESOURCE: "read the sentence above",
    Code.DRAIN: "nothing; if it lasts, find the request that does not end, or lower drain",
    Code.CONFIG: "read the sentence above",
    Code.USAGE: "change the line that the sentence names",
    Code.INTERNAL: "report it, with the log line",
    Code.FORCED_CLOSE: "find the requests that are named, or raise drain",
    Code.CLOSE: "look at what follows its yield; nothing else is held up",
    Code.STORE: (
        "look at the store that is named; serving goes on without it, and so do edits, unless "
        "workers act together"
    ),
    Code.LISTENER: "correct the function given to live.subscribe",
    Code.RULE: "correct the value, or the rule",
    Code.RULE_ERROR: "correct the rule; the edit is refused meanwhile",
    Code.CONTRACT: "correct the line that is named; the application does not start without",
    Code.RANGE: "correct the value, or the contract",
    Code.REQUIRED: "set it in a layer of this environment",
    Code.WINDOW: "wait: it goes live by itself; or sign an override",
    Code.FREEZE: "wait: it goes live by itself; or sign an override",
    Code.APPROVAL: "have it signed: reloadcheck approve",
    Code.SIGNATURE: "sign it anew, with a key that the contract knows",
    Code.RESTART: "restart the application when it may be",
    Code.BANNED: "put something else into the sources, or reloadcheck unban",
    Code.PINNED: "reloadcheck unpin, when it may",
    Code.FROZEN: "wait until it ends, or reloadcheck thaw",
    Code.FALLBACK: "reloadcheck fallback off, when it may",
    Code.REFUSED: "see which of them failed and why; another edit, or reloadcheck retry",
    Code.WAITING: "wait: it goes live on all of them at once; if it lasts, see which worker lags",
    Code.BOOTED_LAST_GOOD: "correct the sources; it goes live by itself",
    Code.UNDONE_FAILED: "correct it; the sentence counts them and names the first failure",
    Code.UNDONE_SLOW: "correct it; or have it promoted by hand, if it is meant to be slow",
    Code.UNDONE_MARKED: "correct it; the mark says in which sense",
    Code.UNDONE_SHADOW: "correct it; or have it promoted by hand, if the answers are meant to "
    "differ",
    Code.UNDONE_BY_HAND: "correct it, or live.retry()",
    Code.UNDONE_BEFORE: "correct it, or reloadcheck retry",
    Code.WORKER_LOST: "see why the process ended, in its server's log; then live.retry()",
    Code.WATCH: "see whether it was the edit or an incident; then live.retry()",
    Code.REHEARSAL: "correct it; the request or the function that failed is named",
    Code.TROUBLE: "see what ails the application; the edit is tried again by itself",
    Code.SUPERSEDED: "nothing: the newer edit is tried",
    Code.UNJUDGED: "nothing, or a longer trial",
}


def remedy_of(code: str | None) -> str | None:
    """Return what to do about a code; None where there is nothing to say."""
    return None if code is None else REMEDIES.get(code)
