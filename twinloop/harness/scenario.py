"""What a scenario is, what it may do on the stage, and how all of them are found.

A scenario is a module of `scenarios/` with the names that `Scenario` lists; whoever writes one reads this file and
docs/scenarios.md. `stage.py` gives the stage its hands, `trial.py` raises the curtain.

    DESCRIPTION, EXPECTATION            what happens, what a good operator does about it; both are printed in the report
    def story(stage): ...               what the user does, and what the end must look like (`stage.expect`)
    SET = "calm" | "fault"              which set it belongs to
    PLANS = {"": (rules...), ...}       optional: one trial each, with the faults of that plan; by default one without any
"""

from __future__ import annotations

import importlib
import pkgutil
import random
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from types import ModuleType
from typing import Any, Protocol

from twinloop.errors import ConfigurationError
from twinloop.harness.faults import Rule
from twinloop.kube import NGINXPODS, Object, Resource

IMAGE = "nginxinc/nginx-unprivileged:stable"
OTHER_IMAGE = "nginxinc/nginx-unprivileged:mainline"
PORT = 8080


class View(Protocol):
    """The truth at this moment, as far as it has been seen."""

    def nginxpod(self, name: str) -> Object | None:
        """A NginxPod, None when there is none."""

    def pod(self, name: str) -> Object | None:
        """A pod, None when there is none."""

    def pods(self, owner: str = "") -> list[Object]:
        """All pods, or those whose controller is the living NginxPod of that name (by uid); terminating ones too."""

    def ready(self, name: str) -> bool:
        """Whether the NginxPod says Ready=True about its present generation."""


class Stage(Protocol):
    """What a story may do. Everything is recorded; everything a user does goes straight to the API server, past all faults.

    Waits return whether it came true in time and never raise for that: judges decide what it means.
    """

    namespace: str
    rng: random.Random  # seeded by the plan
    settings: Settings
    variant: str

    # ------------------------------------------------------------------ what a user does

    def create(self, name: str, **spec: Any) -> Object:
        """Create a NginxPod; the spec has the fields that are given."""

    def edit(self, name: str, **spec: Any) -> Object:
        """Merge these fields into a NginxPod's spec."""

    def scale(self, name: str, replicas: int) -> Object:
        """Write the subresource scale, as kubectl does."""

    def delete(self, name: str, resource: Resource = NGINXPODS, *, grace: int | None = None, policy: str = "") -> None:
        """Delete an object. It need not exist."""

    def make(self, resource: Resource, body: Object) -> Object:
        """Create any object in the namespace: a foreign pod, a quota."""

    def patch(self, resource: Resource, name: str, patch: Object, *, subresource: str = "") -> Object:
        """Merge-patch any object."""

    def get(self, resource: Resource, name: str) -> Object | None:
        """Read an object; this is not recorded."""

    # ------------------------------------------------------------------ the table of expectations

    def expect(
        self,
        name: str,
        *,
        pods: int | Iterable[str],
        image: str = IMAGE,
        port: int = PORT,
        ready: bool | None = True,
        reason: str | None = None,
    ) -> None:
        """From now on NginxPod `name` must end with these pods: a number n for NAME-0 to NAME-(n-1), or names."""

    def expect_gone(self, name: str) -> None:
        """From now on neither the NginxPod nor any pod of it may be there in the end."""

    # ------------------------------------------------------------------ waiting

    def settle(self, within: float | None = None) -> bool:
        """Wait until the table holds and the operator has stopped writing (`settings.quiet` seconds)."""

    def wait(self, true: Callable[[View], bool], within: float | None = None) -> bool:
        """Wait until something holds of the truth."""

    def pause(self, seconds: float) -> None:
        """Let time pass. Seldom right: prefer `wait`."""

    def measure(self, name: str, *, warm_up: bool = False) -> AbstractContextManager[Measure]:
        """Take a latency sample: `with stage.measure("scale up") as sample: stage.scale(...); sample.until(lambda view: ...)`.

        It lasts from the answer to the last user operation in the block to the first truth that fulfils `until`.
        """

    # ------------------------------------------------------------------ the operator

    def start(self, replica: str = "a", *, wait: bool = True) -> bool:
        """Start the operator (replica "b": a second one beside it); `wait` until it says that it is ready."""

    def stop(self, replica: str = "a") -> bool:
        """SIGTERM, and wait for the end; it stays down until `start`."""

    def kill(self, replica: str = "a", *, restart: bool = True) -> None:
        """SIGKILL; the supervisor restarts it with crash-loop back-off, unless told otherwise."""

    def signal(self, name: str, replica: str = "a") -> None:
        """Send a signal such as SIGSTOP or SIGCONT and go on; SIGTERM is followed by a restart."""

    # ------------------------------------------------------------------ faults

    def arm(self, *rules: Rule) -> None:
        """Add rules now; they count from here on."""

    def disarm(self, *ids: str) -> None:
        """Take rules away, all of them when none is named: their faults are over."""

    def fired(self, rule: str, within: float | None = None) -> bool:
        """Wait until a rule has hit something."""

    def away(self) -> None:
        """The API server is gone for the operator: connections are cut, new ones refused, until `back`."""

    def back(self) -> None:
        """It is there again."""

    def remember(self, resource: Resource) -> None:
        """Keep the list of a resource as it is now, for a rule with Act.STALE."""

    def compact(self) -> None:
        """Make the server forget its history, so that old versions are 410 (needs "compact")."""

    def order_pod(self, name: str, **said: str) -> None:
        """Tell the pretend kubelet what a pod does (needs "orders"; see docs/apiserver.md)."""


