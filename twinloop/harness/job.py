"""What one trial is made from: a variant, a scenario, a plan's faults, a place in the order.

`compare.py` makes the jobs and orders them, `trial.py` runs one, the folder's name ties the result to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from twinloop.harness.faults import Rule
from twinloop.harness.scenario import Scenario, Settings


@dataclass(frozen=True)
class Variant:
    """An operator: a name and a command line, in which {kubeconfig} {namespace} {metrics_port} {health_port} are filled in.

    Also {python}, {sources} (the root of the clone) and {resync} (seconds). `environment` may hold the same words. `approach` is one sentence,
    `owned` the source files, relative to the clone, that somebody who takes this way has to write and keep. `ready`: the URL of
    its readiness probe; a variant that was never told the port in it counts as ready once it runs.
    """

    name: str
    command: str
    environment: Mapping[str, str] = field(default_factory=dict)
    approach: str = ""
    owned: tuple[str, ...] = ()
    ready: str = "http://127.0.0.1:{health_port}/readyz"


@dataclass(frozen=True)
class Job:
    """One trial to run. `label` tells the two sides of an A/A run apart and is the variant's name otherwise."""

    scenario: Scenario
    variant: Variant
    plan: str = ""
    rules: tuple[Rule, ...] = ()
    block: int = 0
    seed: int = 0
    settings: Settings = field(default_factory=Settings)
    label: str = ""

    @property
    def name(self) -> str:
        """The variant as the results name it."""
        return self.label or self.variant.name

    @property
    def folder(self) -> str:
        """Where the trial's files go, relative to the results."""
        story = f"{self.scenario.name}.{self.plan}" if self.plan else self.scenario.name
        return f"trials/{story}/{self.name}.{self.block}"
