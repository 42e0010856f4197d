"""The testing kit's trials: an application's own tests can say what an edit must survive."""

from collections.abc import Iterator
from typing import Any

import pytest

from reloadcheck import OptionError, Outcome, ReloadCheck, UsageError
from reloadcheck.testing import FakeDraw, MemorySource, trial
from tests.support.rig import until


@pytest.fixture
def source() -> MemorySource:
    """A configuration in memory."""
    return MemorySource("a: 1")


@pytest.fixture
def live(source: MemorySource) -> Iterator[ReloadCheck[Any]]:
    """An engine that tries its edits."""
    live = ReloadCheck(source, trial=True, environ={})
    live.start()
    yield live
    live.close()


def ask(live: ReloadCheck[Any], *, breaks_at: int = 0) -> int:
    """Do a unit of work, which may fail on one version."""
    with live.lease(trial=True) as snapshot:
        number: int = snapshot.config.a
        if number == breaks_at:
            raise KeyError
        return number


def test_all_requests_fall_on_the_edit(live: ReloadCheck[Any], source: MemorySource) -> None:
    """And a trial that is on at the end of the block is undone; chance draws again."""
    with trial(live, source, "a: 2") as tried:
        assert [ask(live) for _ in range(5)] == [2] * 5
        assert tried.status.units == 5
        assert tried.outcome is Outcome.TRYING
    assert live.status().outcome is Outcome.UNDONE
    assert ask(live) == 1


def test_exactly_a_share_of_them(live: ReloadCheck[Any], source: MemorySource) -> None:
    """Evenly; what a test chooses for the next ones comes first."""
    with trial(live, source, "a: 2", share=0.25) as tried:
        tried.draw.next = [True, False, True]
        assert [ask(live) for _ in range(11)] == [2, 1, 2, 1, 1, 1, 2, 1, 1, 1, 2]


def test_a_bad_edit_is_undone(live: ReloadCheck[Any], source: MemorySource) -> None:
    """By the real judge, with its sentence."""
    with trial(live, source, "a: 2") as tried:
        for _ in range(3):
            with pytest.raises(KeyError):
                ask(live, breaks_at=2)
        until(lambda: tried.outcome is Outcome.UNDONE)
        assert "First: KeyError." in str(tried.status.explanation)
        assert ask(live, breaks_at=2) == 1


def test_one_that_is_promoted_stays(live: ReloadCheck[Any], source: MemorySource) -> None:
    """The end of the block takes back only what is still tried."""
    with trial(live, source, "a: 2"):
        live.promote()
    assert live.snapshot.config.a == 2


def test_what_is_not_tried_is_told(live: ReloadCheck[Any], source: MemorySource) -> None:
    """A rejected edit with its error; an engine without trials; a share that is none."""
    rejected = r"the edit is not tried: rejected: .*memory.yaml"
    with pytest.raises(UsageError, match=rejected), trial(live, source, "a: ["):
        pass
    without = ReloadCheck(source, environ={})
    with pytest.raises(UsageError, match="has no trial"), trial(without, source, "a: 2"):
        pass
    with pytest.raises(OptionError, match="share must be between 0 and 1"):
        FakeDraw(2.0)
