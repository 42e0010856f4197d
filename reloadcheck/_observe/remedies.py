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
    Code.STORE: "look at the store that is named; serving and reloading go on without it",
    Code.LISTENER: "correct the function given to live.subscribe",
}


def remedy_of(code: str | None) -> str | None:
    """Return what to do about a code; None where there is nothing to say."""
    return None if code is None else REMEDIES.get(code)
