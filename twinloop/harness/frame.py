"""What a comparison was about: its variants, stories and expectations. Everything that no single trial knows.

`commands.py` fills it in from the flags, or from meta.json when an old run is reported again; `cells.py`, `observed.py`
and `assemble.py` look things up in it.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from twinloop.harness.known import KnownDifferences
from twinloop.harness.results import VariantInfo
from twinloop.harness.scenario import Scenario


@dataclass(frozen=True)
class Frame:
    """The first variant is the base. `spelled`: what --variant takes for a variant that is not built in.

    `flags` are further flags for a command that repeats a row (--backend kind). `plans`: only these were run.
    `expected`: how many trials each scenario and variant was to have, empty when nobody knows.
    """

    variants: Sequence[VariantInfo]
    scenarios: Sequence[Scenario]
    known: KnownDifferences = field(default_factory=KnownDifferences)
    seed: int = 0
    spelled: Mapping[str, str] = field(default_factory=dict)
    flags: Sequence[str] = ()
    plans: Sequence[str] = ()
    expected: Mapping[tuple[str, str], int] = field(default_factory=dict)

    @property
    def base(self) -> str:
        """The variant that the others are held against."""
        return self.variants[0].name

    def scenario(self, name: str) -> Scenario | None:
        """A scenario by name; None for one that an old run knew."""
        return next((each for each in self.scenarios if each.name == name), None)

    def repeat(self, scenario: str, variants: Sequence[str], plan: str = "") -> str:
        """The command that runs a row again."""
        words = ["twinloop", "compare", *self.flags, "--scenario", scenario]
        for name in variants:
            words += ["--variant", self.spelled.get(name, name)]
        words += ["--seed", str(self.seed), *(["--plan", plan] if plan else [])]
        return shlex.join(words)
