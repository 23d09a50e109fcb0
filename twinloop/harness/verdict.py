"""What a judge may say: ok, violated, unknown. The words in which checkers, the comparison and the report speak.

Three values, since what was not checked must never look as if it had passed: a checker that crashes, a fault that did not
fire, a history that ends early are `unknown`. `checkers/` return `Finding`s, `judge.py` merges them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """The worst of several counts, in this order: violated, unknown, ok."""

    OK = "ok"
    UNKNOWN = "unknown"
    VIOLATED = "violated"


_ORDER = {Verdict.OK: 0, Verdict.UNKNOWN: 1, Verdict.VIOLATED: 2}


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The merged verdict; of none at all: unknown, for nothing was checked."""
    return max(verdicts, key=_ORDER.__getitem__, default=Verdict.UNKNOWN)


@dataclass(frozen=True)
class Finding:
    """One oracle's verdict on one trial.

    `oracle` is its id ("O1"), `message` one sentence for a person that says what was seen, `evidence` the sequence numbers
    (line numbers, from 1) of the history's records that show it, `numbers` what was measured on the way.
    """

    oracle: str
    verdict: Verdict
    message: str
    evidence: tuple[int, ...] = ()
    numbers: Mapping[str, Any] = field(default_factory=dict)
