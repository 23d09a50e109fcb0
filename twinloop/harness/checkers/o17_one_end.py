"""O17: all plans of one story come to one end: whatever goes wrong on the way, there is one world to converge to.

The normal forms of all trials of one variant that came to rest are compared; more than one is a breach, shown by the pair that
differs least.

Limits: a plan whose trial never came to rest is left out here, and is O1's.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from twinloop.harness.checkers.findings import Breach, ok, unknown, violated
from twinloop.harness.checkers.normal import Form, differing, form, shown
from twinloop.harness.checkers.trial_view import Trial
from twinloop.harness.verdict import Finding

ORACLE = "O17"


def check_many(trials: Sequence[Trial]) -> Finding:
    """See the module. All trials are of one variant and one scenario."""
    resting = [trial for trial in trials if trial.rest is not None and trial.settled]
    if len(resting) < 2:
        return unknown(ORACLE, "fewer than two trials came to rest")
    ends: dict[frozenset[tuple[str, str]], tuple[str, Form]] = {}
    for trial in resting:
        reached = form(trial, trial.rest_number)
        ends.setdefault(frozenset(reached.items()), (trial.begin.plan or "no fault", reached))
    if len(ends) == 1:
        return ok(ORACLE, f"{len(resting)} trials came to one end", ends=1, compared=len(resting))
    pairs = combinations(ends.values(), 2)
    (one, first), (two, second) = min(pairs, key=lambda pair: len(differing(pair[0][1], pair[1][1])))
    path = differing(first, second)[0]
    message = f"{len(ends)} different ends; between {one} and {two} {shown(first, second, path)}"
    return violated(ORACLE, [Breach(message)], {"ends": len(ends), "compared": len(resting)})
