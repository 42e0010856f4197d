"""`digest`, `approve` and `override`: what they sign lets an edit through in a running engine."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from reloadcheck import Outcome, ReloadCheck
from tests.cli.conftest import Run
from tests.cli.shop import ARNO, CONFIG, CONTRACT, DORA, EVE, OTTO, edit, key, live, shop, signers
from tests.policy.signing import Signers

__all__ = ["live", "shop", "signers"]


def test_digest_is_the_digest_of_what_serves(run: Run, shop: Path, live: ReloadCheck[Any]) -> None:
    """The one that a status shows; comments do not change it, an edit does."""
    serving = live.snapshot.digest
    assert run("digest", "config.yaml").lines == [serving]
    assert run("digest", "--app", "service:live").lines == [serving]
    (shop / "config.yaml").write_text(f"# a comment\n{CONFIG}")
    document = run("digest", "config.yaml", "--app", "service:live", "--json").document
    assert document == {"digest": serving, "sources": ["config.yaml"]}
    edit(shop)
    assert run("digest", "config.yaml").lines != [serving]


def test_digest_of_what_cannot_be_read_is_status_1(run: Run, shop: Path) -> None:
    """The problem is told at its place; without a file it is wrong usage."""
    (shop / "config.yaml").write_text("a: [\n")
    done = run("digest", "config.yaml")
    assert done.status == 1
    assert done.lines[0].startswith("config.yaml:1:5: error:")
    assert run("digest").status == 2


def test_two_people_approve_and_the_edit_is_live(
    run: Run, shop: Path, live: ReloadCheck[Any], signers: Signers
) -> None:
    """Each by a command of their own; the second signs the lines of the first."""
    base = live.snapshot.digest
    edit(shop)
    assert live.check() is Outcome.WAITING
    words = ["approve", "config.yaml", "--app", "service:live", "--from", base]
    done = run(*words, "--as", DORA, "--key", key(signers, DORA), "--why", "more traffic")
    assert done.status == 0
    assert done.lines[-2:] == [
        "OK: config.yaml.approval is signed by dora@example.test",
        "waits  for the leave of architect",
    ]
    assert live.check() is Outcome.WAITING
    assert "the leave of architect is missing" in str(live.status().error)
    document = run(*words, "--key", key(signers, ARNO), "--json").document
    assert document["signed_by"] == [ARNO, DORA]
    assert document["missing"] is None
    assert "reason: more traffic\n" in document["statement"]
    assert live.check() is Outcome.RELOADED
    assert live.snapshot.config.database.pool_max == 30


def test_a_file_that_is_to_follow_is_approved_on_top_of_the_present_one(
    run: Run, shop: Path, live: ReloadCheck[Any], signers: Signers
) -> None:
    """Approval first, roll-out then: the edit is live at once; the keys are those that need it."""
    (shop / "next").mkdir()
    (shop / "next" / "config.yaml").write_text(CONFIG.replace("pool_max: 20", "pool_max: 30"))
    for person in (DORA, ARNO):
        done = run(
            *("approve", "next/config.yaml", "--app", "service:live", "--why", "more traffic"),
            *("--key", key(signers, person), "--until", "2h"),
        )
        assert done.status == 0, done
    lines = (shop / "config.yaml.approval").read_text().splitlines()
    assert lines[:4] == [
        "reloadcheck: approval 1",
        "service: shop",
        "environment: production",
        f"from: {live.snapshot.digest}",
    ]
    assert lines[5] == "keys: database.pool_max"
    (shop / "next" / "config.yaml").rename(shop / "config.yaml")
    assert live.check() is Outcome.RELOADED


def test_without_a_key_it_prints_what_to_sign_and_the_command_signs_it(
    run: Run, shop: Path, live: ReloadCheck[Any], signers: Signers
) -> None:
    """Nothing is written; the printed command, run with a key, makes the statement hold."""
    base = live.snapshot.digest
    edit(shop)
    assert live.check() is Outcome.WAITING
    words = ["approve", "config.yaml", "--app", "service:live", "--from", base, "--why", "growth"]
    done = run(*words)
    assert done.status == 0
    assert not (shop / "config.yaml.approval").exists()
    told = run(*words, "--json").document
    assert told["statement"].splitlines()[:6] == done.lines[:6]
    assert [f"  {line}" for line in told["command"].splitlines()] == done.lines[-3:-1]
    (shop / "config.yaml.approval").write_text("\n".join(done.lines[:8]) + "\n")
    for person in (DORA, ARNO):
        command = told["command"].replace("KEY", key(signers, person))
        subprocess.run(command, shell=True, check=True, cwd=shop, stderr=subprocess.DEVNULL)
    assert live.check() is Outcome.RELOADED


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (["--key", DORA], 2, "say why: reloadcheck approve FILE --why 'TEXT'"),
        ([], 2, "say why"),
        (["--why", "two\nlines"], 2, "--why is one line of text"),
        (["--why", "x", "--until", "2020-01-01T00:00+00:00"], 2, "--until has passed"),
        (["--why", "x", "--until", "tomorrow"], 2, "tomorrow: is no time"),
        (["--why", "x", "--key", EVE], 1, "its signature is by nobody among the approvers"),
        (["--why", "x", "--key", OTTO], 1, "otto@example.test is none of dba and architect"),
        (["--why", "x", "--key", DORA, "--as", ARNO], 1, "the key is dora@example.test's"),
        (["--why", "x", "--key", "nobody"], 1, "ssh-keygen has signed nothing"),
    ],
)
def test_what_would_not_hold_is_not_written(
    run: Run, shop: Path, signers: Signers, words: list[str], status: int, sentence: str
) -> None:
    """A missing reason or a wrong time is wrong usage; a stranger's signature a failure."""
    base = run("digest", "config.yaml").lines[0]
    edit(shop)
    if "--key" in words:
        place = words.index("--key") + 1
        words = [*words[:place], key(signers, words[place]), *words[place + 1 :]]
    done = run("approve", "config.yaml", "--app", "service:live", "--from", base, *words)
    assert done.status == status
    assert sentence in " ".join((done.out + done.err).split())
    if status == 1:
        given = ("approve", "config.yaml", "--app", "service:live", "--from", base, *words)
        told = run(*given, "--json").document
        assert (told["ok"], told["written"], sentence in told["error"]) == (False, False, True)
    assert not (shop / "config.yaml.approval").exists()


