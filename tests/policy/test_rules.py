"""A rule sees old and new, says what is wrong at its place, and lets nothing bad through."""

import logging
import threading
from typing import Any

import pytest

from reloadcheck import ConfigError, Outcome, RegistrationError, ReloadCheck
from tests.support.fixtures import Make
from tests.support.rig import Text, begin


@pytest.fixture
def live(make: Make) -> ReloadCheck[Any]:
    """An engine that is not started."""
    return make(environment="production")


def _about(value: object) -> None:
    """Find nothing wrong with it."""


def test_a_broken_rule_rejects_at_its_place(live: ReloadCheck[Any], text: Text) -> None:
    """What it says stands at file:line:column of its first path; the last good one serves on."""

    @live.rule("a")
    def small(a: int) -> str | None:
        return "is more than three" if a > 3 else None

    begin(live)
    text.write("b: 1\na: 4\n")
    assert live.check() is Outcome.REJECTED
    status = live.status()
    assert (status.code, status.error) == ("rule", "app.yaml:2:4: a: is more than three")
    assert live.snapshot.config.a == 1
    text.write("b: 1\na: 3\n")
    assert live.check() is Outcome.RELOADED


def test_a_value_error_is_a_broken_rule(live: ReloadCheck[Any], text: Text) -> None:
    """Raising `ValueError` says the same as returning a sentence."""

    @live.rule("a")
    def small(a: int) -> None:
        if a > 3:
            raise ValueError("is more than three")

    begin(live)
    text.write("a: 4\nb: 1\n")
    assert live.check() is Outcome.REJECTED
    assert live.status().error == "app.yaml:1:4: a: is more than three"


def test_the_first_load_is_judged(live: ReloadCheck[Any]) -> None:
    """A rule that the first configuration breaks fails the start; there is nothing old then."""
    seen: list[object] = []

    @live.rule("a")
    def never(a: int, *, old: object) -> str:
        seen.append(old)
        return "is wrong from the start"

    with pytest.raises(ConfigError, match=r"app\.yaml:1:4: a: is wrong from the start"):
        live.start()
    assert seen == [None]


def test_a_rule_sees_what_serves(live: ReloadCheck[Any], text: Text) -> None:
    """`old` is bare for one path, a tuple for several; without a path it is the whole."""
    seen: dict[str, Any] = {}

    @live.rule("a")
    def one(a: int, old: int | None = None) -> None:
        seen["one"] = (a, old)

    @live.rule("a", "b")
    def two(a: int, b: int, old: tuple[int, int] | None, environment: str) -> None:
        seen["two"] = (a, b, old, environment)

    @live.rule()
    def whole(config: Any, old: Any) -> None:
        seen["whole"] = (config.a, old and old.a)

    begin(live)
    text.write("a: 2\nb: 1\n")
    assert live.check() is Outcome.RELOADED
    assert seen == {"one": (2, 1), "two": (2, 1, (1, 1), "production"), "whole": (2, 1)}


def test_a_rule_is_asked_when_a_part_of_it_changed(live: ReloadCheck[Any], text: Text) -> None:
    """Not for an edit that leaves its parts what they were."""
    asked: list[int] = []

    @live.rule("a")
    def counted(a: int) -> None:
        asked.append(a)

    begin(live)
    text.write("a: 1\nb: 2\n")
    assert live.check() is Outcome.RELOADED
    assert asked == [1]


def test_all_broken_rules_are_told_at_once(live: ReloadCheck[Any], text: Text) -> None:
    """An edit that breaks two rules is corrected in one go."""

    @live.rule("a")
    def first(a: int) -> str | None:
        return "is odd" if a % 2 else None

    @live.rule("b")
    def second(b: int) -> str | None:
        return "is large" if b > 8 else None

    text.write("a: 2\nb: 1\n")
    begin(live)
    text.write("a: 3\nb: 9\n")
    assert live.check() is Outcome.REJECTED
    assert live.status().error == "app.yaml:1:4: a: is odd; app.yaml:2:4: b: is large"


