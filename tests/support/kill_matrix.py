"""The kill matrix: which oracle sees which bug. Runs every miniature in its story and asks every oracle about it.

    python -m support.kill_matrix > docs/kill-matrix.md       (with tests/ on the path; two minutes)

`tests/harness/test_kill_matrix.py` computes the same and says what must hold of it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from miniatures.base import Miniature
from miniatures.registry import BUGS, RIGHT
from miniatures.stories import STORIES

from twinloop.harness.backends.embedded import EmbeddedBackend
from twinloop.harness.checkers.trial_view import Trial
from twinloop.harness.history import History
from twinloop.harness.job import Job, Variant
from twinloop.harness.judge import ORACLES, judge, judge_group, not_a_test
from twinloop.harness.proxy.host import ProxyHost
from twinloop.harness.scenario import Scenario, Settings, choose
from twinloop.harness.trial import run_trial
from twinloop.harness.verdict import Finding, Verdict

ALL_ORACLES = (*ORACLES, "O12", "O16", "O17")
# Trials at the same time: nothing here is timed, and an operator waits more than it works.
AT_ONCE = 2
# A bug that keeps its story from its end takes all of the bound, often several times.
QUICK = Settings(bound=3.0, canary=3.0)
PATIENT = Settings(bound=10.0)

_COMMAND = (
    "{python} -m miniatures %s --kubeconfig={kubeconfig} --namespace={namespace} --health-port={health_port} "
    "--resync={resync}"
)


def variant(name: str) -> Variant:
    """A miniature as a variant."""
    return Variant(name=name, command=_COMMAND % name, environment={"PYTHONPATH": "{sources}/tests:{sources}"})


def story(shown: str) -> tuple[Scenario, str]:
    """The scenario and the plan that SCENARIO.PLAN names."""
    name, _, plan = shown.partition(".")
    return STORIES[name] if name in STORIES else choose([name])[0], plan


class Matrix:
    """All trials, and what the oracles say of them. `kills`: bug -> the deciding oracles that it violates."""

    def __init__(self, results: Path) -> None:
        self._results = results
        stories = {shown for bug in BUGS.values() for shown in (bug.shown, bug.also) if shown}
        jobs = [(RIGHT, shown) for shown in sorted(stories)]
        jobs += [(name, shown) for name, bug in BUGS.items() for shown in (bug.shown, bug.also) if shown]
        with EmbeddedBackend() as backend, ProxyHost() as proxies, ThreadPoolExecutor(AT_ONCE) as pool:
            self._backend, self._proxies = backend, proxies
            self.trials = dict(zip(jobs, pool.map(self._run, jobs), strict=True))
            # Some bugs are races, and need not show at the first go. A right operator gets no second one.
            missed = {name for name, bug in BUGS.items() if bug.caught not in self._kills(name, bug)}
            again = [job for job in jobs if job[0] in missed]
            self.trials |= dict(zip(again, pool.map(self._run, again), strict=True))
        self.kills = {name: self._kills(name, bug) for name, bug in BUGS.items()}

    def _run(self, job: tuple[str, str]) -> Trial:
        name, shown = job
        scenario, plan = story(shown)
        settings = PATIENT if name == RIGHT else QUICK
        made = Job(scenario, variant(name), plan, scenario.plans[plan], settings=settings)
        folder = run_trial(made, self._backend, self._proxies, self._results)
        return Trial(History.read(folder / "history.jsonl"))

    def wrong(self, name: str, shown: str) -> list[Finding]:
        """The deciding violations of one trial by itself."""
        return _violated(judge(self.trials[name, shown].history), story(shown)[0])

    def invalid(self, name: str, shown: str) -> str:
        """Why a trial was none; "" when it was one."""
        return not_a_test(self.trials[name, shown].history)

    def _kills(self, name: str, bug: type[Miniature]) -> set[str]:
        shown = [each for each in (bug.shown, bug.also) if each]
        group = [self.trials[who, each] for who in (RIGHT, name) for each in shown]
        # What compares trials decides wherever there is something to compare.
        compared = [each for each in judge_group(group)[name] if each.verdict is Verdict.VIOLATED]
        return {each.oracle for each in [*self.wrong(name, bug.shown), *compared]}

    @property
    def alone(self) -> set[str]:
        """The oracles that see some bug which no other one sees.

        Whoever compares trials needs a right operator beside the wrong one: what he sees too makes nobody else redundant.
        """
        by_itself = [seen & set(ORACLES) for seen in self.kills.values()]
        only = [*self.kills.values(), *by_itself]
        return {oracle for seen in only if len(seen) == 1 for oracle in seen}


def _violated(findings: Iterable[Finding], scenario: Scenario) -> list[Finding]:
    decides = set(scenario.deciding or ALL_ORACLES)
    return [each for each in findings if each.verdict is Verdict.VIOLATED and each.oracle in decides]


def page(kills: Mapping[str, set[str]], reasons: Mapping[str, str]) -> str:
    """The matrix as a document."""
    oracles = sorted(ALL_ORACLES, key=lambda each: int(each[1:]))
    lines = [
        "# Who sees which bug",
        "",
        "The oracles are tested by lying to them: each row is a small operator with one bug (`tests/miniatures/`), in the story in",
        "which it shows. X: the oracle that has to see it; x: another one that sees it too. The right operator, in the same stories,",
        "raises nothing. Made by `python -m support.kill_matrix`; what must hold of it is in `tests/harness/test_kill_matrix.py`.",
        "",
        f"| bug | what it does | story | {' | '.join(oracles)} |",
        f"|---|---|---|{'---|' * len(oracles)}",
    ]
    for name, bug in BUGS.items():
        about = (bug.__doc__ or "").splitlines()[0]
        marks = ["" if each not in kills[name] else "X" if each == bug.caught else "x" for each in oracles]
        lines.append(f"| {name} | {about} | `{bug.shown}` | {' | '.join(marks)} |")
    lines += [
        "",
        "Oracles that see nothing here which another one does not see too (O12 needs a right operator beside the wrong one, and makes no other redundant):",
        "",
    ]
    lines += [f"- {oracle}: {reason}" for oracle, reason in reasons.items()]
    return "\n".join(lines) + "\n"


# Why an oracle is kept although it sees no bug here alone.
NEVER_ALONE: dict[str, str] = {
    "O16": "beside a right operator O12 sees the same; when all variants share the bug, O16 alone does.",
    "O17": "beside a right operator O12 sees the same; when all variants share the bug, O17 alone does.",
}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        print(page(Matrix(Path(folder)).kills, NEVER_ALONE), end="")
