"""Requests are made again on both versions; an edit that answers otherwise takes itself back.

Long because each kind of answer, and each reason not to ask again, is a test.
"""

import asyncio
import itertools
import random
import threading
from collections.abc import Callable
from typing import Any

import pytest

from reloadcheck import OptionError, Outcome
from reloadcheck._engine.api import engine_of
from reloadcheck._engine.shadow_stage import Shadowing
from reloadcheck.seams.repeats import Request
from reloadcheck.trial import Answered, Judge, Trial
from reloadcheck.trial.shadow import SHARE, Shadow, agree, difference
from reloadcheck.types import ShadowStatus
from reloadcheck.wsgi import ReloadCheckMiddleware
from tests.support.rig import until

from .site import Site, signals, trial_of

Making = Callable[..., Site]
DOORS = pytest.mark.parametrize("door", ["wsgi", "asgi"])
SHADOWED = Trial(shadow=["/*"])  # type: ignore[arg-type]


def shadow_of(shop: Site) -> ShadowStatus:
    """Return what became of the requests that were made again."""
    status = shop.live.status()
    trial = status.trial or status.last_trial
    assert trial is not None
    assert trial.shadow is not None
    return trial.shadow


def judged(shop: Site) -> int:
    """Return how many were made again by now."""
    shadow = shadow_of(shop)
    return shadow.compared + shadow.unjudged


def is_idle() -> bool:
    """Say whether nothing is made again at present."""
    return not [one for one in threading.enumerate() if one.name == "reloadcheck-shadow"]


def wait(shop: Site, before: int) -> None:
    """Wait until one more was made again, or the trial has ended."""
    until(lambda: judged(shop) > before or shop.live.status().trial is None)
    until(is_idle)


async def visit_asgi(shop: Site, times: int) -> None:
    """Ask in a loop that runs on, as a server's does."""
    for _ in range(times):
        before = judged(shop)
        await shop.ask("http")
        await asyncio.to_thread(wait, shop, before)


def visit(shop: Site, times: int = 1, *, door: str = "wsgi", **words: Any) -> None:
    """Ask for the page, and wait until each request was made again."""
    if door == "asgi":
        asyncio.run(visit_asgi(shop, times))
        return
    for _ in range(times):
        before = judged(shop)
        shop.get(**words)
        wait(shop, before)


@DOORS
def test_another_answer_with_status_200_is_undone(site: Making, door: str) -> None:
    """No request failed and nobody was drawn to it: the bodies differ, and the sentence says so."""
    shop = site(trial=SHADOWED)
    assert shop.edit(2) is Outcome.TRYING
    visit(shop, 7, door=door)
    until(lambda: shop.live.status().outcome is Outcome.UNDONE)
    status = shop.live.status()
    assert status.code == "undone-shadow"
    assert "7 requests made again" in str(status.error)
    assert "it was the one on it in 7" in str(status.error)
    assert "First: GET / → another body from byte 1 on. Version 1 serves." in str(status.error)
    assert shadow_of(shop).differing == 7
    assert shop.get(door=door) == b"1"
    until(lambda: len(shop.pool.open) == 1)


@DOORS
def test_the_same_answer_says_nothing(site: Making, door: str) -> None:
    """However often: nothing is counted, and the trial goes on."""
    shop = site(trial=SHADOWED)
    shop.page = lambda config: (200, b"the same")
    shop.edit(2)
    visit(shop, 9, door=door)
    assert shadow_of(shop) == ShadowStatus(compared=9, differing=0, dropped=0, unjudged=0)
    assert "shadow" not in signals(shop)


def test_what_is_never_the_same_twice_says_nothing(site: Making) -> None:
    """Random ids: no two answers of the three agree, so that nobody is the odd one."""
    shop = site(trial=SHADOWED)
    serial = itertools.count()
    shop.page = lambda config: (200, b"id %d" % next(serial))
    shop.edit(2)
    visit(shop, 9)
    assert shadow_of(shop).compared == 9
    assert "shadow" not in signals(shop)