def test_what_serves_must_be_known(run: Run, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The edited file alone does not say; the ways to say it are named."""
    monkeypatch.delenv("RELOAD_CHECK_STATUS_URL", raising=False)
    edit(shop)
    done = run("approve", "config.yaml", "--app", "service:live", "--why", "x")
    assert done.status == 2
    assert "say what serves" in " ".join(done.err.split())


def test_what_serves_already_is_no_edit(run: Run, shop: Path) -> None:
    """A statement from a content to the same one lets nothing through, and is not signed."""
    (digest,) = run("digest", "config.yaml", "--app", "service:live").lines
    words = ["config.yaml", "--app", "service:live", "--from", digest.split()[0], "--why", "x"]
    done = run("approve", *words)
    assert (done.status, done.lines) == (0, ["What FILE holds is what serves: there is no edit."])
    assert not (shop / "config.yaml.approval").exists()


def test_an_edit_that_needs_nobody_is_said(run: Run, shop: Path) -> None:
    """Nothing is signed for nothing."""
    (shop / "old.yaml").write_text(CONFIG)
    edit(shop, "INFO", "ERROR")
    words = ["config.yaml", "--app", "service:live", "--from", "old.yaml", "--why", "x"]
    done = run("approve", *words)
    assert (done.status, done.lines) == (
        0, ["Nothing that the edit changes needs anybody's leave."],
    )  # fmt: skip


def test_a_longer_leave_than_is_given_is_not_signed(run: Run, shop: Path, signers: Signers) -> None:
    """Who says an hour does not sign another's two days."""
    base = run("digest", "config.yaml").lines[0]
    edit(shop)
    words = ["approve", "config.yaml", "--app", "service:live", "--from", base, "--why", "x"]
    assert run(*words, "--key", key(signers, DORA), "--until", "48h").status == 0
    done = run(*words, "--key", key(signers, ARNO), "--until", "1h")
    assert done.status == 2
    assert "good for longer than --until says" in " ".join(done.err.split())
    assert (shop / "config.yaml.approval").read_text().count("BEGIN SSH SIGNATURE") == 1


def test_an_approval_for_another_edit_is_replaced(run: Run, shop: Path, signers: Signers) -> None:
    """The old signature does not speak for the new content."""
    base = run("digest", "config.yaml").lines[0]
    words = ["approve", "config.yaml", "--app", "service:live", "--from", base, "--why", "x"]
    for old, new in (("20", "30"), ("30", "40")):
        edit(shop, f"pool_max: {old}", f"pool_max: {new}")
        assert run(*words, "--key", key(signers, DORA)).status == 0
    text = (shop / "config.yaml.approval").read_text()
    assert text.count("BEGIN SSH SIGNATURE") == 1
    assert f"to: {run('digest', 'config.yaml').lines[0]}\n" in text


@pytest.mark.parametrize("words", [[], ["--keys", "log, database"]])
def test_break_glass(
    run: Run, shop: Path, live: ReloadCheck[Any], signers: Signers, words: list[str]
) -> None:
    """Whoever is on call lets through, for one content or some keys, what no window would."""
    edit(shop, "INFO", "ERROR")
    edit(shop)
    assert live.check() is Outcome.WAITING
    given = ["override", "config.yaml", "--app", "service:live", "--key", key(signers, OTTO)]
    done = run(*given, "--why", "the shop is down", *words)
    assert done.status == 0, done
    assert (shop / "config.yaml.override").read_text().startswith("reloadcheck: override 1\n")
    assert live.check() is Outcome.RELOADED
    assert live.snapshot.config.log.level == "ERROR"


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        ([], 2, "say why: reloadcheck override FILE"),
        (["--why", "x", "--until", "5h"], 2, "nobody break the glass for over 4 h"),
        (["--why", "x", "--key", DORA], 1, "dora@example.test is none of oncall"),
    ],
)
def test_break_glass_has_its_limits(
    run: Run, shop: Path, signers: Signers, words: list[str], status: int, sentence: str
) -> None:
    """A reason, the contract's people, the contract's time."""
    if "--key" in words:
        words = [*words[:-1], key(signers, words[-1])]
    done = run("override", "config.yaml", "--app", "service:live", *words)
    assert done.status == status
    assert sentence in " ".join((done.out + done.err).split())
    assert not (shop / "config.yaml.override").exists()


def test_without_a_contract_there_is_nothing_to_approve(run: Run, shop: Path) -> None:
    """An engine without one, and a contract that cannot be used, are wrong usage, and said."""
    (shop / "contract.yaml").write_text(CONTRACT.replace("reloadcheck: 1", "reloadcheck: 2"))
    done = run("approve", "config.yaml", "--app", "service:live", "--why", "x")
    assert done.status == 2
    assert "contract.yaml:1:14: begin with" in " ".join(done.err.split())
    (shop / "service.py").write_text("from reloadcheck import ReloadCheck\n"
                                     "live = ReloadCheck('config.yaml')\n")  # fmt: skip
    done = run("override", "config.yaml", "--why", "x")
    assert done.status == 2


def test_an_invalid_file_is_not_signed(run: Run, shop: Path) -> None:
    """Its problem is told; status 1."""
    (shop / "next.yaml").write_text("database: [\n")
    done = run("approve", "next.yaml", "--app", "service:live", "--why", "x")
    assert done.status == 1
    assert done.lines[-1] == "FAILED: nothing can be signed"
