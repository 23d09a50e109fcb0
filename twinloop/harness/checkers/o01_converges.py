"""O1: eventually the world is as the scenario's table says, and it stays so.

The finite form of "whenever something is desired, it comes to be so, for good": at most `bound` seconds after the last fault
and the last user operation the table holds, and it holds at every state of the quiet window after that.

Limits: the table says what the scenario's author thought of. A world that is right by accident, written to all the time, is
O6's concern.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from twinloop.harness.checkers.findings import Breach, ok, unknown, violated
from twinloop.harness.checkers.timeline import name_of, uid_of
from twinloop.harness.checkers.trial_view import Trial
from twinloop.harness.history import Expect, Mark, Truth
from twinloop.harness.objects import controller
from twinloop.harness.table import mismatch
from twinloop.harness.verdict import Finding
from twinloop.kube import PODS, Object

ORACLE = "O1"


@dataclass
class Held:
    """One line of the table while the truth goes by: since when it holds, or why not."""

    expect: Expect
    since: float = 0.0
    why: str = "nothing was seen of it"
    last_bad: int = 0
    broken: list[Breach] = field(default_factory=list)

    def look(self, why: str, truth: Truth, quiet: bool) -> None:
        """Take the state after one truth record."""
        if why and not self.why and quiet:
            self.broken.append(Breach(f"in the quiet window {why}", (truth.seq,)))
        if self.why and not why:
            self.since = truth.t
        self.why, self.last_bad = why, truth.seq if why else self.last_bad


class Replay:
    """The truth as it came in, and the lines of a table beside it. Only the lines that a record concerns are looked at again."""

    def __init__(self, table: dict[str, Expect]) -> None:
        self.lines = {name: Held(expect) for name, expect in table.items()}
        self._nginxpods: dict[str, Object] = {}
        # Owner's name -> its pods: a line of the table needs no others.
        self._pods: dict[str, dict[str, Object]] = defaultdict(dict)
        self._owner: dict[str, str] = {}

    def take(self, truth: Truth, quiet: bool) -> None:
        """Apply a record and look again at the lines that it concerns."""
        for name in self._apply(truth):
            if name in self.lines:
                pods = list(self._pods[name].values())
                line = self.lines[name]
                line.look(mismatch(line.expect, self._nginxpods.get(name), pods), truth, quiet)

    def _apply(self, truth: Truth) -> set[str]:
        obj, name, gone = truth.object, name_of(truth.object), truth.type == "DELETED"
        if truth.resource != str(PODS):
            if not gone:
                self._nginxpods[name] = obj
            elif uid_of(self._nginxpods.get(name, obj)) == uid_of(obj):
                self._nginxpods.pop(name, None)
            return {name}
        uid, owner = uid_of(obj), str(controller(obj).get("name", ""))
        before = self._owner.get(uid, owner)
        self._pods[before].pop(uid, None)
        if not gone:
            self._pods[owner][uid] = obj
            self._owner[uid] = owner
        return {before, owner}


def check(trial: Trial) -> Finding:
    """See the module."""
    if trial.rest is None:
        return unknown(ORACLE, "the trial ended before its quiet window")
    table = trial.expected(trial.rest.seq)
    if not table:
        return unknown(ORACLE, "the scenario expects nothing in particular")
    settled = trial.history.mark("settled")
    replay = Replay(table)
    for truth in trial.history.of(Truth):
        if truth.seq < trial.rest.seq:
            replay.take(truth, quiet=settled is not None and truth.seq > settled.seq)
    # A line that expects nothing of a name holds without any record of it.
    for line in replay.lines.values():
        if line.expect.gone and not line.last_bad and line.why:
            line.why = ""
    return _verdict(trial, list(replay.lines.values()))


def _verdict(trial: Trial, lines: list[Held]) -> Finding:
    start = max((mark.t for name in ("story-end", "faults-over") if (mark := trial.history.mark(name))), default=0.0)
    wrong = [Breach(f"in the end {line.why}", (line.last_bad,) if line.last_bad else ()) for line in lines if line.why]
    numbers = {"converged": None if wrong else round(max(0.0, max(line.since for line in lines) - start), 3)}
    if wrong:
        return violated(ORACLE, wrong, {**numbers, "never": len(wrong)})
    broken = [breach for line in lines for breach in line.broken] + _phases(trial)
    late = [
        Breach(
            f"{line.expect.name} was right only {line.since - start:.1f} s after the last fault, the bound is {limit:g} s"
        )
        for limit in [trial.bound("bound")]
        for line in lines
        if line.since - start > limit and not trial.settled
    ]
    if broken or late:
        return violated(ORACLE, [*broken, *late], numbers)
    return ok(ORACLE, f"the world is as expected, {numbers['converged']} s after the last change or fault", **numbers)


def _phases(trial: Trial) -> list[Breach]:
    """Tables of the story before the last one that did not come to hold."""
    marks = [mark for mark in trial.history.of(Mark) if mark.name == "phase" and not mark.ok]
    return [Breach(f"on the way: {mark.detail or 'it never came to rest'}", (mark.seq,)) for mark in marks]
