"""The crash-point strip: the operator is killed at every write of the story, in three moments of it; a cell a crash.

A grid of text and icons rather than a drawing: it is read cell by cell, and each leads to its trial.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from twinloop.harness.report import words
from twinloop.harness.results import CrashPoint


@dataclass(frozen=True)
class Point:
    """A cell; `tip` says it in words."""

    verdict: str
    tip: str
    trial: str


@dataclass(frozen=True)
class Strip:
    """One variant's crashes in one scenario: a row a moment, a column a write; None where no crash was tried."""

    variant: str
    writes: tuple[int, ...]
    rows: tuple[tuple[str, tuple[Point | None, ...]], ...]

    @property
    def summary(self) -> str:
        """How many crashes went well."""
        points = [each for _, row in self.rows for each in row if each]
        fine = sum(each.verdict == "ok" for each in points)
        return f"{fine} of {len(points)} crashes went well"


def crash_strips(points: Sequence[CrashPoint]) -> list[Strip]:
    """A strip a variant, in the order of the report."""
    writes = tuple(sorted({each.k for each in points}))
    return [
        _strip(variant, writes, [each for each in points if each.variant == variant])
        for variant in dict.fromkeys(each.variant for each in points)
    ]


def _strip(variant: str, writes: tuple[int, ...], points: Sequence[CrashPoint]) -> Strip:
    at = {(each.when, each.k): _point(each) for each in points}
    moments = [*words.CRASHES, *sorted({each.when for each in points} - set(words.CRASHES))]
    rows = tuple(
        (words.CRASHES.get(when, when), tuple(at.get((when, k)) for k in writes))
        for when in moments
        if any(each.when == when for each in points)
    )
    return Strip(variant, writes, rows)


def _point(crash: CrashPoint) -> Point:
    moment = words.CRASHES.get(crash.when, crash.when)
    said = f"{crash.variant}, killed {moment} {crash.k}" if crash.when == "before" else (
        f"{crash.variant}, killed {moment} of write {crash.k}"
    )  # fmt: skip
    return Point(crash.verdict, f"{said} ({crash.what}): {words.verdict(crash.verdict).text}", crash.trial)
