"""Leave that cannot be worded, written or found; `doctor` on contracts that ask for none."""

# What comes seldom is made to happen from within.
# pyright: reportPrivateUsage=false
# pyright: reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reloadcheck.cli import _statement_wording
from reloadcheck.cli._arguments import parser_of
from reloadcheck.cli._doctor.finding import Level
from reloadcheck.cli._doctor.machine import Machine
from reloadcheck.cli._doctor.policy import contract
from reloadcheck.cli._inputs import inputs_of, loaded_object
from reloadcheck.cli._statement_places import BesideFile, _is_over
from reloadcheck.cli._statement_wording import Wording
from reloadcheck.exceptions import StoreLostError, UsageError
from reloadcheck.policy.statement import ANYTHING, statement_of
from tests.cli.conftest import Run
from tests.cli.shop import APP, CONFIG, CONTRACT, DORA, OTTO, edit, key, shop, signers
from tests.policy.signing import Signers

__all__ = ["shop", "signers"]

TYPED = """\
from dataclasses import dataclass

@dataclass(frozen=True)
class Settings:
    database: dict[str, object]
    log: dict[str, object]

"""
WORDS = ("approve", "config.yaml", "--app", "service:live", "--why", "x")


@pytest.fixture
def before(shop: Path) -> str:
    """The digest of what serves, of which the shop's file is an edit."""
    from reloadcheck.cli._reading import known_of
    from reloadcheck.cli._sides import Side
    from reloadcheck.sources import FileSource

    known = known_of([FileSource(shop / "config.yaml")], 10_000)
    assert known.parsed is not None
    digest = Side(known, (), known.parsed.tree).digest
    edit(shop)
    return digest


def _without(shop: Path, *lines: str) -> None:
    kept = [one for one in CONTRACT.splitlines() if not one.startswith(lines)]
    (shop / "contract.yaml").write_text("\n".join(kept) + "\n")


def test_a_contract_that_asks_nobody_has_nothing_to_sign(run: Run, shop: Path, before: str) -> None:
    """Without approvers nobody could verify it; without `override:` there is no glass to break."""
    _without(shop, "override:")
    done = run("override", *WORDS[1:], "--from", before)
    assert (done.status, "nobody may break the glass" in done.err) == (2, True)
    (shop / "contract.yaml").write_text("reloadcheck: 1\nservice: shop\n")
    done = run(*WORDS, "--from", before)
    assert (done.status, "names no `approvers:`" in done.err) == (2, True)


