"""The results of a comparison as data: what report.json holds and every page of the report is made of.

`compare.py` fills it from verdicts and histories, `report/` turns it into pages and computes nothing that would be a
verdict. All fields are plain values, so that the file can be read by anything.

    results/TIME/
      report.json report.html report.md junit.xml meta.json
      samples.csv                                             every latency sample
      trials/SCENARIO[.PLAN]/VARIANT.BLOCK/{history.jsonl, verdicts.json, operator-a.log}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

SCHEMA = 1


@dataclass
class VariantInfo:
    """A variant and what it costs to own. `cost` holds numbers and lists for people: see `cost.py`."""

    name: str
    command: str
    approach: str = ""  # one sentence: what kind of loop this is
    smoke: str = "ok"  # or why the simplest thing did not work: nothing about it is timed then
    cost: dict[str, Any] = field(default_factory=dict)


@dataclass
class OracleResult:
    """One oracle in one cell of the matrix, over all its trials."""

    oracle: str
    verdict: str
    message: str
    trial: str = ""  # the folder of the trial that decided, relative to the results
    evidence: list[int] = field(default_factory=list)
    numbers: dict[str, Any] = field(default_factory=dict)
    deciding: bool = True


@dataclass
class Cell:
    """One scenario under one variant.

    `verdict`: ok, violated, unknown, invalid (a fault did not fire), unsupported (the backend cannot). `numbers`, each the
    sum or the median over the trials: writes, requests, converged (seconds, None if never), restarts, cpu, rss ...
    """

    scenario: str
    variant: str
    verdict: str
    oracles: list[OracleResult] = field(default_factory=list)
    trials: list[str] = field(default_factory=list)
    numbers: dict[str, Any] = field(default_factory=dict)
    cost_by_verb: dict[str, int] = field(default_factory=dict)  # "create pods" -> requests
    known: list[str] = field(default_factory=list)  # ids of known differences that explain it
    repeat: str = ""  # the command that runs it again
    why: str = ""  # what was not checked: of unknown, invalid, unsupported, and of a violated one with a gap


@dataclass
class ScenarioInfo:
    """A scenario as the report presents it."""

    name: str
    set: str
    description: str
    expectation: str
    grade: str = "L"
    long: bool = False
    plans: list[str] = field(default_factory=list)


@dataclass
class Latency:
    """All samples of one measure of one scenario under one variant. `seconds` None: never, and counted as the longest."""

    scenario: str
    measure: str
    variant: str
    samples: list[dict[str, Any]]  # {"block", "index", "seconds", "warm_up"}
    median: float | None = None
    p95: float | None = None
    low: float | None = None  # 95 % interval of the median
    high: float | None = None
    censored: int = 0


@dataclass
class Ratio:
    """Two variants beside each other: the ratio of paired samples, `variant` by `base`, with its 95 % interval.

    `call`: slower, faster, none (no difference detectable), unknown (too few samples). `noise_low`, `noise_high`: what the
    same variant beside itself gave in the same run.
    """

    scenario: str
    measure: str
    variant: str
    base: str
    ratio: float | None
    low: float | None
    high: float | None
    noise_low: float | None
    noise_high: float | None
    call: str
    pairs: int = 0


@dataclass
class Difference:
    """Something in which a variant differs from the expectation or from the base variant.

    `aspect`: an oracle's id, "latency:MEASURE", "writes", "requests", "restarts", "smoke". `known`: the id of the entry in
    known_differences.toml that expects it; "" makes it unexpected. `gone`: an entry expected it, and it was not there.
    """

    scenario: str
    variant: str
    aspect: str
    seen: str  # what was seen, one sentence
    known: str = ""
    gone: bool = False
    reason: str = ""  # why, from the known entry
    links: dict[str, str] = field(default_factory=dict)  # "docs", "kopf", "handwritten" ... -> path or URL
    trial: str = ""
    evidence: list[int] = field(default_factory=list)
    repeat: str = ""
    gates: bool = True  # False: outside the API's contract (grade "X"), shown without any consequence


@dataclass
class LaneItem:
    """Something on a lane of a timeline. `lane`: user, fault, write, read, reconcile, process, event; `t` and `end` in seconds."""

    lane: str
    t: float
    text: str
    end: float | None = None
    code: int | None = None
    seq: int = 0


@dataclass
class Timeline:
    """One trial of one variant for the page; `left_off` items were too many to show."""

    scenario: str
    plan: str
    variant: str
    trial: str
    length: float
    items: list[LaneItem] = field(default_factory=list)
    left_off: int = 0


@dataclass
class Staircase:
    """When a variant tried a failing thing again: seconds of each attempt since the first."""

    scenario: str
    variant: str
    what: str  # "create pods web-0"
    attempts: list[float] = field(default_factory=list)


@dataclass
class CrashPoint:
    """A crash at write `k`: `when` before, committed or answered."""

    scenario: str
    variant: str
    k: int
    when: str
    what: str
    verdict: str
    trial: str = ""


@dataclass
class Footprint:
    """CPU and memory over one trial. Points: [t, cpu seconds so far, rss bytes, threads, fds]; bands: [from, to, fault]."""

    scenario: str
    variant: str
    points: list[list[float]] = field(default_factory=list)
    bands: list[list[Any]] = field(default_factory=list)


@dataclass
class Report:
    """Everything. `meta`: version, started, seconds, backend, server, machine, seed, flags, order, versions, proxy, exit_code."""

    meta: dict[str, Any]
    sentence: str = ""  # the verdict in one sentence
    exit_code: int = 0
    variants: list[VariantInfo] = field(default_factory=list)
    scenarios: list[ScenarioInfo] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    latencies: list[Latency] = field(default_factory=list)
    ratios: list[Ratio] = field(default_factory=list)
    noise: list[Ratio] = field(default_factory=list)  # the A/A runs
    timelines: list[Timeline] = field(default_factory=list)
    staircases: list[Staircase] = field(default_factory=list)
    crash_points: list[CrashPoint] = field(default_factory=list)
    footprints: list[Footprint] = field(default_factory=list)
    threats: list[str] = field(default_factory=list)  # of this very run: a busy machine, few samples ...
    schema: int = SCHEMA

    def cell(self, scenario: str, variant: str) -> Cell | None:
        """The cell of the matrix, None when it was not run."""
        return next((each for each in self.cells if (each.scenario, each.variant) == (scenario, variant)), None)

    def write(self, path: Path) -> None:
        """Keep it as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")

    @classmethod
    def read(cls, path: Path) -> Report:
        """Read what `write` wrote."""
        report: Report = _built(cls, json.loads(path.read_text()))
        return report


def _built(cls: Any, values: Mapping[str, Any]) -> Any:
    """A dataclass from its dict, with the dataclasses inside its lists."""
    hints = get_type_hints(cls)
    return cls(
        **{each.name: _value(hints[each.name], values[each.name]) for each in fields(cls) if each.name in values}
    )


def _value(hint: Any, value: Any) -> Any:
    inner = get_args(hint)
    if get_origin(hint) is list and inner and isinstance(inner[0], type) and is_dataclass(inner[0]):
        return [_built(inner[0], each) for each in value]
    assert not (isinstance(hint, UnionType) and any(map(is_dataclass, inner))), hint  # noqa: S101 - we have none
    return value
