"""What a contract says of how edits are tried holds in a running engine; the nearest key wins."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reloadcheck import ContractError, Outcome, ReloadCheck
from reloadcheck._engine.api import engine_of
from reloadcheck.testing import FakeClock
from reloadcheck.trial import Trial
from reloadcheck.types import TrialStatus
from tests.support.fixtures import Make
from tests.support.rig import begin, until

CONFIG = "flags: {new: 1, old: 1}\npayment: {timeout: 3, refund: 1}\nlog: 1\n"
CONTRACT = """\
reloadcheck: 1
keys:
  flags: {trial: {shares: [0.5], seconds: 30}}
  flags.new: {trial: {shares: [0.25], seconds: 90, watch: 0}}
  payment: {signal: payment-failed}
  payment.refund: {signal: refund-failed}
"""
WHOLE = "trial: {shares: [0.1], seconds: 20, units: 1}\n"

Making = Callable[..., "Shop"]


class Shop:
    """An engine behind a contract, and its file."""

    def __init__(self, make: Make, directory: Path, contract: str, **options: Any) -> None:
        self.file = directory / "config.yaml"
        self.file.write_text(CONFIG)
        (directory / "contract.yaml").write_text(contract)
        self.live: ReloadCheck[Any] = make(
            self.file,
            settle=0.0,
            verify=0.0,
            contract=directory / "contract.yaml",
            **options,
        )

    def edit(self, old: str, new: str) -> Outcome:
        """Replace a text in the file and have it checked."""
        self.file.write_text(self.file.read_text().replace(old, new))
        return self.live.check()

    @property
    def trial(self) -> TrialStatus:
        """Return what is told of the trial that is on."""
        found = self.live.status().trial
        assert found is not None
        return found


@pytest.fixture
def shop(make: Make, tmp_path: Path) -> Making:
    """Make a started engine behind a contract."""

    def making(contract: str, **options: Any) -> Shop:
        made = Shop(make, tmp_path, contract, **options)
        begin(made.live)
        return made

    return making


def test_a_contract_alone_tries_nothing(shop: Making) -> None:
    """That an edit takes a minute is for the code to say, or for an operator's switch."""
    made = shop("reloadcheck: 1\n" + WHOLE)
    assert made.edit("log: 1", "log: 2") is Outcome.RELOADED


@pytest.mark.parametrize("how", [{"trial": True}, {"environ": {"RELOAD_CHECK_TRIAL": "on"}}])
def test_a_contract_says_how_edits_are_tried(shop: Making, how: dict[str, Any]) -> None:
    """What it says of all edits wins over the code, whose word or whose switch it takes."""
    made = shop("reloadcheck: 1\n" + WHOLE, **how)
    assert made.edit("log: 1", "log: 2") is Outcome.TRYING
    assert (made.trial.share, round(made.trial.left)) == (0.1, 20)


def test_the_nearest_key_says_how(shop: Making) -> None:
    """`flags.new` wins over `flags`, that over what is said of all, and that over the code."""
    made = shop(CONTRACT + WHOLE, trial=Trial(shares=(0.01,), seconds=10.0, longest=70.0))
    made.edit("log: 1", "log: 2")
    assert (made.trial.share, round(made.trial.left)) == (0.1, 20)
    made.edit("old: 1", "old: 2")
    assert (made.trial.share, round(made.trial.left)) == (0.5, 30)
    made.edit("log: 2", "log: 1")
    made.edit("old: 2", "old: 1")
    assert made.edit("new: 1", "new: 2") is Outcome.TRYING
    assert (made.trial.share, round(made.trial.left)) == (0.25, 90)


def test_of_several_keys_the_most_careful(shop: Making) -> None:
    """The smallest share and the longest time of what is said of the keys that one edit changes."""
    made = shop(CONTRACT, trial=True)
    made.edit("{new: 1, old: 1}", "{new: 2, old: 2}")
    assert (made.trial.share, round(made.trial.left)) == (0.25, 90)
    assert made.live.promote() is Outcome.RELOADED
    watching = made.live.status().trial
    assert watching is not None
    assert watching.phase == "watching"  # sixty seconds, of which `flags` says nothing