def test_a_rule_may_only_tell(
    live: ReloadCheck[Any], text: Text, caplog: pytest.LogCaptureFixture
) -> None:
    """With `warn` the edit goes live; one WARNING and a remark say what is the matter."""

    @live.rule("a", warn=True)
    def cautious(a: int) -> str | None:
        return "is rather large" if a > 3 else None

    begin(live)
    text.write("a: 4\nb: 1\n")
    with caplog.at_level(logging.WARNING, "reloadcheck"):
        assert live.check() is Outcome.RELOADED
        assert live.check() is Outcome.UNCHANGED
    remark = "rule cautious: a: is rather large"
    assert live.status().remarks == (remark,)
    assert [one.getMessage() for one in caplog.records] == [remark]
    text.write("a: 2\nb: 1\n")
    assert live.check() is Outcome.RELOADED
    assert live.status().remarks == ()


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (True, "it returned a bool: a rule returns None, or says what is wrong"),
        ("", "it returned a str: a rule returns None, or says what is wrong"),
        (RuntimeError("secret words"), "it raised RuntimeError (test_rules.py:"),
        (SystemExit(3), "it raised SystemExit (test_rules.py:"),
    ],
)
def test_a_rule_that_cannot_be_asked_lets_nothing_through(
    live: ReloadCheck[Any], text: Text, said: object, reason: str
) -> None:
    """Anything but a sentence or `ValueError` names the rule and the type, never the text."""

    @live.rule("a")
    def broken(a: int) -> object:
        if a == 1:
            return None
        if isinstance(said, BaseException):
            raise said
        return said

    begin(live)
    text.write("a: 2\nb: 1\n")
    assert live.check() is Outcome.REJECTED
    status = live.status()
    assert status.code == "rule-error"
    assert str(status.error).startswith(f"app.yaml:1:4: a: rule 'broken' cannot be asked: {reason}")
    assert "secret words" not in str(status.error)


def test_a_rule_that_hangs_is_left_alone(live: ReloadCheck[Any], text: Text) -> None:
    """Its time-out rejects the edit; it is not called again while the first call hangs."""
    hanging, calls = threading.Event(), list[int]()

    @live.rule("a", timeout=1.0)
    def slow(a: int) -> None:
        calls.append(a)
        if a == 2:
            hanging.wait(30)

    begin(live)
    text.write("a: 2\nb: 1\n")
    assert live.check() is Outcome.REJECTED
    assert str(live.status().error).endswith("it did not return within 1 s")
    text.write("a: 3\nb: 1\n")
    assert live.check() is Outcome.REJECTED
    assert str(live.status().error).endswith("an earlier call of it has not returned yet")
    hanging.set()
    assert calls == [1, 2]


def test_a_rule_that_waits_for_its_own_engine_is_refused(
    live: ReloadCheck[Any], text: Text
) -> None:
    """It would wait for itself until its time-out; the refusal names the mistake."""

    @live.rule("a")
    def reentrant(a: int) -> None:
        if a == 2:
            live.check()

    begin(live)
    text.write("a: 2\nb: 1\n")
    assert live.check() is Outcome.REJECTED
    assert "it raised BlockingCallError" in str(live.status().error)


def test_what_a_rule_says_quotes_no_value(make: Make, text: Text) -> None:
    """A sentence with a password in it is masked."""
    live = make()
    text.write("password: hunter2hunter2\n")

    @live.rule("password")
    def leaking(password: str, old: str | None) -> str | None:
        return None if old is None else f"{password} is too short"

    begin(live)
    text.write("password: swordfish-77\n")
    assert live.check() is Outcome.REJECTED
    assert "swordfish" not in str(live.status().error)


def test_a_missing_part_is_named(live: ReloadCheck[Any], text: Text) -> None:
    """A rule about a key that is gone rejects the edit that took it."""
    live.rule("b", name="about_b")(_about)
    begin(live)
    text.write("a: 1\n")
    assert live.check() is Outcome.REJECTED
    assert "b: is missing, and rule 'about_b' is about it" in str(live.status().error)


def test_mistakes_at_registration(live: ReloadCheck[Any]) -> None:
    """Each is named where it is made."""
    live.rule("a", name="twice")(_about)
    with pytest.raises(RegistrationError, match="named 'twice' already"):
        live.rule("a", name="twice")(_about)
    with pytest.raises(RegistrationError, match="timeout"):
        live.rule("a", timeout=0.0)(_about)

    async def later(a: int) -> None:
        """Never awaited."""

    with pytest.raises(RegistrationError, match="not async"):
        live.rule("a")(later)
    live.start()
    with pytest.raises(RegistrationError, match="before the engine starts"):
        live.rule("a", name="late")(_about)


def test_without_rules_nothing_of_them_is_imported() -> None:
    """An engine that has no rule loads no policy and asks no gate."""
    import subprocess
    import sys

    code = (
        "import sys\nfrom reloadcheck import ReloadCheck\n"
        "from reloadcheck.testing import MemorySource\n"
        "live = ReloadCheck(MemorySource('a: 1'))\nlive.start()\nlive.close()\n"
        "print([n for n in sys.modules if n.startswith('reloadcheck.policy')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