def test_times_are_no_difference(site: Making) -> None:
    """The clock of each version may be in any place of its page."""
    shop = site(trial=SHADOWED)
    shop.page = lambda config: (200, b"at 2026-01-0%dT10:00:00Z" % config.a)
    shop.edit(2)
    visit(shop, 3)
    assert shadow_of(shop).differing == 0


@pytest.mark.parametrize("place", [1, 2, 3])
def test_what_varies_by_itself_blames_nobody(site: Making, place: int) -> None:
    """One of three differs, now on this version and now on that one: the coin stays fair."""
    shop = site(trial=SHADOWED)
    serial = itertools.count()
    shop.page = lambda config: (200, b"odd" if next(serial) % 4 == place else b"usual")
    shop.edit(2)
    visit(shop, 30)  # a request and its three: each time the same of them is odd
    assert signals(shop)["shadow"].bad == 30
    assert signals(shop)["shadow"].on_candidate < 20
    assert shop.live.status().outcome is Outcome.TRYING


def test_where_what_serves_fails_the_edit_is_no_worse(site: Making) -> None:
    """An edit that mends a page answers otherwise, and is right."""
    shop = site(trial=SHADOWED)
    shop.page = lambda config: (200, b"fine")
    shop.edit(2)
    shop.page = lambda config: (503, b"broken") if config.a == 1 else (200, b"fine")
    visit(shop, 9)
    assert "shadow" not in signals(shop)
    assert shadow_of(shop).differing == 0


def test_exceptions_reach_nobody(site: Making, recwarn: pytest.WarningsRecorder) -> None:
    """What raises on the candidate alone is counted as another answer; the client has his."""
    shop = site(trial=SHADOWED)
    shop.edit(2)

    def page(config: Any) -> tuple[int, bytes]:
        if config.a == 2:
            raise KeyError("secret-card")
        return 200, b"1"

    shop.page = page
    visit(shop, 2)
    assert shop.get() == b"1"
    assert shadow_of(shop).first == "GET / → KeyError instead of 200"
    assert "failed" not in signals(shop)
    assert [one for one in recwarn if "Thread" in str(one.message)] == []


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_no_other_method_is_ever_repeated(site: Making, method: str) -> None:
    """A POST is asked once, whatever the paths say."""
    shop = site(trial=SHADOWED)
    shop.edit(2)
    asked: list[int] = []

    def page(config: Any) -> tuple[int, bytes]:
        asked.append(config.a)
        return 200, b""

    shop.page = page
    shop.get(REQUEST_METHOD=method)
    visit(shop)  # one that is repeated, after which the other one would have been
    assert len(asked) == 1 + 1 + 3


@pytest.mark.parametrize(
    "words",
    [
        {"PATH_INFO": "/other"},
        {"CONTENT_LENGTH": "3"},
        {"HTTP_TRANSFER_ENCODING": "chunked"},
        {"HTTP_RELOADCHECK_SHADOW": "1"},
    ],
    ids=["another path", "a body", "a body in chunks", "repeated already"],
)
def test_what_is_not_meant_is_not_repeated(site: Making, words: dict[str, Any]) -> None:
    """Other paths, requests with a body, and those that were made again by an engine."""
    shop = site(trial=Trial(shadow=("/products*",)))
    shop.edit(2)
    asked: list[int] = []

    def page(config: Any) -> tuple[int, bytes]:
        asked.append(config.a)
        return 200, b""

    shop.page = page
    given: dict[str, Any] = {"PATH_INFO": "/products", **words}
    shop.get(**given)
    visit(shop, PATH_INFO="/products/1", QUERY_STRING="a=b")
    assert len(asked) == 1 + 1 + 3
    assert sorted(asked[2:]) == [1, 1, 2]


