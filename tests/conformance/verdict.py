"""Judges differences by the list of known ones: agreed, known, or a failure.

Last stop of a case. `known.yaml` is the list; docs/conformance.md shows the same one to people. An entry that no longer
matches anything is a failure too: a difference that is gone must leave the list.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from conformance.case import Case
from conformance.compare import Difference, differences

KNOWN = Path(__file__).parent / "known.yaml"
AT_MOST = 15


@dataclass(frozen=True)
class Known:
    """A difference that is accepted: `cases` and `where` are patterns as of a shell, `why` is for people."""

    title: str
    cases: tuple[str, ...]
    where: tuple[str, ...]
    why: str

    def covers(self, difference: Difference) -> bool:
        """Whether it accepts this one."""
        return self.names(difference.case) and any(fnmatch.fnmatchcase(difference.where, each) for each in self.where)

    def names(self, case: str) -> bool:
        """Whether it is about this case."""
        return any(fnmatch.fnmatchcase(case, each) for each in self.cases)


def load_known(path: Path = KNOWN) -> list[Known]:
    """The list as the data file has it."""
    entries = yaml.safe_load(path.read_text()) or []
    return [Known(each["title"], tuple(each["cases"]), tuple(each["where"]), each["why"]) for each in entries]


@dataclass
class Judgement:
    """What came of a case. `error` is why it could not be compared at all."""

    case: Case
    unexpected: list[Difference] = field(default_factory=list)
    accepted: list[tuple[Known, Difference]] = field(default_factory=list)
    error: str = ""

    @property
    def verdict(self) -> str:
        """agree, known or differ."""
        return "differ" if self.unexpected or self.error else "known" if self.accepted else "agree"


def judge(case: Case, real: Any, embedded: Any, known: Iterable[Known]) -> Judgement:
    """Compare two normalised transcripts of one case."""
    judgement = Judgement(case)
    entries = list(known)
    for difference in differences(case.name, real, embedded):
        entry = next((each for each in entries if each.covers(difference)), None)
        if entry is None:
            judgement.unexpected.append(difference)
        else:
            judgement.accepted.append((entry, difference))
    return judgement


def outlived(known: Iterable[Known], judgements: Iterable[Judgement]) -> list[Known]:
    """The entries that matched nothing although each case that they name was played."""
    used = {entry.title for judgement in judgements for entry, _ in judgement.accepted}
    return [entry for entry in known if entry.title not in used]


def count_line(judgements: Iterable[Judgement]) -> str:
    """The last line of a run."""
    found = list(judgements)
    verdicts: Mapping[str, int] = {
        each: sum(judgement.verdict == each for judgement in found) for each in ("agree", "known", "differ")
    }
    watching = sum(judgement.case.watches for judgement in found)
    return (
        f"conformance: {len(found)} cases, {watching} on watch: {verdicts['agree']} agree, "
        f"{verdicts['known']} with known differences, {verdicts['differ']} differ"
    )
