"""What several workers have counted is weighed as if one of them had seen it all."""

from itertools import permutations

from reloadcheck.seams.trial import Counted
from reloadcheck.trial import Judge
from reloadcheck.trial.weighing import weighed


def _judged(*units: tuple[bool, float]) -> Judge:
    judge = Judge()
    for on_candidate, share in units:
        judge.add(on_candidate, share)
    return judge


def test_units_of_all_workers_are_summed() -> None:
    """Each bad unit counts, whoever served it."""
    both = [_judged((True, 0.2), (False, 0.2)), _judged((True, 0.01))]
    counts = [Counted(signals={"failed": (one.bad, one.on_candidate, one.sums)}) for one in both]
    together = weighed(counts)["failed"]
    alone = _judged((True, 0.2), (False, 0.2), (True, 0.01))
    assert (together.bad, together.on_candidate) == (3, 2)
    assert round(together.luck, 12) == round(alone.luck, 12)


def test_a_visitor_counts_once_by_the_first_share() -> None:
    """Whatever the order of workers: he was on what serves at 1 %, and on the candidate later."""
    early = Counted(keyed={"failed": {"ada": (False, 0.01), "bob": (True, 0.2)}})
    late = Counted(keyed={"failed": {"ada": (True, 0.2), "bob": (True, 0.2)}})
    plain = _judged((True, 0.2))
    rest = Counted(signals={"failed": (plain.bad, plain.on_candidate, plain.sums)})
    alone = _judged((False, 0.01), (True, 0.2), (True, 0.2))
    for order in permutations([early, late, rest]):
        judge = weighed(order)["failed"]
        assert (judge.bad, judge.on_candidate) == (3, 2)
        assert round(judge.luck, 12) == round(alone.luck, 12)


def test_what_was_weighed_at_other_rates_is_left_out() -> None:
    """As by another release: the rest counts, and nothing fails."""
    mine = _judged((True, 0.2))
    here = Counted(signals={"failed": (mine.bad, mine.on_candidate, mine.sums)})
    other = Counted(signals={"failed": (1, 1, (*mine.sums, 0.5))})
    judge = weighed([other, here])["failed"]
    assert (judge.bad, judge.on_candidate, judge.luck) == (1, 1, mine.luck)
