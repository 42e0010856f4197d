"""What several workers have counted of one trial, weighed by one judge for each signal."""

from collections.abc import Iterable

from ..seams.trial import Counted
from .judge import Judge

__all__ = ["weighed"]


def weighed(counts: Iterable[Counted]) -> dict[str, Judge]:
    """Return the judge of each signal over all that was counted, in whatever order.

    A visitor who fell alike on several workers counts once, as at the first of the shares in force.
    What another release has weighed at other rates cannot be added, and is left out.
    """
    judges = dict[str, Judge]()
    visitors = dict[str, dict[str, tuple[float, bool]]]()
    for counted in counts:
        for name, told in counted.signals.items():
            judge = judges.setdefault(name, Judge())
            if len(told[-1]) == len(judge.sums):
                judge.take(*told)
        for name, keyed in counted.keyed.items():
            known = visitors.setdefault(name, {})
            for key, (on_candidate, share) in keyed.items():
                known[key] = min(known.get(key, (share, on_candidate)), (share, on_candidate))
    for name, known in visitors.items():
        judge = judges.setdefault(name, Judge())
        for share, on_candidate in known.values():
            judge.add(on_candidate, share)
    return judges
