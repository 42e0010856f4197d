"""`doctor` on trials: whether workers judge together or alone."""

from pathlib import Path
from typing import Any

import pytest

from reloadcheck import ReloadCheck
from reloadcheck._engine.api import engine_of
from reloadcheck.cli._doctor.finding import Level
from reloadcheck.cli._doctor.trial import trial
from reloadcheck.testing import MemoryStore


@pytest.mark.parametrize(
    ("options", "levels"),
    [
        ({}, []),
        ({"trial": True}, [Level.WARN]),
        ({"trial": True, "store": MemoryStore()}, [Level.PASS]),
    ],
    ids=["no trial", "alone", "together"],
)
def test_who_judges_alone_is_told_so(
    tmp_path: Path, options: dict[str, Any], levels: list[Level]
) -> None:
    """A trial of several workers wants a store; nothing is said where nothing is tried."""
    live: ReloadCheck[Any] = ReloadCheck(tmp_path / "config.yaml", **options)
    assert levels == [finding.level for finding in trial(engine_of(live))]
