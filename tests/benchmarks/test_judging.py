"""The benchmarks' arithmetic on made-up numbers: medians, controls, verdicts."""

from pathlib import Path

import pytest

from .__main__ import main
from .judging import BAND, GROSS, Claim, Report, Row, Series, ratio
from .printing import as_json, as_markdown, as_text, from_json, shown, with_section
from .rounds import Size, interleave


def test_a_ratio_is_one_of_medians() -> None:
    """One round that another process ruined changes no ratio."""
    ours, theirs = Series((2.0, 2.2, 900.0)), Series((1.0, 1.1, 1.2))
    assert ratio(ours, theirs) == 2.0
    assert ours.quartiles == (2.1, 451.1)


def test_what_is_added_is_taken_round_by_round() -> None:
    """A round in which the machine was slow was slow for the bare contestant too."""
    assert Series((3.0, 12.0, 4.0)).less(Series((2.0, 10.0, 3.0))).values == (1.0, 2.0, 1.0)


def test_nothing_is_no_measure() -> None:
    """Where what is compared against came out as nothing, no ratio passes."""
    assert Claim("m", ratio(Series((1.0,)), Series((0.0,))), 5.0).verdict == "missed"


def test_a_percentile_is_a_value_that_was_measured() -> None:
    """The last of a hundred is the 99th percentile, a single value all of them."""
    assert Series(tuple(map(float, range(1, 101)))).percentile(99) == 100
    assert Series((7.0,)).percentile(50) == 7.0
    assert Series((7.0,)).quartiles == (7.0, 7.0)


@pytest.mark.parametrize(
    ("value", "control", "verdict"),
    [
        (1.7, 1.0, "pass"),
        (1.71, 1.0, "missed"),
        (0.1, 1.0 + BAND + 0.01, "too noisy to tell"),
        (9.9, 1.0 - BAND - 0.01, "too noisy to tell"),
        (1.0, 1.0 + BAND / 2, "pass"),
        (1.0, None, "pass"),
    ],
)
def test_a_verdict_believes_no_ratio_beyond_its_control(
    value: float, control: float | None, verdict: str
) -> None:
    """Neither a good nor a bad one; and the target itself is still met."""
    assert verdict == Claim("m", value, 1.7, control=control).verdict


def test_more_may_be_better() -> None:
    """A throughput is to be at least its target."""
    claims = [Claim("m", value, 0.7, turned=True) for value in (0.8, 0.7, 0.6, 0.0)]
    assert [claim.verdict for claim in claims] == ["pass", "pass", "missed", "missed"]
    assert [claim.gross for claim in claims] == [False, False, False, True]


def test_a_short_run_fails_on_gross_misses_alone() -> None:
    """A miss by less, or one that is too noisy to be told, is no failure."""
    assert Claim("m", 1.01 * GROSS, 1.0, control=1.0).gross
    assert not Claim("m", 0.99 * GROSS, 1.0, control=1.0).gross
    assert not Claim("m", 9.9, 1.0, control=1.5).gross


def test_each_round_has_each_contestant_once() -> None:
    """In an order that changes, and as often in each round."""
    seen: list[str] = []

    def batch(name: str, seconds: float, times: int) -> float:
        seen.append(name)
        return seconds * times

    found = interleave(
        {
            "a": lambda times: batch("a", 0.001, times),
            "b": lambda times: batch("b", 0.01, times),
        },
        Size(rounds=8, batch=0.1),
    )
    rounds = [tuple(seen[-16:][n : n + 2]) for n in range(0, 16, 2)]
    assert set(rounds) == {("a", "b"), ("b", "a")}
    assert pytest.approx(found["a"].values) == (0.001,) * 8
    assert pytest.approx(found["b"].values) == (0.01,) * 8


def test_a_run_can_be_shown_later(tmp_path: Path) -> None:
    """JSON gives back what was measured, and the page's section says what and where."""
    claim = Claim("cost", 0.02, 1 / 7, control=1.04, floor=0.01)
    report = Report(
        "title", (Row.of("ours", Series((1.0, 2.0, 3.0)), "ns"),), (claim,), ("note",), ("aside",)
    )
    found, where = from_json(as_json({"request": [report]}, "a machine"))
    assert ({"request": [report]}, "a machine") == (found, where)
    section = as_markdown(found, where)
    assert "Measured on a machine." in section
    assert "| cost | ≤ 0.14 × | 1/50 | 1/100 | 1.04 | pass |" in section
    assert section.endswith("\n\n- aside\n")
    assert "pass: cost: 1/50 (at most 0.14 ×, floor 1/100, control 1.04)" in as_text([report])
    readme = "# A\n<!-- costs -->\nold\n<!-- /costs -->\nrest\n"
    assert with_section(readme, section) == f"# A\n<!-- costs -->\n{section}<!-- /costs -->\nrest\n"


def test_runs_made_apart_are_shown_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each with where it ran; nothing is measured anew."""
    for name, load in (("request", 1), ("scale", 2)):
        claim = Claim(name, 9.9, 1.0)
        report = Report(name, (), (claim,))
        (tmp_path / name).write_text(as_json({name: [report]}, f"here, load average {load}"))
    files = [str(tmp_path / name) for name in ("request", "scale")]
    assert main(["--json", "--from", *files]) == 0
    shown, where = from_json(capsys.readouterr().out)
    assert (list(shown), where) == (["request", "scale"], "here, load average 1 … 2")
    assert main(["--quick", "--from", *files]) == 1
    assert "missed by far: scale" in capsys.readouterr().err


def test_numbers_have_three_digits() -> None:
    """As many as are worth reading, and fractions where they are small."""
    assert [
        shown(1.2345, "×"),
        shown(12.345, "ns"),
        shown(1234.5678, "ns"),
    ] == ["1.23 ×", "12.3 ns", "1,235 ns"]
