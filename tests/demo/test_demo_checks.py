"""The demo's checks: every way in which a step can fall short of its promise is told."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from reloadcheck.demo.checks import LIMIT, Observation, broken_promises, shows_any
from reloadcheck.demo.load import Answer, Watch
from reloadcheck.demo.server import WorkerStatus
from reloadcheck.demo.steps import Content, Expectation, Promise

OLD = Content("Hello", "postgresql://old", 4)
NEW = Content("Hello", "postgresql://new", 6)
WORKERS = (71, 72)


def _answer(worker: int, version: int, content: Content) -> Answer:
    return Answer(
        at=0.0,
        seconds=0.001,
        worker=worker,
        version=version,
        greeting=content.greeting,
        pool=f"pool-{version}",
        pool_size=content.pool_size,
        wanted_size=content.pool_size,
    )


def _statuses(version: int, *, built: int, closed: int) -> dict[int, WorkerStatus]:
    return {
        worker: WorkerStatus(worker, version, "abc", None, None, built, closed)
        for worker in WORKERS
    }


def _live() -> Observation:
    """Return what a kept promise looks like: each worker one version on, with one new pool."""
    answers = [_answer(worker, 1, OLD) for worker in WORKERS]
    answers += [_answer(worker, 2, NEW) for worker in WORKERS]
    return Observation(
        expected=Expectation(Promise.LIVE, NEW, rebuilds=True),
        content_before=OLD,
        before=_statuses(1, built=1, closed=0),
        after=_statuses(2, built=2, closed=1),
        watch=Watch(answers),
        seconds=dict.fromkeys(WORKERS, 1.2),
        connections=12,
        peak=20,
    )


def _rejected() -> Observation:
    """Return what a kept rejection looks like: nothing changed, and each worker says why."""
    after = {
        worker: replace(status, code="syntax", error="orders.yaml:2:1: no")
        for worker, status in _statuses(1, built=1, closed=0).items()
    }
    return Observation(
        expected=Expectation(Promise.REJECTED, OLD, code="syntax"),
        content_before=OLD,
        before=_statuses(1, built=1, closed=0),
        after=after,
        watch=Watch([_answer(worker, 1, OLD) for worker in WORKERS]),
        seconds=dict.fromkeys(WORKERS, 1.2),
        connections=8,
        peak=8,
    )


def _one(seen: Observation, **changes: object) -> dict[int, WorkerStatus]:
    """Return the statuses afterwards with one worker's changed."""
    changed = replace(seen.after[72], **changes)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    return {**seen.after, 72: changed}


def _with_answer(seen: Observation, answer: Answer) -> Observation:
    return replace(seen, watch=Watch([*seen.watch.answers, answer]))


def test_a_kept_promise_breaks_nothing() -> None:
    """An edit that went live everywhere, and one rejected everywhere, are as promised."""
    assert broken_promises(_live()) == ()
    assert broken_promises(_rejected()) == ()


