"""What every test of a source must leave behind: nothing."""

import os
from collections.abc import Iterator

import pytest

from tests.support.web import Web, web


@pytest.fixture(autouse=True)
def no_descriptor_stays_open() -> Iterator[None]:
    """Fail any test of a source after which a file descriptor more is open."""
    before = _descriptors()
    yield
    assert _descriptors() - before == set()


def _descriptors() -> set[str]:
    """List what is open, without the descriptor that the listing itself needs."""
    listed = os.listdir("/proc/self/fd")
    return {number for number in listed if os.path.exists(f"/proc/self/fd/{number}")}


@pytest.fixture
def server() -> Iterator[Web]:
    """Return a server that answers with a small document."""
    with web() as server:
        yield server