@pytest.mark.parametrize("streams", [False, True], ids=["list", "iterator"])
def test_nothing_begins_before_the_answer_is_sent(site: Making, streams: bool) -> None:
    """With WSGI that is the body's `close()`, for a list as well."""
    shop = site(trial=SHADOWED)
    shop.edit(2)
    asked: list[int] = []

    def page(config: Any) -> tuple[int, bytes]:
        asked.append(config.a)
        return 200, b"x"

    shop.page = page
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "streams": streams}
    body: Any = shop.wsgi(environ, lambda *_: None)
    assert b"".join(body) == b"x"
    assert asked == [1]
    assert judged(shop) == 0
    body.close()
    until(lambda: judged(shop) == 1)
    assert sorted(asked) == [1, 1, 1, 2]


def test_a_slow_one_delays_nobody(site: Making) -> None:
    """While one hangs, all others are answered, and dropped here: there is never a second one."""
    shop = site(trial=SHADOWED)
    shop.edit(2)
    hangs, ends = threading.Event(), threading.Event()
    here = threading.current_thread()

    def page(config: Any) -> tuple[int, bytes]:
        if threading.current_thread() is not here:
            hangs.set()
            assert ends.wait(10.0)
        return 200, b"1"

    shop.page = page
    try:
        shop.get()
        assert hangs.wait(10.0)
        assert [shop.get() for _ in range(5)] == [b"1"] * 5
        assert shadow_of(shop).dropped == 5
        running = [one for one in threading.enumerate() if one.name == "reloadcheck-shadow"]
        assert len(running) == 1
    finally:
        ends.set()
    until(lambda: judged(shop) == 1)


def test_the_trial_may_end_meanwhile(site: Making) -> None:
    """What was begun on a version that is taken back says nothing, and lets it close."""
    shop = site(trial=SHADOWED)
    shop.edit(2)
    hangs, ends = threading.Event(), threading.Event()
    here = threading.current_thread()

    def page(config: Any) -> tuple[int, bytes]:
        if threading.current_thread() is not here:
            hangs.set()
            assert ends.wait(10.0)
        return 200, b"1"

    shop.page = page
    shop.get()
    assert hangs.wait(10.0)
    assert shop.live.undo() is Outcome.UNDONE
    ends.set()
    until(is_idle)
    until(lambda: len(shop.pool.open) == 1)
    assert shop.live.status().code == "undone-by-hand"


def test_what_has_ended_is_asked_nothing(site: Making) -> None:
    """A version that is taken back between two answers has no resources to answer with."""
    shop = site(trial=SHADOWED)
    shop.get()
    shop.edit(2)
    hangs, ends = threading.Event(), threading.Event()
    asked: list[int] = []

    def page(config: Any) -> tuple[int, bytes]:
        asked.append(config.a)
        hangs.set()
        assert ends.wait(10.0)
        return 200, b"1"

    shop.page = page
    came: list[object] = []
    Shadowing(engine_of(shop.live)).start(Request("GET", "/", "/"), [False, True], came.append)
    assert hangs.wait(10.0)
    assert shop.live.undo() is Outcome.UNDONE
    ends.set()
    until(is_idle)
    assert (came, asked) == ([None], [1])


def test_a_request_of_an_older_trial_tells_nothing_of_a_newer_edit(site: Making) -> None:
    """It began before the newer one was tried, and is not made again."""
    shop = site(trial=SHADOWED)
    shop.edit(2)
    asked: list[int] = []

    def page(config: Any) -> tuple[int, bytes]:
        asked.append(config.a)
        return 200, b"x"

    shop.page = page
    body: Any = shop.wsgi({"REQUEST_METHOD": "GET", "PATH_INFO": "/"}, lambda *_: None)
    assert shop.edit(3) is Outcome.TRYING
    body.close()
    until(is_idle)
    assert asked == [1]