def test_what_serves_must_be_good_and_be_there(
    run: Run, shop: Path, before: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that cannot be read is no base; an application that serves nothing yet has none."""
    (shop / "old.yaml").write_text("database: [\n")
    done = run(*WORDS, "--from", "old.yaml")
    assert (done.status, done.lines[-1]) == (1, "FAILED: nothing can be signed")
    told = run(*WORDS, "--from", "old.yaml", "--json").document
    assert (told["ok"], told["problems"][0]["path"]) == (False, "old.yaml")
    monkeypatch.setenv("RELOAD_CHECK_STATUS_URL", "http://127.0.0.1:1/status")
    monkeypatch.setattr(_statement_wording, "asked", lambda *_: {"digest": None})
    done = run(*WORDS)
    assert (done.status, "the application serves nothing yet" in done.err) == (2, True)
    assert "usage:" not in done.err


def test_a_worker_without_a_request_is_not_believed(
    run: Run, shop: Path, before: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It knows nothing of what the others serve: behind one address another is asked."""
    monkeypatch.setenv("RELOAD_CHECK_STATUS_URL", "http://127.0.0.1:1/status")
    told = iter([{"digest": None}, {"digest": None}, {"digest": before}])
    monkeypatch.setattr(_statement_wording, "asked", lambda *_: next(told))
    done = run(*WORDS, "--json")
    assert done.status == 0
    assert f"from: {before}\n" in done.document["statement"]


def test_keys_that_are_named_ask_those_whose_they_are(run: Run, shop: Path, before: str) -> None:
    """Also below a key that the contract names; as JSON, where nothing is to be written."""
    done = run(*WORDS, "--from", before, "--keys", "database.pool_max", "--json")
    assert done.status == 0
    assert sorted(done.document["roles"]) == ["architect", "dba"]
    (shop / "config.yaml").write_text(CONFIG.replace("INFO", "DEBUG"))
    (shop / "old.yaml").write_text(CONFIG.replace("INFO", "ERROR"))
    done = run(*WORDS, "--from", "old.yaml", "--json")
    said = "Nothing that the edit changes needs anybody's leave."
    assert done.document == {"ok": True, "written": False, "says": said}


@pytest.mark.parametrize("verb", ["approve", "override"])
def test_a_key_that_the_schema_lacks_is_not_signed(run: Run, shop: Path, verb: str) -> None:
    """It would let nothing through, and whoever is in a hurry would not know why."""
    (shop / "service.py").write_text(TYPED + APP.replace("settle=0", "settle=0, schema=Settings"))
    done = run(verb, *WORDS[1:], "--from", "0" * 64, "--keys", "log,databse")
    assert done.status == 2
    assert "--keys: the schema has no key databse; did you mean database?" in done.err


def test_a_statement_that_cannot_be_written_is_told(
    run: Run, shop: Path, before: str, signers: Signers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the reason, and what to do without; what is no statement is over."""
    place = BesideFile(shop / "nowhere" / "config.yaml.approval")
    with pytest.raises(UsageError, match="cannot be written: No such file or directory"):
        place.write("text", 0.0)
    assert _is_over("no statement", 0.0)


def test_an_override_for_the_same_keys_is_signed_again_and_no_other(
    run: Run, shop: Path, before: str, signers: Signers
) -> None:
    """The statement that lies there says the same only for the very same keys."""
    given = ["override", *WORDS[1:], "--from", before, "--key", key(signers, OTTO)]
    done = run(*given, "--keys", "database")
    assert done.status == 0, done
    text = (shop / "config.yaml.override").read_bytes()
    one = statement_of(text, signed=False)
    wording = Wording(
        "override", "config.yaml", one.service, one.environment, one.base, ANYTHING, ("database",),
        "", None, (), {}, "", 0.0,
    )  # fmt: skip
    assert wording.is_same(one)
    assert not replace(wording, keys=("log",)).is_same(one)
    assert not replace(wording, keys=(ANYTHING,)).is_same(one)
    assert not replace(wording, at=one.until).is_same(one)


STORED = """\


live = ReloadCheck(
    "config.yaml", contract="contract.yaml", environment="production", settle=0, verify=0,
    store="store.db",
)
"""


def test_leave_in_a_store_that_is_away_is_unreachable(
    run: Run, shop: Path, before: str, signers: Signers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the status of that, with the reason; in a store without a name nobody would find it."""
    (shop / "other.db").touch()
    words = [*WORDS, "--from", before, "--key", key(signers, DORA)]
    done = run(*words, "--store", "other.db")
    assert (done.status, "name the application in the store by --name" in done.err) == (2, True)

    def away(self: object) -> Iterator[bytes]:
        raise StoreLostError("is away")

    monkeypatch.setattr("reloadcheck.cli._statement_places.InStore.texts", away)
    done = run(*words, "--store", "other.db", "--name", "shop", "--json")
    assert (done.status, json.loads(done.out)["error"]) == (3, "is away")


def test_a_base_that_cannot_be_read_is_no_old_side(run: Run, shop: Path, before: str) -> None:
    """`validate --old` says what is wrong with it; a file that is wrong itself is not judged."""
    (shop / "old.yaml").write_text("database: [\n")
    given = ("validate", "config.yaml", "--app", "service:live", "--old", "old.yaml")
    done = run(*given)
    assert (done.status, "--old old.yaml:" in done.err) == (2, True)
    (shop / "old.yaml").write_text(CONFIG)
    (shop / "config.yaml").write_text("database: [\n")
    assert run(*given).status == 1


# ------------------------------------------------------------------------------ doctor


def _found(machine: Machine) -> list[Any]:
    arguments = parser_of().parse_args(["doctor", "--app", "service:live"])
    return [*contract(inputs_of(arguments, []), machine)]


def test_an_application_without_a_contract_hears_nothing_of_one(shop: Path) -> None:
    """Nor of approvers, where the contract names none."""
    (shop / "contract.yaml").write_text("reloadcheck: 1\nservice: shop\n")
    assert [one.check for one in _found(Machine())] == ["contract", "contract", "zone"]
    (shop / "service.py").write_text(
        "from reloadcheck import ReloadCheck\nlive = ReloadCheck('config.yaml')\n"
    )
    import sys

    del sys.modules["service"]
    assert _found(Machine()) == []
    live: Any = loaded_object("--app", "service:live")
    assert live.status().state == "idle"


def test_a_contract_that_nobody_can_write_here_binds(shop: Path, tmp_path: Path) -> None:
    """On a mount that is read-only; or that went away meanwhile, as far as can be told."""
    (tmp_path / "proc" / "self").mkdir(parents=True)
    (tmp_path / "proc" / "self" / "mountinfo").write_text("1 0 0:40 / / ro - ext4 /dev/sda1 rw\n")
    found = _found(Machine(proc=str(tmp_path / "proc")))
    said = [one.said for one in found if one.check in ("contract", "approvers")]
    assert sum("is mounted read-only" in one for one in said) == 2

    def gone(path: str | int) -> os.stat_result:
        raise FileNotFoundError(path)

    found = _found(replace(Machine(), proc=str(tmp_path), stat=gone))
    assert {one.level for one in found if "written by this user" in one.said} == {Level.PASS}
