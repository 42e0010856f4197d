"""A secret in every key shows in nothing that rules, contract, leave and their commands say."""

import logging
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reloadcheck import Outcome, ReloadCheck
from reloadcheck.cli._inputs import loaded_object
from tests.cli.conftest import Done, Run
from tests.cli.shop import ARNO, DORA, OTTO, key, signers
from tests.cli.test_status_command import TOKEN, application
from tests.policy.signing import Signers
from tests.support.load import until
from tests.support.receiver import Receiver

__all__ = ["signers"]

OLD, NEW, WRONG = "b1shop-quartz", "zeph1r-molten", "kiw1-wr0ng-vulture"
# They have no six characters in common, by which one would be masked for another's sake.
NUMBERS = ("83519264", "83519265", "83519266")
CANARIES = (*OLD.split("-"), *NEW.split("-"), "kiw1", "vulture", *NUMBERS)

APP = """\
from reloadcheck import ReloadCheck

live = ReloadCheck(
    "config.yaml", contract="contract.yaml", environment="production", settle=0, verify=0
)


@live.rule("things.of_code")
def of_code(value, old=None):
    if "wr0ng" in value:
        raise ValueError(f"{value} is not what {old} was")


@live.rule("things.warned", "number", warn=True)
def warned(value, pin, old=None):
    return f"{value} and {pin} were {old}"


@live.rule("things.raises")
def raises(value):
    if "wr0ng" in value:
        raise RuntimeError(value)


live.restart_only("things.of_start")
"""
CONTRACT = """\
reloadcheck: 1
service: shop
keys:
  things: {secret: true}
  things.leave: {approve: [dba, architect]}
  things.shut: {window: never}
  things.restarted: {restart: true}
  things.entries.*: {secret: true, approve: [dba]}
  number: {secret: true, range: 1..99999999}
windows: {never: []}
rules:
  - {key: things.cel, rule: '!self.things.cel.contains("wr0ng")', says: not this one}
  - {key: things.cel, rule: self.things.cel != oldSelf.things.nowhere, says: not like before}
approvers: allowed_signers
roles: {dba: [dora@example.test], architect: [arno@example.test], oncall: [otto@example.test]}
override: {roles: [oncall], at_most: 4h}
"""
KEYS = ("of_code", "warned", "raises", "of_start", "leave", "shut", "restarted", "cel")


def config(value: str, number: str) -> str:
    """Return a configuration that has a secret in every key."""
    lines = [f"  {name}: {value}\n" for name in KEYS]
    return f"things:\n{''.join(lines)}  entries: {{a: {value}, b: [{value}]}}\nnumber: {number}\n"


@pytest.fixture
def shop(here: Path, signers: Signers) -> Path:
    """A shop all of whose configuration is secret."""
    (here / "service.py").write_text(APP)
    text = CONTRACT.splitlines(keepends=True)
    (here / "contract.yaml").write_text("".join(line for line in text if "nowhere" not in line))
    (here / "allowed_signers").write_text("\n".join(signers.lines) + "\n")
    (here / "config.yaml").write_text(config(OLD, NUMBERS[0]))
    (here / "old.yaml").write_text(config(OLD, NUMBERS[0]))
    (here / "new.yaml").write_text(config(NEW, NUMBERS[1]))
    (here / "wrong.yaml").write_text(config(WRONG, "-" + NUMBERS[2]))
    return here


@pytest.fixture
def live(shop: Path) -> Iterator[ReloadCheck[Any]]:
    """The shop's engine, serving."""
    engine: Any = loaded_object("--app", "service:live")
    engine.start()
    yield engine
    engine.close()


def clean(*texts: str) -> bool:
    """Return whether no secret stands in any of the texts."""
    return not any(canary in text for canary in CANARIES for text in texts)


FORMATS = ("text", "json", "github", "sarif", "junit")


@pytest.mark.parametrize("name", ["new.yaml", "wrong.yaml"])
def test_the_commands_before_a_roll_out(run: Run, shop: Path, name: str) -> None:
    """Refused, held back, kept for a restart: what is told names keys and places alone."""
    app = ("--app", "service:live")
    done: list[Done] = [
        *(run("validate", name, *app, "--output-format", one) for one in FORMATS),
        *(
            run("validate", name, "--old", "old.yaml", *app, "--output-format", one)
            for one in FORMATS
        ),
        *(run("diff", "old.yaml", name, *app, *more) for more in ((), ("--json",))),
        run("explain", name, "things.leave", *app),
        run("explain", name, "things.entries.a", *app),
        run("explain", name, "number", *app, "--json"),
        run("digest", name, *app, "--json"),
        run("doctor", *app),
    ]
    wrong = name == "wrong.yaml"
    assert {one.status for one in done[:10]} == {1}  # they are in plain text
    assert {one.status for one in done[10:12]} == ({1} if wrong else {4})
    if not wrong:
        assert done[5].out.count("is a secret in plain text") == len(KEYS) + 3
    for one in done:
        assert clean(one.out, one.err), one


