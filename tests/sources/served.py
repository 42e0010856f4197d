"""A document from a server: its limit, what hides in it, and how an engine runs on it."""

from typing import Any

import pytest

from reloadcheck import HTTPSource, ReloadCheck
from reloadcheck.exceptions import SourceError

CANARY = "hunter2-canary"
LIMIT = 4 * 2**20


def tree_of(source: HTTPSource) -> object:
    """Look, read and parse once."""
    documents = source.read(source.stamp(), LIMIT)
    return source.layer(documents, {}, lambda: None).tree


def refused(source: HTTPSource) -> str:
    """Return the reason for which a source has no stamp."""
    with pytest.raises(SourceError) as caught:
        source.stamp()
    assert caught.value.__context__ is None or CANARY not in str(caught.value.__context__)
    return caught.value.reason


def live_on(source: HTTPSource, **options: Any) -> ReloadCheck[Any]:
    """Make an engine that settles at once."""
    return ReloadCheck(source, settle=0.01, environ={}, **options)