def test_units_of_work_are_not_counted_twice(site: Making) -> None:
    """Only those of users are units of a trial."""
    shop = site(trial=SHADOWED)
    shop.edit(2)
    visit(shop, 3)
    trial = trial_of(shop)
    assert (trial.units, trial.baseline_units) == (0, 3)


def test_a_function_of_the_applications_compares(site: Making) -> None:
    """It gets two answers and says whether they agree; what it calls equal is."""
    seen: list[Answered] = []

    def compare(one: Answered, other: Answered) -> bool:
        seen.extend((one, other))
        return one.status == other.status

    shop = site(trial=Trial(shadow=("/",), compare=compare))
    shop.edit(2)
    visit(shop, 8)
    assert shadow_of(shop).differing == 0
    assert {one.body for one in seen} == {b"1", b"2"}
    assert {one.header("content-type") for one in seen} == {"text/plain"}


def test_a_function_that_raises_is_told(site: Making) -> None:
    """By the name of its error; nobody is judged by it."""
    shop = site(trial=Trial(shadow=("/",), compare=lambda one, other: one["body"]))  # type: ignore[index]
    shop.edit(2)
    visit(shop, 8)
    assert shadow_of(shop) == ShadowStatus(0, 0, 0, 8, error="TypeError")
    assert shop.live.status().outcome is Outcome.TRYING


def test_the_watch_repeats_nothing(site: Making) -> None:
    """Once all have it there is nobody to compare with."""
    shop = site(trial=SHADOWED)
    shop.edit(2)
    assert shop.live.promote() is Outcome.RELOADED
    shop.get()
    assert judged(shop) == 0


def test_act_tell_only_tells(site: Making) -> None:
    """It says what it would have undone."""
    shop = site(trial=Trial(shadow=("/*",), act="tell"))
    shop.edit(2)
    visit(shop, 8)
    assert shop.asked() is Outcome.TRYING
    assert " requests made again, " in str(trial_of(shop).explanation)


def test_what_a_request_was_asked_with_is_asked_again(site: Making) -> None:
    """Cookies, language and query; not what would bring an answer without its body."""
    shop = site(trial=SHADOWED)
    shop.edit(2)
    asked: list[dict[str, Any]] = []

    def noting(environ: dict[str, Any], start: Any) -> list[bytes]:
        asked.append(dict(environ))
        start("200 OK", [])
        return [b"1"]

    shop.wsgi = ReloadCheckMiddleware(noting, shop.live)
    given: dict[str, Any] = {"wsgi.version": (1, 0), "session": object()}
    visit(
        shop,
        **given,
        PATH_INFO="/caf\xc3\xa9",
        QUERY_STRING="q=1",
        HTTP_COOKIE="who=me",
        HTTP_IF_NONE_MATCH='"1"',
        HTTP_RANGE="bytes=0-1",
        REMOTE_ADDR="192.0.2.1",
    )
    assert len(asked) == 4
    for environ in asked[1:]:
        assert environ["PATH_INFO"] == "/caf\xc3\xa9"
        assert environ["QUERY_STRING"] == "q=1"
        assert environ["HTTP_COOKIE"] == "who=me"
        assert environ["REMOTE_ADDR"] == "192.0.2.1"
        assert environ["HTTP_RELOADCHECK_SHADOW"] == "1"
        assert not {"HTTP_IF_NONE_MATCH", "HTTP_RANGE", "session"} & set(environ)


def takes_one(one: Answered) -> bool:
    """Compare with nothing."""
    return one.status == 200


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"shadow": "/products*"}, "Trial: shadow must be a list"),
    ({"shadow": ["products"]}, r"Trial: shadow must be paths, as in \['/products\*'\]"),
    ({"shadow": ["/products?a=1"]}, "Trial: shadow must be paths"),
    ({"shadow": ["GET /products"]}, "Trial: shadow must be paths"),
    ({"shadow": [1]}, "Trial: shadow must be paths"),
    ({"compare": "body"}, "Trial: compare must be a function of two answers"),
    ({"compare": takes_one}, "Trial: compare must be a function of two answers"),
]


