"""Before any user gets an edit the application tries it by itself, and rejects what fails."""

import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from reloadcheck import Outcome, RegistrationError, ReloadCheck, Snapshot
from reloadcheck.testing import FakeClock, RecordingFactory
from reloadcheck.wsgi import ReloadCheckMiddleware
from tests.support.fixtures import Make
from tests.support.rig import Text, begin, until

from .site import Making


class Shop:
    """An engine with a pool, whose rehearsal is a function of the test's."""

    def __init__(self, live: ReloadCheck[Any], text: Text) -> None:
        self.live, self.text = live, text
        self.pool = RecordingFactory()
        self.handle = live.resource("a", name="pool")(self.pool)

    def edit(self, a: int) -> Outcome:
        """Have an edit judged."""
        self.text.write(f"a: {a}\nb: 1\n")
        return self.live.check()


@pytest.fixture
def shop(make: Make, text: Text) -> Shop:
    """An engine that is not started."""
    return Shop(make(), text)


def test_a_function_sees_the_new_version_alone(shop: Shop) -> None:
    """Its snapshot, what is current, a lease, and the resources are the edit's; others' are not."""
    seen: list[object] = []

    @shop.live.rehearsal
    def checkout(snapshot: Any) -> None:
        with shop.live.lease() as joined:
            seen.append((joined is snapshot, shop.live.current() is snapshot))
        seen.append((snapshot.config.a, snapshot[shop.handle].arguments, snapshot.version))
        other = threading.Thread(target=lambda: seen.append(shop.live.snapshot.config.a))
        other.start()
        other.join()

    begin(shop.live)
    assert seen == []  # the first load is not rehearsed
    assert shop.edit(2) is Outcome.RELOADED
    assert seen == [(True, True), (2, (2,), 2), 1]
    assert shop.live.snapshot.version == 2
    until(lambda: len(shop.pool.open) == 1)


def test_what_fails_there_is_rejected(shop: Shop) -> None:
    """With the code `rehearsal` and the name of what failed; its resources are closed again."""

    @shop.live.rehearsal(timeout=5.0)
    def checkout(snapshot: Any) -> None:
        if snapshot.config.a == 2:
            raise KeyError("secret-card")

    begin(shop.live)
    assert shop.edit(2) is Outcome.REJECTED
    status = shop.live.status()
    assert status.code == "rehearsal"
    assert "rehearsal checkout failed with KeyError" in str(status.error)
    assert "secret-card" not in str(status.error)
    assert shop.live.snapshot.config.a == 1
    until(lambda: [one.arguments for one in shop.pool.open] == [(1,)])
    assert shop.edit(3) is Outcome.RELOADED


def test_a_sentence_rejects_as_well(shop: Shop) -> None:
    """What a function returns is told, as with a rule."""

    def priced(snapshot: Snapshot[Any]) -> str | None:
        return "no price" if snapshot.config.a == 2 else None

    shop.live.rehearsal(priced)
    begin(shop.live)
    assert shop.edit(2) is Outcome.REJECTED
    assert str(shop.live.status().error).endswith("rehearsal priced: no price")


def test_what_fails_on_both_blames_nobody(shop: Shop, clock: FakeClock) -> None:
    """An outage: the edit waits as `trouble`, and is rehearsed again when it may be over."""
    broken = [True]

    @shop.live.rehearsal
    def upstream() -> None:
        if broken[0]:
            raise ConnectionError

    begin(shop.live)
    assert shop.edit(2) is Outcome.WAITING
    assert shop.live.status().code == "trouble"
    assert len(shop.pool.open) == 2  # what was built is kept meanwhile
    broken[0] = False
    until(lambda: shop.live.snapshot.config.a == 2, clock)
    assert len(shop.pool.built) == 2


def test_what_served_before_goes_back_unrehearsed(shop: Shop) -> None:
    """The way back is never held up."""
    tried: list[int] = []

    def note(snapshot: Snapshot[Any]) -> None:
        tried.append(snapshot.config.a)

    shop.live.rehearsal(note)
    begin(shop.live)
    shop.edit(2)
    until(lambda: shop.live.snapshot.config.a == 2)
    shop.edit(1)
    until(lambda: shop.live.snapshot.config.a == 1)
    assert tried == [2]


def test_a_trial_begins_after_it(make: Make, text: Text) -> None:
    """`rehearsed` comes before the first request; and once, however often the judge is asked."""
    shop = Shop(make(trial=True), text)
    tried: list[int] = []

    def note(snapshot: Snapshot[Any]) -> None:
        tried.append(snapshot.config.a)

    shop.live.rehearsal(note)
    begin(shop.live)
    assert shop.edit(2) is Outcome.TRYING
    assert shop.live.check() is Outcome.TRYING
    assert tried == [2]
    assert shop.live.promote() is Outcome.RELOADED
    assert len(shop.pool.built) == 2


def test_one_that_hangs_is_given_up(make: Make, text: Text) -> None:
    """After its time-out the edit is rejected; requests go on meanwhile."""
    shop = Shop(make(), text)
    released = threading.Event()

    @shop.live.rehearsal(timeout=0.1)
    async def slow(snapshot: Any) -> None:
        import asyncio

        while snapshot.config.a == 2 and not released.is_set():
            await asyncio.sleep(0.01)

    begin(shop.live)
    try:
        assert shop.edit(2) is Outcome.REJECTED
        assert "rehearsal slow took longer than 0.1 s" in str(shop.live.status().error)
    finally:
        released.set()