class Measure(Protocol):
    """An open latency sample."""

    def until(self, true: Callable[[View], bool], within: float | None = None) -> bool:
        """Wait for the end of the sample; a sample that does not end is counted as the longest of all."""


@dataclass(frozen=True)
class Settings:
    """Bounds of a trial, in seconds. A backend with a real kubelet multiplies those that wait for pods by its `pace`."""

    bound: float = 15.0  # T_s: from the last fault's end to the expected table
    quiet: float = 0.3  # how long nobody may write for the trial to count as settled
    window: float = 0.6  # Q: how long nobody may write after that, whatever happens
    canary: float = 8.0  # T_c: for a new NginxPod to be ready when the faults are over
    grace: float = 10.0  # SIGTERM to exit
    start: float = 20.0  # process start to ready
    crash_loop_scale: float = 0.01  # of the kubelet's 10 s doubling to 5 min
    resync: float = 600.0  # what the variants' periodic look at everything is set to


@dataclass(frozen=True)
class Scenario:
    """A module of `scenarios/`, checked. `name` is the module's, with dashes."""

    name: str
    description: str
    expectation: str
    story: Callable[[Stage], None]
    # "calm" or "fault"; "long" ones only run when asked for.
    set: str = "calm"
    long: bool = False
    # One trial each: a name ("" for the only one) and the faults armed from the start.
    plans: Mapping[str, tuple[Rule, ...]] = field(default_factory=lambda: {"": ()})
    # "L": legal, must be tolerated; "E": must be outlived; "X": outside the API's contract, reported and never gating.
    grade: str = "L"
    # What the oracles can decide here, by id; the others are shown and do not count. All when empty.
    deciding: tuple[str, ...] = ()
    # Latencies that it measures: then it runs in several interleaved blocks; (samples a block, of them for warm-up first).
    latency: bool = False
    samples: int = 5
    # Whether the frame starts the operator before the story; the story does it itself otherwise.
    starts: bool = True
    # Backend abilities without which it cannot run: "compact", "orders", "quota".
    needs: frozenset[str] = frozenset()
    # Changes to the bounds.
    settings: Mapping[str, float] = field(default_factory=dict)
    # Whether trials may run at the same time: only where nothing is timed. Of faults nothing is, and most of a trial is waiting;
    # those that make the server itself forget (needs "compact") would disturb the others.
    together: bool = False
    # The least number of writes that the story takes (W*), None when nobody has counted.
    writes: int | None = None
    # For the crash plans: the rules are made from a reference run's writes.
    every_write: bool = False


# Module constant -> field, for all that are not `story`.
_NAMES = {
    "DESCRIPTION": "description", "EXPECTATION": "expectation", "SET": "set", "LONG": "long", "PLANS": "plans",
    "GRADE": "grade", "DECIDING": "deciding", "LATENCY": "latency", "SAMPLES": "samples", "STARTS": "starts",
    "NEEDS": "needs", "SETTINGS": "settings", "TOGETHER": "together", "WRITES": "writes", "EVERY_WRITE": "every_write",
}  # fmt: skip


def of_module(module: ModuleType) -> Scenario:
    """The scenario that a module is. Raises ConfigurationError when it is none."""
    name = module.__name__.rpartition(".")[2].replace("_", "-")
    missing = [each for each in ("DESCRIPTION", "EXPECTATION", "story") if not hasattr(module, each)]
    if missing:
        raise ConfigurationError(
            f"scenario {name} lacks {', '.join(missing)}", hint="docs/scenarios.md says what one has."
        )
    known = {
        attribute: getattr(module, constant) for constant, attribute in _NAMES.items() if hasattr(module, constant)
    }
    faulty = known.get("set") == "fault" and "compact" not in known.get("needs", ())
    return Scenario(name=name, story=module.story, **{"together": faulty, **known})


def all_scenarios() -> list[Scenario]:
    """Those of `scenarios/`, calm ones first, by name."""
    from twinloop.harness import scenarios  # noqa: PLC0415 - they import this module

    modules = (
        importlib.import_module(f"{scenarios.__name__}.{each.name}")
        for each in pkgutil.iter_modules(scenarios.__path__)
    )
    return sorted(map(of_module, modules), key=lambda scenario: (scenario.set != "calm", scenario.name))


def choose(patterns: Iterable[str], *, long: bool = False) -> list[Scenario]:
    """Those whose name matches a pattern (calm, fault and all are patterns too); long ones only with `long` or by name.

    Raises ConfigurationError for a pattern that matches nothing.
    """
    everything, chosen = all_scenarios(), []
    for pattern in patterns:
        matching = [each for each in everything if pattern in {"all", each.set} or fnmatchcase(each.name, pattern)]
        if not matching:
            raise ConfigurationError(f"no scenario matches {pattern!r}", hint="`twinloop list` shows all of them.")
        chosen += [each for each in matching if long or not each.long or each.name == pattern]
    # Not as keys of a dict: a scenario holds its plans, which are one.
    return list({each.name: each for each in chosen}.values())
