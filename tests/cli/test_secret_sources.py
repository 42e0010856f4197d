"""References and secrets before a roll-out: what is plain is refused, what is not here is told."""

import sys
from pathlib import Path
from typing import Any

import pytest

from reloadcheck import Outcome
from reloadcheck.cli._inputs import loaded_object
from tests.cli.conftest import Run
from tests.cli.shop import DORA, key, signers
from tests.policy.signing import Signers

__all__ = ["signers"]

APP = """\
from reloadcheck import FileReferences, ReloadCheck

live = ReloadCheck(
    "base.yaml",
    "production.yaml",
    references=[FileReferences("secrets")],
    contract="contract.yaml",
    environment="production",
    settle=0,
    verify=0,
)
"""
CONTRACT = """\
reloadcheck: 1
service: shop
keys:
  payment.api_key: {secret: true}
  tokens.*: {secret: true}
  database.url: {required_in: [production], approve: [dba]}
approvers: allowed_signers
roles: {dba: [dora@example.test], architect: [arno@example.test]}
"""
TYPED = """\
from dataclasses import dataclass

from reloadcheck import EnvReferences, ReloadCheck


@dataclass(frozen=True)
class Settings:
    port: int
    size: int


live = ReloadCheck("config.yaml", schema=Settings, references=[EnvReferences()])


@live.rule("size")
def small(size):
    return None if size < 10 else "too large"
"""
APP_NAME = ("--app", "service:live")


@pytest.fixture
def shop(here: Path, signers: Signers) -> Path:
    """A shop of two layers whose secrets stand in a directory."""
    (here / "service.py").write_text(APP)
    (here / "contract.yaml").write_text(CONTRACT)
    (here / "allowed_signers").write_text("\n".join(signers.lines) + "\n")
    (here / "base.yaml").write_text("payment:\n  api_key: dev-key-0000\ntokens: {a: ''}\n")
    (here / "production.yaml").write_text(
        "payment:\n  api_key: ${file:api}\ndatabase:\n  url: db.example.test/${file:db}\n"
    )
    (here / "secrets").mkdir()
    (here / "secrets" / "api").write_text("sk_live_51Nabcdef\n")
    (here / "secrets" / "db").write_text("quartz-molten\n")
    return here


def test_a_secret_in_plain_text_is_refused(run: Run, shop: Path) -> None:
    """At its place, with what to do instead; a lower layer's that is overridden is not live."""
    assert run("validate", *APP_NAME).status == 0
    (shop / "production.yaml").write_text("payment:\n  api_key: sk_live_51Nabcdef\n")
    done = run("validate", *APP_NAME)
    assert done.status == 1
    told = " ".join(done.out.split())
    assert "production.yaml:2:12: error: payment.api_key: is a secret in plain text" in told
    assert "references=[…]" in told
    assert "sk_live" not in done.out
    document = run("validate", *APP_NAME, "--json").document
    assert list(
        {one["code"] for one in document["problems"] if one["key_path"] == "payment.api_key"}
        - {"overridden"}
    ) == ["contract"]


def test_items_below_a_wildcard_are_secret_too(run: Run, shop: Path) -> None:
    """Each item that `tokens.*` names stands in a secret source, or is refused."""
    (shop / "base.yaml").write_text("tokens:\n  a: ${file:api}\n  b: [plain-token]\n")
    done = run("validate", *APP_NAME)
    assert done.status == 1
    assert "base.yaml:3:7: error: tokens.b[0]: is a secret" in " ".join(done.out.split())
    assert done.out.count("plain text") == 1


def test_a_directory_of_secrets_is_a_secret_source(run: Run, shop: Path) -> None:
    """What a directory with a file per key gives is no plain text."""
    (shop / "extra" / "payment").mkdir(parents=True)
    (shop / "extra" / "payment" / "api_key").write_text("sk_live_51Nabcdef")
    done = run("validate", "production.yaml", "extra", *APP_NAME)
    assert done.status == 0


