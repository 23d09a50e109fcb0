"""A stage without a cluster, a process or a clock: stories play on it in no time, and it keeps the plot.

Rules of a plan count the traffic that any operator makes: a list and a watch of each kind, a line for each change, a request
for each write, and what follows when one of them goes wrong. So a rule that nothing ever hits is found without a proxy.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from support.small_world import GoodOperator, World
from twinloop.harness.faults import Act, Armed, Rule
from twinloop.harness.history import Expect
from twinloop.harness.objects import condition
from twinloop.harness.scenario import IMAGE, PORT, Settings, View
from twinloop.harness.table import mismatch
from twinloop.kube import NGINXPODS, PODS, Object, Resource

KINDS = (NGINXPODS.plural, PODS.plural)
# How often a watch that is refused for ever is opened again before the world goes on.
ATTEMPTS = 8
BREAKS = {Act.CUT, Act.ERROR, Act.CORRUPT, Act.SILENCE}


class FakeView:
    """`scenario.View` on a World."""

    def __init__(self, world: World) -> None:
        self._world = world

    def nginxpod(self, name: str) -> Object | None:
        return self._world.objects.get((NGINXPODS.plural, name))

    def pod(self, name: str) -> Object | None:
        return self._world.objects.get((PODS.plural, name))

    def pods(self, owner: str = "") -> list[Object]:
        nginxpod = self.nginxpod(owner)
        if not owner:
            return self._world.of(PODS.plural)
        return list(self._world.owned(nginxpod).values()) if nginxpod else []

    def ready(self, name: str) -> bool:
        obj = self.nginxpod(name) or {"metadata": {"generation": 0}}
        current = (obj.get("status") or {}).get("observedGeneration") == obj["metadata"]["generation"]
        return current and condition(obj, "Ready").get("status") == "True"


class Traffic:
    """What an operator and the API server say to each other, as far as rules can see it."""

    def __init__(self) -> None:
        self.armed: list[Armed] = []
        self.over: set[str] = set()
        self.story = False
        self.signals: list[str] = []

    def arm(self, rules: Iterable[Rule]) -> None:
        self.armed += [Armed(rule) for rule in rules]

    def disarm(self, ids: Iterable[str]) -> None:
        """These rules count no more, all of them when none is named; that they fired stays known."""
        self.over |= set(ids) or {each.rule.id for each in self.armed}

    def begin(self) -> None:
        """The operator starts: it lists and watches both kinds."""
        for kind in KINDS:
            self.read("list", kind)
            self.read("watch", kind)

    def read(self, verb: str, kind: str) -> None:
        """List or watch, again and again while that is refused; an expired or refused watch makes for a list."""
        for _ in range(ATTEMPTS):
            act = self._hit(verb, kind)
            if act is None or act in {Act.STALE, Act.HOLD, Act.REPEAT}:
                return
            if verb == "watch" and act is not Act.CUT:
                self._hit("list", kind)

    def write(self, verb: str, kind: str, subresource: str, name: str) -> bool:
        """Whether the write is done, and the operator is told so or finds out."""
        act = self._hit(verb, kind, subresource, name)
        return act not in {Act.ANSWER, Act.ABORT, Act.CRASH, Act.TOUCH}

    def line(self, event: str, kind: str, name: str) -> None:
        """A line of the open watch of a kind."""
        for armed in self._counting():
            match = armed.rule.match
            if (
                match.event
                and self._meant(armed, "watch", kind)
                and match.line(event=event, name=name)
                and armed.count()
            ):
                self._broken(armed.rule.act, kind)

    def _broken(self, act: Act, kind: str) -> None:
        if act is Act.ERROR:
            self.read("list", kind)
        if act in BREAKS:
            self.read("watch", kind)

    def _hit(self, verb: str, kind: str, subresource: str = "", name: str = "") -> Act | None:
        fired = None
        for armed in self._counting():
            if not armed.rule.match.event and self._meant(armed, verb, kind, subresource, name) and armed.count():
                fired = fired or armed.rule.act
                if armed.rule.act is Act.SIGNAL:
                    self.signals.append(armed.rule.how["signal"])
        return fired

    def _counting(self) -> list[Armed]:
        fired = {"", *(armed.rule.id for armed in self.armed if armed.fired)}
        counting = [each for each in self.armed if each.rule.id not in self.over and each.rule.after in fired]
        return [each for each in counting if self.story or each.rule.since == "start"]

    @staticmethod
    def _meant(armed: Armed, verb: str, kind: str, subresource: str = "", name: str = "") -> bool:
        request = {"verb": verb, "resource": kind, "subresource": subresource, "name": name, "replica": "a"}
        return armed.rule.match.request(**request, query={})


class FakeStage:
    """`scenario.Stage`; `operator=False`: nobody is at work."""

    def __init__(self, rules: Iterable[Rule] = (), *, settings: Settings | None = None, operator: bool = True) -> None:
        self.namespace, self.variant = "test", "fake"
        self.rng, self.settings = random.Random(1), settings or Settings()
        self.world, self.traffic = World(), Traffic()
        self.view: View = FakeView(self.world)
        self.table: dict[str, Expect] = {}
        self.running: set[str] = set()
        self.reachable, self.frozen, self.operator = True, False, operator
        # What happened, for tests to read: ("settle", True), ("pause", 5.0), ("away", ""), ...
        self.plot: list[tuple[str, Any]] = []
        self._operator = GoodOperator(self.world, self.traffic.write)
        self._remembered: set[str] = set()
        self.traffic.arm(rules)
        self.world.watchers.append(self._changed)

    def note(self, what: str, value: Any = "") -> None:
        self.plot.append((what, value))

    def seen(self, what: str) -> list[Any]:
        return [value for kind, value in self.plot if kind == what]

    def _changed(self, event: str, kind: str, name: str) -> None:
        if self.at_work and kind in KINDS:
            self.traffic.line(event, kind, name)

    @property
    def at_work(self) -> bool:
        return bool(self.running) and self.reachable and not self.frozen and self.operator

    # ------------------------------------------------------------------ the user

    def create(self, name: str, **spec: Any) -> Object:
        whole = {"replicas": 1, "image": IMAGE, "port": PORT, **spec}
        return self.make(NGINXPODS, {"metadata": {"name": name}, "spec": whole})

    def make(self, resource: Resource, body: Object) -> Object:
        self.note("create", body["metadata"]["name"])
        return self.world.add(resource.plural, body)

    def edit(self, name: str, **spec: Any) -> Object:
        return self.patch(NGINXPODS, name, {"spec": spec})

    def scale(self, name: str, replicas: int) -> Object:
        return self.patch(NGINXPODS, name, {"spec": {"replicas": replicas}})

    def patch(self, resource: Resource, name: str, patch: Object, *, subresource: str = "") -> Object:
        self.note("patch", name)
        return self.world.merge(resource.plural, name, patch)

    def delete(self, name: str, resource: Resource = NGINXPODS, *, grace: int | None = None, policy: str = "") -> None:
        self.note("delete", name)
        self.world.remove(resource.plural, name)

    def get(self, resource: Resource, name: str) -> Object | None:
        return self.world.objects.get((resource.plural, name))

    # ------------------------------------------------------------------ the table

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
        names = [f"{name}-{ordinal}" for ordinal in range(pods)] if isinstance(pods, int) else list(pods)
        self.table[name] = Expect(name=name, pods=names, image=image, port=port, ready=ready, reason=reason)

    def expect_gone(self, name: str) -> None:
        self.table[name] = Expect(name=name, gone=True)

    def mismatch(self) -> str:
        wrong = (mismatch(each, self.view.nginxpod(each.name), self.view.pods()) for each in self.table.values())
        return next(filter(None, wrong), "")

    # ------------------------------------------------------------------ waiting

    def settle(self, within: float | None = None) -> bool:
        settled = self.wait(lambda _: not self.mismatch())
        self.note("settle", settled)
        return settled

    def wait(self, true: Callable[[View], bool], within: float | None = None) -> bool:
        while not true(self.view):
            worked = self.at_work and self._operator.step()
            self.world.run_kubelet()
            self._freeze()
            if not worked:
                return true(self.view)
        return True

    def _freeze(self) -> None:
        self.frozen = self.frozen or "SIGSTOP" in self.traffic.signals
        self.traffic.signals.clear()

    def pause(self, seconds: float) -> None:
        self.note("pause", seconds)

    @contextmanager
    def measure(self, name: str, *, warm_up: bool = False) -> Iterator[FakeSample]:
        sample = FakeSample(self)
        yield sample
        self.note("sample", (name, warm_up, sample.reached))

    # ------------------------------------------------------------------ the operator

    def start(self, replica: str = "a", *, wait: bool = True) -> bool:
        assert replica not in self.running
        self.running.add(replica)
        if self.operator:
            self.traffic.begin()
        return True

    def stop(self, replica: str = "a") -> bool:
        self.note("stop", replica)
        self.running.remove(replica)
        return True

    def kill(self, replica: str = "a", *, restart: bool = True) -> None:
        self.note("kill", replica)
        if not restart:
            self.running.remove(replica)

    def signal(self, name: str, replica: str = "a") -> None:
        self.note("signal", name)
        self.frozen = {"SIGSTOP": True, "SIGCONT": False}.get(name, self.frozen)

    # ------------------------------------------------------------------ faults

    def arm(self, *rules: Rule) -> None:
        stale = {rule.match.resource for rule in rules if rule.act is Act.STALE}
        assert stale <= self._remembered
        self.note("arm", rules)
        self.traffic.arm(rules)

    def disarm(self, *ids: str) -> None:
        self.note("disarm", ids)
        self.traffic.disarm(ids)

    def fired(self, rule: str, within: float | None = None) -> bool:
        meant = [armed for armed in self.traffic.armed if armed.rule.id == rule]
        # A plan that has no such rule is as good as a rule that never fires.
        assert meant, f"no rule is called {rule}"
        return self.wait(lambda _: any(armed.fired for armed in meant))

    def away(self) -> None:
        self.note("away")
        self.reachable = False

    def back(self) -> None:
        self.note("back")
        self.reachable = True
        if self.at_work:
            self.traffic.begin()

    def remember(self, resource: Resource) -> None:
        self._remembered.add(resource.plural)

    def compact(self) -> None:
        self.note("compact")

    def order_pod(self, name: str, **said: str) -> None:
        self.note("order", (name, said))


class FakeSample:
    """`scenario.Measure`."""

    def __init__(self, stage: FakeStage) -> None:
        self._stage = stage
        self.reached = False

    def until(self, true: Callable[[View], bool], within: float | None = None) -> bool:
        self.reached = self._stage.wait(true)
        return self.reached