@pytest.mark.parametrize(("options", "wanted"), WRONG)
def test_wrong_options_are_told_at_once(options: Any, wanted: str) -> None:
    """By the name of the option and what it should be."""
    with pytest.raises(OptionError, match=wanted):
        Trial(**options)


def test_a_coroutine_function_compares_nothing() -> None:
    """Its coroutine would always agree."""

    async def compare(one: Answered, other: Answered) -> bool:
        return one == other

    with pytest.raises(OptionError, match="no coroutine function"):
        Trial(compare=compare)


class Answers:
    """Gives three answers at once, of which now and then one, anywhere, is another."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance

    def request(self, scope: Any) -> Request:
        """Make all of them the same."""
        del scope
        return Request("GET", "/", "/")

    def start(self, request: Request, order: Any, came: Any) -> None:
        """Answer here and now."""
        del request
        came([Answered(200, body=b"odd" if self.chance.random() < 0.2 else b"x") for _ in order])


def test_harmless_edits_are_not_undone() -> None:
    """Of 400 whose pages vary by themselves, not two ever look as if chance had not done it."""
    chance, undone, odd = random.Random(7), 0, 0
    for _ in range(400):
        judge, luck = Judge(), [1.0]

        def told(on_candidate: bool, judge: Judge = judge, luck: list[float] = luck) -> None:
            judge.add(on_candidate, SHARE)
            luck.append(judge.luck)

        shadow = Shadow(["/"], None, Answers(chance), lambda: 0.0, chance, told)
        for _ in range(100):
            shadow.offer(Request("GET", "/", "/"))
        undone += min(luck) <= 0.001
        odd += judge.bad
    assert odd > 10_000
    assert undone <= 1


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        (Answered(200), Answered(404), "404 instead of 200"),
        (Answered(200), Answered(500, error="KeyError"), "KeyError instead of 200"),
        (
            Answered(302, (("location", "/a"),)),
            Answered(302, (("location", "/b"),)),
            "another location",
        ),
        (
            Answered(200, body=b"price 1"),
            Answered(200, body=b"price 2"),
            "another body from byte 7",
        ),
        (Answered(200, body=b"price"), Answered(200, body=b"price 2"), "another body from byte 6"),
        (Answered(200, body=b"same"), Answered(200, body=b"same"), "another answer by compare="),
    ],
)
def test_a_difference_in_words(one: Answered, other: Answered, words: str) -> None:
    """Where it is, and nothing of what is there."""
    assert difference(one, other).startswith(words)


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (b"at Sun, 06 Nov 1994 08:49:37 GMT", b"at Mon, 07 Nov 1994 08:49:38 GMT", True),
        (b"at 2026-11-29 20:00:01.5+01:00.", b"at 2026-11-30 20:00:02.5+01:00.", True),
        (b"price 12:34", b"price 12:35", False),
        (b"10 left", b"11 left", False),
    ],
)
def test_what_agrees_without_a_function(one: bytes, other: bytes, equal: bool) -> None:
    """Dates and times of day are no difference, and other numbers are."""
    assert agree(Answered(200, body=one), Answered(200, body=other)) is equal


def test_a_loop_that_has_ended_is_not_replaced(site: Making) -> None:
    """What an application uses lives in the loop that served it, and is touched in no other one."""
    shop = site(trial=SHADOWED)
    engine = engine_of(shop.live)
    shop.get(door="asgi")
    shop.edit(2)
    asked: list[int] = []

    def page(config: Any) -> tuple[int, bytes]:
        asked.append(config.a)
        return 200, b"1"

    shop.page = page
    loop = asyncio.new_event_loop()
    loop.close()
    came: list[object] = []
    for home in (loop, None):
        Shadowing(engine).start(Request("GET", "/", "/", home=home), [True], came.append)
        until(is_idle)
    assert came == [None, None]
    assert asked == []
