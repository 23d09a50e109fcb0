"""Which trial comes when: every variant in every place, and nothing compared across a long time.

Pure. `compare.py` runs the jobs in the order that comes out of here; `crashplans.py` adds those that depend on a first
trial. A latency scenario runs in blocks: each block has one trial of every variant, and one more of the base variant
under another label, which is the A/A run that shows how much two equal things differ.

    block 0    A  B  C  A again        blocks come in pairs, there and back (ABBA), so that a machine that slows down
    block 1    A again  C  B  A        slows every variant alike; the next pair begins one place further
    block 2    B  C  A again  A
    block 3    A  A again  C  B
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from twinloop.errors import ConfigurationError
from twinloop.harness.crashplans import of_plan
from twinloop.harness.faults import Rule
from twinloop.harness.job import Job, Variant
from twinloop.harness.scenario import Scenario, Settings
from twinloop.harness.stats import MIN_BLOCKS, MIN_PAIRS

AGAIN = " again"

# A trial that is repeated goes to a block that no run reaches.
RETRY = 100

T = TypeVar("T")


@dataclass(frozen=True)
class Wanted:
    """What a person asked for. The first variant is the base that the others are held against.

    `runs`: trials of each scenario, and blocks of one that times something; by default 1 and as many as a call takes.
    `plans`: only these plans, all when empty.
    """

    variants: Sequence[Variant]
    scenarios: Sequence[Scenario]
    seed: int = 0
    runs: int | None = None
    plans: Sequence[str] = ()
    settings: Settings = field(default_factory=Settings)

    @property
    def base(self) -> Variant:
        """The variant that the others are held against."""
        return self.variants[0]


def jobs(wanted: Wanted) -> list[Job]:
    """All trials in order: block by block, so that the blocks of one scenario lie as far apart as the run is long."""
    most = max((blocks(each, wanted) for each in wanted.scenarios), default=0)
    return [
        job
        for block in range(most)
        for scenario in wanted.scenarios
        if block < blocks(scenario, wanted)
        for plan, armed in scenario.plans.items()
        if not wanted.plans or plan in wanted.plans
        for job in side_by_side(wanted, scenario, plan, armed, block)
    ]


def with_plans(scenarios: Sequence[Scenario], plans: Sequence[str]) -> list[Scenario]:
    """The scenarios that have one of these plans, all when none is named. Raises ConfigurationError for one that none has."""
    for plan in plans:
        if not any(_has(each, plan) for each in scenarios):
            raise ConfigurationError(
                f"no scenario here has a plan {plan!r}", hint="`twinloop explain NAME` shows them."
            )
    return [each for each in scenarios if not plans or any(_has(each, plan) for plan in plans)]


def _has(scenario: Scenario, plan: str) -> bool:
    return plan in scenario.plans or (scenario.every_write and of_plan(plan) is not None)


def blocks(scenario: Scenario, wanted: Wanted) -> int:
    """How many blocks a scenario runs in."""
    if wanted.runs is not None:
        return wanted.runs
    return max(MIN_BLOCKS, math.ceil(MIN_PAIRS / scenario.samples)) if scenario.latency else 1


def side_by_side(wanted: Wanted, scenario: Scenario, plan: str, armed: tuple[Rule, ...], block: int) -> list[Job]:
    """One plan in one block: a trial of each variant, of a latency scenario the base variant's second one too."""
    sides = [(variant, "") for variant in wanted.variants]
    if scenario.latency and sides:
        sides.append((wanted.base, wanted.base.name + AGAIN))
    seed = seed_of(wanted.seed, scenario.name, plan, block)
    return [
        Job(scenario, variant, plan, armed, block, seed, wanted.settings, label)
        for variant, label in there_and_back(sides, block)
    ]


def there_and_back(items: Sequence[T], block: int) -> list[T]:
    """The items as they come in a block: turned by one place with every pair of blocks, reversed in every second block."""
    start = block // 2 % max(len(items), 1)
    turned = [*items[start:], *items[:start]]
    return turned[::-1] if block % 2 else turned


def seed_of(seed: int, scenario: str, plan: str, block: int) -> int:
    """The seed of a trial: the same for all variants, since they are to be told the same story."""
    return random.Random(f"{seed}/{scenario}/{plan}/{block}").getrandbits(32)  # noqa: S311 - not a secret


def again(job: Job) -> Job:
    """The same trial once more, in a folder of its own, for a fault that hit nothing."""
    return replace(job, block=job.block + RETRY)