def test_required_in_is_refused_in_its_environment_alone(
    run: Run, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What production must have may be missing in staging."""
    (shop / "production.yaml").write_text("payment: {api_key: '${file:api}'}\n")
    done = run("validate", *APP_NAME)
    assert done.status == 1
    assert "must be set in production" in " ".join(done.out.split())
    monkeypatch.setenv("RELOAD_CHECK_ENVIRONMENT", "staging")
    (shop / "service.py").write_text(APP.replace("    environment", "    # environment"))
    sys.modules.pop("service")
    assert run("validate", *APP_NAME).status == 0


def test_a_secret_that_is_not_here_is_a_warning(run: Run, shop: Path) -> None:
    """On a build machine a reference stands for itself, and is told; what it is is hidden."""
    (shop / "secrets" / "api").unlink()
    done = run("validate", *APP_NAME)
    assert done.status == 0
    told = " ".join(done.out.split())
    assert "production.yaml:2:12: warning: payment.api_key: refers to file:api, not read" in told
    assert run("validate", *APP_NAME, "--strict").status == 1
    explained = run("explain", "database.url", *APP_NAME)
    assert "quartz" not in explained.out
    assert "***" in explained.out


def test_a_number_that_is_not_here_is_a_warning(run: Run, here: Path) -> None:
    """What the schema would say of it can only be known where it can be read; of others it says."""
    (here / "service.py").write_text(TYPED)
    (here / "config.yaml").write_text("port: ${env:NOT_SET_HERE}\nsize: 1\n")
    (here / "old.yaml").write_text("port: 1\nsize: 1\n")
    for words in ([], ["--old", "old.yaml"]):
        done = run("validate", "config.yaml", *APP_NAME, *words)
        assert (done.status, "variable NOT_SET_HERE: is not set" in done.out) == (0, True), done
        assert "error" not in done.out
    done = run("diff", "old.yaml", "config.yaml", *APP_NAME)
    assert (done.status, "variable NOT_SET_HERE: is not set" in done.out) == (1, True)
    (here / "config.yaml").write_text("port: ${env:NOT_SET_HERE}\nsize: many\n")
    done = run("validate", "config.yaml", *APP_NAME)
    assert (done.status, "size: should be an integer" in done.out) == (1, True)
    assert "port: should be" not in done.out


def test_a_reference_that_nobody_reads_is_a_warning(run: Run, here: Path) -> None:
    """Before it is rolled out, at its place."""
    (here / "service.py").write_text(TYPED.replace(", references=[EnvReferences()]", ""))
    (here / "config.yaml").write_text("port: 1\nsize: 1\nx-name: ${env:NAME}\n")
    done = run("validate", "config.yaml", *APP_NAME, "--json")
    (problem,) = done.document["problems"]
    assert (done.status, problem["line"], problem["code"]) == (0, 3, "reference")
    assert problem["severity"] == "warning"


def test_leave_given_where_no_secret_is_holds_where_they_are(
    run: Run, shop: Path, signers: Signers
) -> None:
    """Who approves need not have the secrets: a statement may name what is written."""
    (shop / "before").mkdir()
    (shop / "before" / "production.yaml").write_text((shop / "production.yaml").read_text())
    engine: Any = loaded_object(*APP_NAME)
    engine.start()
    try:
        assert engine.check() is Outcome.UNCHANGED
        text = (shop / "production.yaml").read_text()
        (shop / "production.yaml").write_text(text.replace("db.example.test", "new.example.test"))
        assert engine.check() is Outcome.WAITING
        (shop / "secrets").rename(shop / "elsewhere")
        done = run(
            *("approve", "production.yaml", *APP_NAME, "--why", "a new host"),
            *("--key", key(signers, DORA), "--from", "before/production.yaml"),
        )
        (shop / "elsewhere").rename(shop / "secrets")
        assert done.status == 0, done
        assert "quartz" not in done.out
        assert engine.check() is Outcome.RELOADED
        assert engine.snapshot.config.database.url == "new.example.test/quartz-molten"
    finally:
        engine.close()


def test_a_diff_warns_of_a_secret_that_the_edit_writes_in_plain_text(run: Run, shop: Path) -> None:
    """At its place, and of no other; whether it may be merged is `validate`'s to say."""
    (shop / "new.yaml").write_text(
        "payment:\n  api_key: sk_live_51Nabcdef\ndatabase:\n  url: db.example.test/${file:db}\n"
    )
    done = run("diff", "production.yaml", "new.yaml", *APP_NAME)
    told = " ".join(done.out.split())
    assert "new.yaml:2:12: warning: payment.api_key: is a secret in plain text" in told
    assert "sk_live" not in done.out
    document = run("diff", "production.yaml", "new.yaml", *APP_NAME, "--json").document
    assert document["ok"]
    plain = [(one["severity"], one["key_path"]) for one in document["problems"]]
    assert plain == [("warning", "payment.api_key")]
    (shop / "newer.yaml").write_text((shop / "new.yaml").read_text() + "log: {level: INFO}\n")
    document = run("diff", "new.yaml", "newer.yaml", *APP_NAME, "--json").document
    assert document["problems"] == []