def test_a_key_without_a_watch(shop: Making) -> None:
    """`watch: 0` of the key of an edit keeps nothing ready."""
    made = shop(CONTRACT, trial=True)
    made.edit("new: 1", "new: 2")
    assert made.live.promote() is Outcome.RELOADED
    assert made.live.status().trial is None


def test_an_operator_switches_it_off(make: Make, tmp_path: Path) -> None:
    """`RELOAD_CHECK_TRIAL=off` wins over a contract, too."""
    off = {"RELOAD_CHECK_TRIAL": "off"}
    made = Shop(make, tmp_path, "reloadcheck: 1\n" + WHOLE, trial=True, environ=off)
    begin(made.live)
    assert made.edit("log: 1", "log: 2") is Outcome.RELOADED


def signals(status: TrialStatus) -> list[tuple[str, int, int]]:
    """Return what was counted, by signal."""
    return [(one.name, one.on_candidate, one.bad) for one in status.signals]


def test_the_signal_of_the_nearest_key_is_shown(shop: Making) -> None:
    """People see from the beginning by which marks an edit is judged."""
    made = shop(CONTRACT + WHOLE, trial=True)
    made.edit("timeout: 3", "timeout: 4")
    assert signals(made.trial) == [("marked: payment-failed", 0, 0)]
    made.edit("timeout: 4, refund: 1", "timeout: 3, refund: 2")
    assert signals(made.trial) == [("marked: refund-failed", 0, 0)]


def marked(live: ReloadCheck[Any], name: str) -> None:
    """Have a unit of work marked."""
    with live.lease(trial=True):
        live.mark(name)


def test_a_signal_undoes_in_a_trial_and_in_its_watch(shop: Making, clock: FakeClock) -> None:
    """A mark that a contract names counts after the promotion, too, as a failure does."""
    made = shop(CONTRACT + "trial: {shares: [0.1], seconds: 5, units: 0, watch: 30}\n", trial=True)
    made.edit("timeout: 3", "timeout: 4")
    assert made.live.promote() is Outcome.RELOADED
    for _ in range(30):
        marked(made.live, "nobody-named-it")
    assert made.live.check() is Outcome.UNCHANGED
    for _ in range(30):
        marked(made.live, "payment-failed")
    until(lambda: made.live.status().code == "watch", clock)
    assert made.live.snapshot.config.payment.timeout == 3


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ("trial: {shares: [0.5, 0.2]}", "2:17: shares must be numbers between 0 and 1 that rise"),
        ("trial: {seconds: soon}", "2:18: seconds must be a number of seconds, 0 or more"),
        ("trial: {luck: 2}", "2:15: luck must be a number between 0 and 1"),
        ("trial: {bad: [bad]}", "2:14: bad must be statuses"),
        ("trial: {act: shout}", "2:14: act must be 'undo' or 'tell'"),
        ("trial: {units: {a: 1}}", "2:16: units must be a whole number"),
        ("trial: on", "2:8: a trial is a mapping of"),
        ("keys: {log: {trial: {share: 1}}}", "2:22: a trial knows no share"),
        ("keys: {log: {trial: {units: many}}}", "2:29: units must be a whole number"),
        ("keys: {log: {signal: [a]}}", "2:22: `signal:` is a text"),
    ],
)
def test_what_is_wrong_fails_the_start(make: Make, tmp_path: Path, said: str, fault: str) -> None:
    """At its line and column; no edit is ever tried by a trial that nobody meant."""
    made = Shop(make, tmp_path, f"reloadcheck: 1\n{said}\n")
    with pytest.raises(ContractError) as caught:
        made.live.start()
    [problem] = caught.value.problems
    assert f"{problem.line}:{problem.column}: {problem.reason}".startswith(fault)


def test_statuses_are_read_as_they_are_written(shop: Making) -> None:
    """`bad: [503, 4xx]` needs no quotes."""
    made = shop("reloadcheck: 1\ntrial: {bad: [503, 4xx]}\n", trial=True)
    made.edit("log: 1", "log: 2")
    gate = engine_of(made.live).trial
    assert gate is not None
    assert gate.run is not None
    assert gate.run.trial.bad == ("503", "4xx")
