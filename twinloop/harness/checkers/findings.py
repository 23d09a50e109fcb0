"""How an oracle puts its verdict: one sentence, the lines that show it, and what was measured on the way.

Shared by all oracles so that they sound alike; `twinloop.harness.verdict` has the words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from twinloop.harness.verdict import Finding, Verdict

# Lines of evidence in a finding; the history has all of them.
MOST_EVIDENCE = 12


@dataclass(frozen=True)
class Breach:
    """One way in which an oracle was violated."""

    message: str
    evidence: tuple[int, ...] = ()


def ok(oracle: str, message: str, **numbers: Any) -> Finding:
    """Looked at, and found in order."""
    return Finding(oracle, Verdict.OK, message, numbers=numbers)


def unknown(oracle: str, message: str, **numbers: Any) -> Finding:
    """Not looked at, or not enough to see it."""
    return Finding(oracle, Verdict.UNKNOWN, message, numbers=numbers)


def violated(oracle: str, breaches: Sequence[Breach], numbers: Mapping[str, Any] | None = None) -> Finding:
    """The first breach in words, the number of the others, and the evidence of all."""
    more = f" (and {len(breaches) - 1} more)" if len(breaches) > 1 else ""
    evidence = tuple(dict.fromkeys(seq for breach in breaches for seq in breach.evidence))
    return Finding(
        oracle,
        Verdict.VIOLATED,
        breaches[0].message + more,
        evidence[:MOST_EVIDENCE],
        {**(numbers or {}), "breaches": len(breaches)},
    )


def verdict_of(oracle: str, breaches: Sequence[Breach], good: str, **numbers: Any) -> Finding:
    """Violated when there is a breach, otherwise in order with the words of `good`."""
    return violated(oracle, breaches, numbers) if breaches else ok(oracle, good, **numbers)