LIVE_FAULTS: list[tuple[str, Callable[[Observation], Observation], str]] = [
    (
        "a failed request",
        lambda seen: replace(seen, watch=Watch(seen.watch.answers, ["status 503"])),
        "1 requests failed: status 503",
    ),
    (
        "a silent worker",
        lambda seen: replace(
            seen, watch=Watch([one for one in seen.watch.answers if one.worker == 71])
        ),
        "worker 72 answered no request",
    ),
    (
        "a torn pair",
        lambda seen: _with_answer(seen, replace(_answer(71, 2, NEW), pool_size=4)),
        "1 requests saw config and pool of different versions",
    ),
    (
        "two pools under one version",
        lambda seen: _with_answer(seen, replace(_answer(71, 2, NEW), pool="pool-1")),
        "worker 71 used 2 pools under version 2",
    ),
    (
        "a torn write",
        lambda seen: _with_answer(seen, replace(_answer(71, 1, OLD), greeting="Hel")),
        "1 requests saw a configuration that was never written whole",
    ),
    (
        "a worker without the edit",
        lambda seen: replace(seen, seconds={71: 1.0}),
        "worker 72 never had it",
    ),
    (
        "a late worker",
        lambda seen: replace(seen, seconds={71: 1.0, 72: LIMIT + 1}),
        "worker 72 had it after 4.25 s, not 3.25 s",
    ),
    (
        "a worker left behind",
        lambda seen: replace(seen, after=_one(seen, version=1)),
        "worker 72 went 0 versions on, not 1",
    ),
    (
        "a version too many",
        lambda seen: replace(seen, after=_one(seen, version=3)),
        "worker 72 went 2 versions on, not 1",
    ),
    (
        "the old content under the new version",
        lambda seen: _with_answer(seen, replace(_answer(72, 2, OLD), pool="pool-2")),
        "worker 72 serves something other than the file says",
    ),
    (
        "different digests",
        lambda seen: replace(seen, after=_one(seen, digest="abd")),
        "the workers' digests differ",
    ),
    (
        "a pool kept open",
        lambda seen: replace(seen, after=_one(seen, pools_closed=0)),
        "worker 72 built 1 pools and closed 0, not 1",
    ),
    (
        "a connection kept open",
        lambda seen: replace(seen, connections=13),
        "the server has 13 connections, not 12",
    ),
    (
        "a third pool",
        lambda seen: replace(seen, peak=23),
        "the server had up to 23 connections",
    ),
    (
        "an error that stays",
        lambda seen: replace(seen, after=_one(seen, error="orders.yaml:2:1: no")),
        "worker 72 still tells of an error: orders.yaml:2:1: no",
    ),
    (
        "a password in the log",
        lambda seen: replace(seen, leaked=True),
        "the server's log or status shows a password",
    ),
    (
        "a worker that died",
        lambda seen: replace(seen, after={71: seen.after[71], 73: seen.after[72]}),
        "a worker process was replaced",
    ),
]


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [(fault, sentence) for _, fault, sentence in LIVE_FAULTS],
    ids=[name for name, _, _ in LIVE_FAULTS],
)
def test_each_fault_of_a_live_edit_is_told(
    fault: Callable[[Observation], Observation], sentence: str
) -> None:
    """Whatever falls short of a live edit's promise is named."""
    assert sentence in broken_promises(fault(_live()))


REJECTED_FAULTS: list[tuple[str, Callable[[Observation], Observation], str]] = [
    (
        "a bad edit that went live",
        lambda seen: replace(seen, after=_one(seen, version=2)),
        "worker 72 went 1 versions on, not 0",
    ),
    (
        "a needless pool",
        lambda seen: replace(seen, after=_one(seen, pools_built=2, pools_closed=1)),
        "worker 72 built 1 pools and closed 1, not 0",
    ),
    (
        "silence about it",
        lambda seen: replace(seen, after=_one(seen, code=None, error=None)),
        "worker 72 tells of no error",
    ),
    (
        "another cause",
        lambda seen: replace(seen, after=_one(seen, code="schema")),
        "worker 72 calls it schema, not syntax",
    ),
]


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [(fault, sentence) for _, fault, sentence in REJECTED_FAULTS],
    ids=[name for name, _, _ in REJECTED_FAULTS],
)
def test_each_fault_of_a_rejection_is_told(
    fault: Callable[[Observation], Observation], sentence: str
) -> None:
    """A rejection that changed something, or that a worker keeps to itself, is named."""
    assert sentence in broken_promises(fault(_rejected()))


def test_nothing_to_do_has_no_time() -> None:
    """A touch is as promised when nothing happened; that nobody noticed is the point."""
    seen = replace(
        _rejected(),
        expected=Expectation(Promise.NOTHING, OLD),
        after=_statuses(1, built=1, closed=0),
        seconds={},
    )
    assert broken_promises(seen) == ()


def test_without_a_server_its_connections_are_not_asked_for() -> None:
    """SQLite has no connections to count, and that breaks nothing."""
    assert broken_promises(replace(_live(), connections=None, peak=None)) == ()


def test_any_password_in_any_text_is_found() -> None:
    """One password in one line of the log, or in one worker's status, is enough."""
    assert shows_any(["one", "two"], ["a log", "it says two here"])
    assert not shows_any(["one", "two"], ["a log", "a status"])
    assert not shows_any([], ["a log"])
