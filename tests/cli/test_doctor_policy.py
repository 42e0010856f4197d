"""`doctor` on a contract: who can write it, and whether what it needs is here."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reloadcheck.cli._arguments import parser_of
from reloadcheck.cli._doctor.finding import Level
from reloadcheck.cli._doctor.machine import Machine
from reloadcheck.cli._doctor.policy import contract
from reloadcheck.cli._inputs import Inputs, inputs_of
from tests.cli.conftest import Run
from tests.cli.shop import shop, signers

__all__ = ["shop", "signers"]

OTHER = 4711


def inputs(shop: Path) -> Inputs:
    """Return the shop's engine as the command has it."""
    return inputs_of(parser_of().parse_args(["doctor", "--app", "service:live"]), [])


def machine(*, mode: int, owner: int, group: int = OTHER, within: int = 0o755) -> Machine:
    """Return a machine on which the shop's files have this mode and these owners."""

    def stat(path: str | int) -> os.stat_result:
        real = os.stat(path)
        inside = os.path.isdir(path) if isinstance(path, str) else False
        given = within if inside else mode
        kind = real.st_mode & 0o170000
        return os.stat_result((kind | given, *real[1:4], owner, group, *real[6:]))

    return replace(Machine(), uid=1000, gids=frozenset((1000,)), stat=stat)


@pytest.mark.parametrize(
    ("mode", "owner", "group", "within", "level"),
    [
        (0o644, OTHER, OTHER, 0o755, Level.PASS),
        (0o644, 1000, OTHER, 0o755, Level.WARN),
        (0o444, 1000, OTHER, 0o755, Level.WARN),
        (0o664, OTHER, 1000, 0o755, Level.WARN),
        (0o644, OTHER, 1000, 0o755, Level.PASS),
        (0o646, OTHER, OTHER, 0o755, Level.WARN),
        (0o644, OTHER, OTHER, 0o777, Level.WARN),
        (0o644, OTHER, OTHER, 0o1777, Level.PASS),
    ],
)
def test_who_can_write_contract_and_signers_is_judged_by_mode_and_owner(
    shop: Path, mode: int, owner: int, group: int, within: int, level: Level
) -> None:
    """Also by way of the directory, unless that is sticky; whoever runs the doctor."""
    around = machine(mode=mode, owner=owner, group=group, within=within)
    found = [*contract(inputs(shop), around)]
    judged = [one for one in found if "uid 1000" in one.said]
    assert [(one.check, one.level) for one in judged] == [("contract", level), ("approvers", level)]


def test_it_is_part_of_the_command(run: Run, shop: Path) -> None:
    """A group of its own; an application without a contract gets none."""
    groups = run("doctor", "--app", "service:live", "--json").document["groups"]
    (own,) = [one for one in groups if one["name"] == "contract.yaml"]
    checks = [one["check"] for one in own["findings"]]
    assert checks == ["contract", "contract", "zone", "approvers", "ssh-keygen"]
    groups = run("doctor", "config.yaml", "--no-app", "--json").document["groups"]
    assert [one["name"] for one in groups] == ["config.yaml", "this machine"]


def test_what_is_missing_here_is_named_with_its_remedy(
    run: Run, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ssh-keygen, the extra for rules, the zone data."""
    text = (shop / "contract.yaml").read_text()
    rule = "rules: [{rule: self.log.level != 'DEBUG', says: quiet}]\nzone: Europe/Berlin\n"
    (shop / "contract.yaml").write_text(text + rule)

    def broken() -> list[Any]:
        groups = run("doctor", "--app", "service:live", "--json").document["groups"]
        (own,) = [one for one in groups if one["name"] == "contract.yaml"]
        return [one for one in own["findings"] if one["level"] == "fail"]

    assert broken() == []
    monkeypatch.setenv("PATH", str(shop))
    assert [(one["check"], one["remedy"]) for one in broken()] == [
        ("ssh-keygen", "install openssh-client")
    ]
    monkeypatch.setitem(sys.modules, "cel_expr_python.cel", None)
    assert [one["remedy"] for one in broken()] == ["pip install 'reloadcheck[rules]'"]


def test_a_contract_that_is_wrong_is_broken(run: Run, shop: Path) -> None:
    """At its line; status 1."""
    text = (shop / "contract.yaml").read_text()
    (shop / "contract.yaml").write_text(text.replace("{window: never}", "{window: nevr}"))
    done = run("doctor", "--app", "service:live")
    assert done.status == 1
    assert "contract.yaml:5:23: there is no window nevr" in " ".join(done.out.split())


def test_zone_data_that_is_not_there_is_named(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slim image has none: install tzdata."""
    import zoneinfo

    def none(name: str) -> object:
        raise zoneinfo.ZoneInfoNotFoundError(name)

    with (shop / "contract.yaml").open("a") as file:
        file.write("zone: Europe/Berlin\n")
    monkeypatch.setattr(zoneinfo, "ZoneInfo", none)
    monkeypatch.setattr(zoneinfo, "available_timezones", set[str])
    found = [one for one in contract(inputs(shop), Machine()) if one.level is Level.FAIL]
    assert [one.remedy for one in found] == ["pip install tzdata, or install the system's tzdata"]


@pytest.mark.parametrize("has_store", [False, True])
def test_restart_only_keys_want_a_store(run: Run, shop: Path, has_store: bool) -> None:
    """Without one a recycled worker takes the new value, which is said plainly."""
    text = (shop / "contract.yaml").read_text()
    (shop / "contract.yaml").write_text(text.replace("keys:", "keys:\n  server: {restart: true}"))
    if has_store:
        module = (shop / "service.py").read_text()
        (shop / "service.py").write_text(module.replace("settle=0", 'store="s.db", settle=0'))
    told = " ".join(run("doctor", "--app", "service:live").out.split())
    assert ("a recycled worker takes the new value" in told) is not has_store


def test_an_address_that_is_not_there_is_told(run: Run, shop: Path) -> None:
    """By the notice's place; the address itself, which is a secret, is shown nowhere."""
    with (shop / "contract.yaml").open("a") as file:
        file.write("notify: [{url_file: hook}]\n")
    told = " ".join(run("doctor", "--app", "service:live").out.split())
    line = "contract.yaml:10:10: the file of an address cannot be read: No such file or directory"
    assert f"{line}: until it is there nobody is told" in told
    (shop / "hook").write_text("https://example.test/quartz-molten")
    told = " ".join(run("doctor", "--app", "service:live").out.split())
    assert "contract.yaml:10:10: rejected, undone, override have an address" in told
    assert "quartz" not in told