def test_a_plain_function_that_takes_too_long_is_none_that_passed(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It cannot be cut short, and is rejected when it returns."""
    now = [0.0]
    clock = SimpleNamespace(monotonic=lambda: now[0])
    monkeypatch.setattr("reloadcheck.trial.rehearsal.time", clock)

    @shop.live.rehearsal
    def slow(snapshot: Any) -> None:
        if snapshot.config.a == 2:
            now[0] += 10.5

    @shop.live.rehearsal
    def quick() -> None:
        """Pass."""

    begin(shop.live)
    assert shop.edit(2) is Outcome.REJECTED
    assert shop.live.status().code == "rehearsal"
    assert "rehearsal slow took longer than 10 s" in str(shop.live.status().error)


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_one_that_exits_is_rejected_as_a_rehearsal(shop: Shop, error: type[BaseException]) -> None:
    """It ends neither the engine nor the process, and is told as what it is."""

    @shop.live.rehearsal
    def exits(snapshot: Any) -> None:
        if snapshot.config.a == 2:
            raise error

    begin(shop.live)
    assert shop.edit(2) is Outcome.REJECTED
    assert shop.live.status().code == "rehearsal"
    assert f"rehearsal exits failed with {error.__name__}" in str(shop.live.status().error)
    assert shop.edit(3) is Outcome.RELOADED


def test_registration(shop: Shop) -> None:
    """Before the start, with no more than a snapshot."""
    with pytest.raises(RegistrationError, match="takes no argument"):
        shop.live.rehearsal(pow)
    with pytest.raises(RegistrationError, match="says what it takes"):
        shop.live.rehearsal(max)
    begin(shop.live)
    with pytest.raises(RegistrationError, match="before the engine starts"):
        shop.live.rehearsal(lambda: None)


CONTRACT = "reloadcheck: 1\nrehearse: [GET /healthz, 'GET /products?limit=1']\n"


class Contracted:
    """A WSGI application behind a contract that names two requests."""

    def __init__(self, make: Make, directory: Path) -> None:
        self.file = directory / "config.yaml"
        self.file.write_text("a: 1\n")
        (directory / "contract.yaml").write_text(CONTRACT)
        options = {"settle": 0.0, "verify": 0.0, "contract": directory / "contract.yaml"}
        self.live: ReloadCheck[Any] = make(self.file, **options)
        self.asked: list[tuple[str, ...]] = []
        self.answers: Callable[[int, str], int] = lambda a, path: 200
        self.door = ReloadCheckMiddleware(self._app, self.live)

    def _app(self, environ: dict[str, Any], start: Any) -> list[bytes]:
        a, path = environ["reloadcheck.config"].a, environ["PATH_INFO"]
        self.asked.append(
            (environ["REQUEST_METHOD"], path, environ["QUERY_STRING"], environ["HTTP_HOST"], str(a))
        )
        start(f"{self.answers(a, path)} OK", [])
        return [b""]

    def get(self) -> None:
        """Let a user ask; the host is known then, the user's cookie is nobody's."""
        asked = {"PATH_INFO": "/", "REQUEST_METHOD": "GET", "QUERY_STRING": "", "HTTP_COOKIE": "x"}
        list(self.door({**asked, "HTTP_HOST": "shop.test"}, lambda *_: None))
        self.asked.clear()

    def edit(self, a: int) -> Outcome:
        """Have an edit judged."""
        self.file.write_text(f"a: {a}\n")
        return self.live.check()


@pytest.fixture
def contracted(make: Make, tmp_path: Path) -> Contracted:
    """An application that has served a request."""
    made = Contracted(make, tmp_path)
    begin(made.live)
    made.get()
    return made


def test_a_contracts_requests_are_sent_to_the_application(contracted: Contracted) -> None:
    """In process, on the new version, to the host that users ask."""
    assert contracted.edit(2) is Outcome.RELOADED
    assert contracted.asked == [
        ("GET", "/healthz", "", "shop.test", "2"),
        ("GET", "/products", "limit=1", "shop.test", "2"),
    ]


def test_a_5xx_rejects(contracted: Contracted) -> None:
    """Named with its status; a 404 does not."""
    contracted.answers = lambda a, path: 503 if (a, path) == (2, "/products") else 404
    assert contracted.edit(2) is Outcome.REJECTED
    status = contracted.live.status()
    assert status.code == "rehearsal"
    assert "rehearsal GET /products?limit=1: answered 503" in str(status.error)
    contracted.answers = lambda a, path: 500
    assert contracted.edit(3) is Outcome.WAITING


def test_nothing_to_send_to_is_told(make: Make, tmp_path: Path) -> None:
    """A process that serves no application of its own goes on, with a remark."""
    made = Contracted(make, tmp_path)
    begin(made.live)
    assert made.edit(2) is Outcome.RELOADED
    assert any("were not rehearsed" in one for one in made.live.status().remarks)


def test_a_trial_without_rehearsals_is_as_ever(site: Making) -> None:
    """No stage is built where nobody rehearses."""
    shop = site()
    assert shop.edit(2) is Outcome.TRYING
    assert len(shop.pool.built) == 2
