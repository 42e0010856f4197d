"""Statements and signatures that hold nothing, and what is said of each."""

# What comes seldom is made to happen from within.
# pyright: reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false

import subprocess
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from reloadcheck.policy.signing import signature_by, verified
from reloadcheck.policy.statement import UnsignedError, statement_of, statement_text

LINES = statement_text(
    "approval", "shop", "production", "a", "b", ["c"], "2099-01-01T00:00+00:00", "why"
)


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"\xff", "it is not UTF-8"),
        (LINES.replace("approval 1", "approval 2").encode(), "it begins with neither"),
        (LINES.replace("service: ", "servce: ").encode(), "its line `service: …` is missing"),
    ],
)
def test_what_is_no_statement_lets_nothing_through(data: bytes, fault: str) -> None:
    """And says why."""
    with pytest.raises(UnsignedError, match=fault.replace(".", r"\.")):
        statement_of(data, signed=False)
    assert statement_of(LINES.encode(), signed=False).reason == "why"


def test_a_line_of_a_statement_is_one_line() -> None:
    """Else a reason could add a line that nobody meant to sign."""
    with pytest.raises(ValueError, match="no line break"):
        statement_text("approval", "shop", "", "a", "b", ["c"], "never", "x\nkeys: *")


def test_without_ssh_keygen_nothing_is_signed_or_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    """What to install is said; a program that hangs or says nothing lets nothing through either."""
    monkeypatch.setattr("reloadcheck.policy.signing.shutil.which", lambda _: None)
    asks: list[Callable[[], str]]
    asks = [lambda: signature_by("key", "x"), lambda: verified(b"x", "s", "f", 0.0)]
    for ask in asks:
        with pytest.raises(UnsignedError, match="install openssh-client"):
            ask()


def test_a_program_that_does_not_answer_verifies_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither one that hangs nor one that refuses in words that nobody knows."""

    def hang(*_: object, **__: object) -> None:
        raise subprocess.TimeoutExpired("ssh-keygen", 10)

    def refuse(command: list[str], **_: Any) -> Any:
        return SimpleNamespace(returncode="verify" in command, stdout=b"dora\n", stderr=b"hm")

    monkeypatch.setattr("reloadcheck.policy.signing.shutil.which", lambda _: "/bin/ssh-keygen")
    monkeypatch.setattr("reloadcheck.policy.signing.subprocess.run", hang)
    with pytest.raises(UnsignedError, match="ssh-keygen did not answer: TimeoutExpired"):
        verified(b"x", "s", "f", 0.0)
    monkeypatch.setattr("reloadcheck.policy.signing.subprocess.run", refuse)
    with pytest.raises(UnsignedError, match="the signature of dora does not hold"):
        verified(b"x", "s", "f", 0.0)
