"""pytest: a fixture for applications whose engine stands at module level.

``override_config(live, {"greeting": "hi"})`` in a test has the engine serve other values until the
test is over. Loaded by pytest itself where this package is installed; imports nothing until used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .._engine.api import ReloadCheck

__all__ = ["override_config"]


@pytest.fixture
def override_config() -> Iterator[Callable[[ReloadCheck[Any], Mapping[str, Any]], None]]:
    """Let an engine serve other values until the end of the test; the latest call counts most."""
    with ExitStack() as stack:

        def override(live: ReloadCheck[Any], changes: Mapping[str, Any]) -> None:
            stack.enter_context(live.override(changes))

        yield override
