"""Trials whose parts end as they seldom do: no thread, no answer, nobody to promote."""

# What comes seldom is made to happen from within.
# pyright: reportPrivateUsage=false
# pyright: reportUnknownLambdaType=false
# pyright: reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

import random
from types import SimpleNamespace
from typing import Any

import pytest

from reloadcheck._doors.watched import watched_wsgi
from reloadcheck._engine.rehearsal_stage import StageOf
from reloadcheck._engine.shadow_stage import GoneError, Shadowing, ShadowStage
from reloadcheck._snapshots.serving import Serving
from reloadcheck.trial.rehearsal import _of_request
from reloadcheck.trial.shadow import Shadow


class _Stage:
    """A stage whose application answers so."""

    def __init__(self, answer: int | Exception) -> None:
        self._answer = answer

    def answer(self, method: str, target: str) -> int:
        """Answer."""
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (200, None),
        (500, "rehearsal GET /healthz: answered 500"),
        (TimeoutError(), "rehearsal GET /healthz: no answer in time"),
        (ValueError("canary"), "rehearsal GET /healthz: failed with ValueError"),
    ],
)
def test_what_a_rehearsed_request_comes_to(answer: Any, said: str | None) -> None:
    """Its status, or why there is none; what an application raises is not quoted."""
    stage: Any = _Stage(answer)
    assert _of_request("GET /healthz")(stage) == said


class _Repeats:
    """Makes no request again, for there is no thread to be had."""

    def __init__(self) -> None:
        self.asked = 0

    def request(self, scope: Any) -> Any:
        """Fail on what a server has put there."""
        self.asked += 1
        if scope.get("odd"):
            raise TypeError
        return SimpleNamespace(path="/cart")

    def start(self, *_: object) -> None:
        """Have no thread."""
        raise RuntimeError("can't start new thread")


def test_a_request_that_cannot_be_made_again_breaks_nothing() -> None:
    """Whatever a server has put into it, and where there is no thread: the next one is tried."""
    repeats: Any = _Repeats()
    shadow = Shadow(["/cart"], None, repeats, lambda: 10.0, random.Random(5), lambda _: None)
    assert shadow.wanted({"method": "GET", "odd": True}) is None
    assert shadow.wanted({"method": "POST"}) is None
    request = shadow.wanted({"method": "GET"})
    assert request is not None
    shadow.offer(request)
    assert shadow._is_busy is False


def test_without_an_application_nothing_is_rehearsed_or_made_again() -> None:
    """Who asks hears that the version has gone, or that nobody is known."""
    nobody: Any = SimpleNamespace(_send=None)
    with pytest.raises(LookupError, match="no application is known"):
        StageOf.answer(nobody, "GET", "/")
    request: Any = SimpleNamespace(home=None)
    for thread, send in ((None, None), (SimpleNamespace(), None)):
        engine: Any = SimpleNamespace(thread=thread, send=send)
        with pytest.raises(GoneError):
            Shadowing(engine).start(request, [True], lambda _: None)
    serving = SimpleNamespace(candidate=None, current=object())
    engine = SimpleNamespace(thread=SimpleNamespace(serving=serving), send=object())
    with pytest.raises(GoneError):
        Shadowing(engine).start(request, [True], lambda _: None)


def test_what_lives_in_a_loop_that_has_ended_is_not_awaited_elsewhere() -> None:
    """Its coroutine is closed; another awaitable is let be."""

    async def answer() -> int:
        return 200

    stage: Any = SimpleNamespace(_home=None)
    coroutine: Any = answer()
    with pytest.raises(GoneError):
        ShadowStage._awaited(stage, coroutine, 1.0)
    assert coroutine.cr_frame is None
    other: Any = object()
    with pytest.raises(GoneError):
        ShadowStage._awaited(stage, other, 1.0)


def test_a_coroutine_that_takes_too_long_is_cancelled_in_its_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Unless that loop has ended meanwhile: there is nobody to tell it then."""

    class Late:
        """A future that does not come."""

        cancelled = False

        def result(self, timeout: float) -> None:
            """Be late."""
            raise TimeoutError

        def cancel(self) -> None:
            """Be given up."""
            self.cancelled = True

    for closed_after in (False, True):
        late, looks = Late(), [False, closed_after]
        home = SimpleNamespace(is_closed=lambda looks=looks: looks.pop(0))

        def threadsafe(coroutine: Any, loop: object, late: Late = late) -> Late:
            coroutine.close()
            return late

        monkeypatch.setattr("asyncio.run_coroutine_threadsafe", threadsafe)
        stage: Any = SimpleNamespace(_home=home)
        result: Any = object()
        with pytest.raises(TimeoutError):
            StageOf._awaited(stage, result, 1.0)
        assert late.cancelled is not closed_after


def test_where_nothing_is_tried_nothing_is_promoted_undone_or_unstaged() -> None:
    """An order that comes late changes nothing."""
    cell: Any = SimpleNamespace(fresh=None, fresh_pair=None, pair=None)
    serving: Any = Serving.__new__(Serving)
    serving.candidate = serving.standby = serving.staged = None
    serving.current = "now"
    serving.live = ()
    serving.swaps = 3
    serving._cell = cell
    serving._beside = lambda pair: None
    serving.promote(None)
    serving.unstage()
    assert (serving.undo(), serving.current, serving.swaps) == (0, "now", 3)


def test_an_application_that_exits_in_a_request_ends_its_unit() -> None:
    """It is no failure of the edit, and nobody holds the version for ever."""
    told: list[str] = []
    ticket: Any = SimpleNamespace(
        failed=lambda _: told.append("failed"), ended=lambda: told.append("ended")
    )

    def app(environ: Any, start_response: Any) -> Any:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        watched_wsgi(app, ticket, {}, lambda *_: None)
    assert told == ["ended"]