def test_the_commands_of_leave(run: Run, shop: Path, signers: Signers) -> None:
    """Statements hold digests and key paths."""
    base = run("digest", "old.yaml").lines[0]
    app = ("--app", "service:live", "--why", "a rotation", "--from", base)
    done = [
        run("approve", "new.yaml", *app),
        run("approve", "new.yaml", *app, "--json"),
        run("approve", "new.yaml", *app, "--key", key(signers, DORA)),
        run("approve", "new.yaml", *app, "--key", key(signers, ARNO), "--json"),
        run("override", "new.yaml", *app, "--key", key(signers, OTTO)),
    ]
    assert {one.status for one in done} == {0}
    for one in done:
        assert clean(one.out, one.err), one
    written = [(shop / f"config.yaml.{kind}").read_text() for kind in ("approval", "override")]
    assert clean(*written)
    lines = written[0].splitlines()
    assert lines[5] == "keys: things.leave, things.entries.*"


def test_a_running_application(
    run: Run,
    shop: Path,
    live: ReloadCheck[Any],
    signers: Signers,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its log, status, page, events and `watch`: while it waits, refuses, and is overridden."""
    caplog.set_level(logging.DEBUG, "reloadcheck")
    monkeypatch.setenv("RELOAD_CHECK_STATUS_TOKEN", TOKEN)
    events: list[Any] = []
    live.subscribe(events.append)
    told: list[str] = []
    with application(live) as url:
        monkeypatch.setenv("RELOAD_CHECK_STATUS_URL", url)
        watch = ("watch", "--app", "service:live", "--until", "live", "--timeout", "0.1")
        for name, outcome in (("new", Outcome.WAITING), ("wrong", Outcome.REJECTED)):
            (shop / "config.yaml").write_text((shop / f"{name}.yaml").read_text())
            assert live.check() is outcome
            told += [str(live.status()), repr(live.status())]
            for words in (("status", url), ("status", url, "--json"), watch, (*watch, "--json")):
                done = run(*words)
                assert done.status == (4 if name == "new" else 1), done
                told += [done.out, done.err]
        (shop / "config.yaml").write_text((shop / "new.yaml").read_text())
        run(
            *("override", "config.yaml", "--app", "service:live", "--why", "a rotation"),
            *("--key", key(signers, OTTO)),
        )
        assert live.check() is Outcome.RELOADED
        told += [run("status", url, "--json").out, str(live.status())]
    assert live.snapshot.config.things.leave == NEW
    assert live.snapshot.config.things.restarted == OLD
    records = [f"{one.getMessage()} {one.__dict__}" for one in caplog.records]
    assert any("by override of" in one for one in records)
    assert any("is not what" in one for one in [*records, *told])
    for text in (*told, *records, *map(repr, events)):
        assert clean(text), text


def test_all_that_remembers_and_tells(
    run: Run,
    shop: Path,
    signers: Signers,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """History, editions, the fleet, the page, metrics and the webhook: keys and places alone."""
    receiver = Receiver()
    monkeypatch.setattr(tempfile, "tempdir", str(shop))
    monkeypatch.setenv("RELOAD_CHECK_STATUS_TOKEN", TOKEN)
    (shop / "service.py").write_text(APP.replace("settle=0", 'store="s.db", app="shop", settle=0'))
    (shop / "hook").write_text(receiver.url)
    with (shop / "contract.yaml").open("a") as file:
        file.write("notify: [{url_file: hook, on: [rejected, waiting, reloaded, override]}]\n")
    live: Any = loaded_object("--app", "service:live")
    live.start()
    told: list[str] = []
    store = ("--store", "s.db", "--name", "shop")
    try:
        with application(live) as url:

            def look() -> None:
                for format_ in ("html", "json", "prometheus", "text"):
                    for more in ("", "&key=things", "&key=number"):
                        told.append(fetched(f"{url}?format={format_}{more}"))
                for words in (("history",), ("history", "--json"), ("fleet", "--json")):
                    told.append(run(*words, *store).out)

            for name, outcome in (("new", Outcome.WAITING), ("wrong", Outcome.REJECTED)):
                (shop / "config.yaml").write_text((shop / f"{name}.yaml").read_text())
                assert live.check() is outcome
                look()
            (shop / "config.yaml").write_text((shop / "new.yaml").read_text())
            by = ("--app", "service:live", "--why", "a rotation", "--key", key(signers, OTTO))
            run("override", "config.yaml", *by)
            assert live.check() is Outcome.RELOADED
            until(lambda: "2 " in run("history", *store).out)
            look()
        until(lambda: len(receiver.told) >= 4)
        states = {body["state"] for body, _, _ in receiver.told}
        assert states == {"reloaded", "waiting", "rejected", "override"}
        told += [str(body) for body, _, _ in receiver.told]
        for words in (("show", "1"), ("show", "2", "--json"), ("diff", "edition:1", "edition:2")):
            done = run(*words, *store)
            assert done.status == 0, done
            told += [done.out, done.err]
        told.append(run("history", "--reviewed", "no", *store).out)
    finally:
        live.close()
        receiver.close()
    assert any("things.leave" in one for one in told)
    for text in told:
        assert clean(text), text
    assert OLD in run("show", "1", "--raw", *store).out  # which says that it hides nothing


def fetched(url: str) -> str:
    """Return what an address says to who has the token."""
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(request, timeout=30) as response:
        return str(response.read().decode())


def test_a_rule_that_cannot_be_asked(run: Run, shop: Path) -> None:
    """The library's error quotes what it was given; ours does not."""
    (shop / "contract.yaml").write_text(CONTRACT)
    done = run("diff", "old.yaml", "new.yaml", "--app", "service:live")
    assert done.status == 1
    assert "cannot be asked" in " ".join(done.out.split())
    assert clean(done.out, done.err)
