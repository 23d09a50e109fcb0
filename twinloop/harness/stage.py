"""The stage that a story acts on: a user's hands, the table of expectations, patience, and the levers of operator and faults.

`trial.py` builds one for each trial and hands it to the story. What a user does goes straight to the API server and is
recorded here; the operator speaks through the proxy, which records for itself.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from twinloop.errors import ApiError, NotFound
from twinloop.harness.backends.backend import Backend
from twinloop.harness.faults import Rule
from twinloop.harness.history import Expect, Mark, Measured, Recorder, User
from twinloop.harness.proxy.proxy import Proxy
from twinloop.harness.scenario import IMAGE, PORT, Settings, View
from twinloop.harness.supervisor import Supervisor
from twinloop.harness.table import mismatch
from twinloop.harness.truth import TruthView
from twinloop.kube import NGINXPODS, Client, Object, Resource

REPLICAS = ("a", "b")


class Hands:
    """What a user does to the objects of one namespace, recorded. Errors are recorded, then raised."""

    def __init__(self, client: Client, namespace: str, recorder: Recorder) -> None:
        self._client, self._namespace, self._recorder = client, namespace, recorder
        # When the last operation was answered, on the trial's clock.
        self.answered = 0.0

    def do(self, op: str, resource: Resource, name: str, body: Any, act: Callable[[], Object]) -> Object:
        """Call `act` and record what came of it."""
        asked = self._recorder.now()
        try:
            answer = act()
        except ApiError as error:
            self._note(op, resource, name, body, asked, code=error.code, message=str(error))
            raise
        metadata = answer.get("metadata") or {}
        self._note(
            op, resource, name, body, asked,
            code=201 if op == "create" else 200,
            uid=metadata.get("uid", ""),
            generation=metadata.get("generation", 0),
            resource_version=metadata.get("resourceVersion", ""),
        )  # fmt: skip
        return answer

    def _note(self, op: str, resource: Resource, name: str, body: Any, asked: float, **answer: Any) -> None:
        record = User(
            op=op,
            resource=str(resource),
            namespace=self._namespace,
            name=name,
            body=body,
            asked=round(asked, 6),
            **answer,
        )
        self.answered = self._recorder.write(record).t

    def create(self, resource: Resource, body: Object) -> Object:
        """POST an object."""
        name = body["metadata"]["name"]
        return self.do("create", resource, name, body, lambda: self._client.create(resource, body, self._namespace))

    def patch(self, op: str, resource: Resource, name: str, patch: Object, subresource: str = "") -> Object:
        """Merge-patch an object; `op` is what the user would call it."""
        return self.do(
            op, resource, name, patch,
            lambda: self._client.merge_patch(resource, name, patch, self._namespace, subresource=subresource),
        )  # fmt: skip

    def delete(self, resource: Resource, name: str, grace: int | None, policy: str) -> None:
        """DELETE an object, which may be gone already."""
        options: dict[str, Any] = {"grace_period_seconds": grace, "propagation_policy": policy or None}
        try:
            self.do(
                "delete", resource, name, None,
                lambda: self._client.delete(resource, name, self._namespace, **options),
            )  # fmt: skip
        except NotFound:
            return

    def get(self, resource: Resource, name: str) -> Object | None:
        """GET an object, unrecorded."""
        try:
            return self._client.get(resource, name, self._namespace)
        except NotFound:
            return None


class OpenSample:
    """A latency sample under way: from the last answered operation to the first truth that fulfils `until`."""

    def __init__(self, stage: TrialStage) -> None:
        self._stage = stage
        self.seconds: float | None = None

    def until(self, true: Callable[[View], bool], within: float | None = None) -> bool:
        """Wait for the end of the sample; a sample that does not end is counted as the longest of all."""
        view, began = self._stage.truth, self._stage.hands.answered
        ended = began

        def seen(now: View) -> bool:
            # Noted under the truth's lock: whatever changes a moment later is no part of the sample.
            nonlocal ended
            ended = view.at
            return true(now)

        reached = self._stage.wait(seen, within)
        # The echo of the last change may have been seen before the answer to the operation that caused it.
        self.seconds = max(0.0, ended - began) if reached else None
        return reached


class TrialStage:
    """`twinloop.harness.scenario.Stage`, for real."""

    def __init__(
        self,
        *,
        hands: Hands,
        truth: TruthView,
        proxy: Proxy,
        supervisor: Supervisor,
        backend: Backend,
        recorder: Recorder,
        namespace: str,
        variant: str,
        settings: Settings,
        rng: random.Random,
        interrupted: threading.Event,
    ) -> None:
        self.hands, self.truth = hands, truth
        self.namespace, self.variant, self.settings, self.rng = namespace, variant, settings, rng
        self.table: dict[str, Expect] = {}
        self._proxy, self._supervisor, self._backend, self._recorder = proxy, supervisor, backend, recorder
        self._interrupted = interrupted
        self._taken: dict[str, int] = {}

    # ------------------------------------------------------------------ what a user does

    def create(self, name: str, **spec: Any) -> Object:
        """Create a NginxPod; the spec has the fields that are given."""
        kind = {"apiVersion": NGINXPODS.api_version, "kind": NGINXPODS.kind}
        return self.make(NGINXPODS, {**kind, "metadata": {"name": name}, "spec": spec})

    def edit(self, name: str, **spec: Any) -> Object:
        """Merge these fields into a NginxPod's spec."""
        return self.hands.patch("edit", NGINXPODS, name, {"spec": spec})

    def scale(self, name: str, replicas: int) -> Object:
        """Write the subresource scale, as kubectl does."""
        return self.hands.patch("scale", NGINXPODS, name, {"spec": {"replicas": replicas}}, "scale")

    def delete(self, name: str, resource: Resource = NGINXPODS, *, grace: int | None = None, policy: str = "") -> None:
        """Delete an object. It need not exist."""
        self.hands.delete(resource, name, grace, policy)

    def make(self, resource: Resource, body: Object) -> Object:
        """Create any object in the namespace: a foreign pod, a quota."""
        return self.hands.create(resource, body)

    def patch(self, resource: Resource, name: str, patch: Object, *, subresource: str = "") -> Object:
        """Merge-patch any object."""
        return self.hands.patch("patch", resource, name, patch, subresource)

    def get(self, resource: Resource, name: str) -> Object | None:
        """Read an object; this is not recorded."""
        return self.hands.get(resource, name)

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
        names = [f"{name}-{ordinal}" for ordinal in range(pods)] if isinstance(pods, int) else list(pods)
        self._expect(Expect(name=name, pods=names, image=image, port=port, ready=ready, reason=reason))

    def expect_gone(self, name: str) -> None:
        """From now on neither the NginxPod nor any pod of it may be there in the end."""
        self._expect(Expect(name=name, gone=True))

    def _expect(self, expect: Expect) -> None:
        self.table[expect.name] = self._recorder.write(expect)

    def mismatch(self) -> str:
        """The first thing that keeps the table from holding; "" when it holds."""
        return self.mismatch_of(self.table)

    def mismatch_of(self, names: Iterable[str]) -> str:
        """The same for some lines of the table."""
        for expect in [self.table[name] for name in names]:
            wrong = mismatch(expect, self.truth.nginxpod(expect.name), self.truth.pods())
            if wrong:
                return wrong
        return ""

    # ------------------------------------------------------------------ waiting

    def settle(self, within: float | None = None) -> bool:
        """Wait until the table holds and the operator has stopped writing; the history keeps what came of it."""
        settled = self.settled(within)
        self._recorder.write(Mark(name="phase", ok=settled, detail=self.mismatch()))
        return settled

    def settled(self, within: float | None = None) -> bool:
        """The same wait, without a mark."""
        return self.wait(lambda _: self.still() and not self.mismatch(), within)

    def still(self) -> bool:
        """Whether neither the operator has written nor anything changed for `settings.quiet` seconds."""
        silence = min(self._proxy.quiet_for(), self._recorder.now() - self.truth.at)
        return silence >= self.settings.quiet

    def wait(self, true: Callable[[View], bool], within: float | None = None) -> bool:
        """Wait until something holds of the truth."""

        def heard(view: TruthView) -> bool:
            if self._interrupted.is_set():
                raise KeyboardInterrupt
            return true(view)

        return self.truth.wait(heard, self.settings.bound if within is None else within, self._recorder.now)

    def pause(self, seconds: float) -> None:
        """Let time pass. Seldom right: prefer `wait`."""
        if self._interrupted.wait(seconds):
            raise KeyboardInterrupt

    @contextmanager
    def measure(self, name: str, *, warm_up: bool = False) -> Iterator[OpenSample]:
        """Take a latency sample, see `Stage.measure`."""
        sample = OpenSample(self)
        yield sample
        index = self._taken[name] = self._taken.get(name, -1) + 1
        seconds = None if sample.seconds is None else round(sample.seconds, 6)
        self._recorder.write(Measured(name=name, index=index, seconds=seconds, warm_up=warm_up))

    # ------------------------------------------------------------------ the operator

    def start(self, replica: str = "a", *, wait: bool = True) -> bool:
        """Start the operator (replica "b": a second one beside it); `wait` until it says that it is ready."""
        return self._supervisor.start(replica, wait=wait)

    def stop(self, replica: str = "a") -> bool:
        """SIGTERM, and wait for the end; it stays down until `start`."""
        return self._supervisor.stop(replica)

    def stop_all(self) -> None:
        """SIGTERM to whatever replica runs, the end of the trial."""
        for replica in REPLICAS:
            if self._supervisor.running(replica):
                self._supervisor.stop(replica)

    def kill(self, replica: str = "a", *, restart: bool = True) -> None:
        """SIGKILL; the supervisor restarts it with crash-loop back-off, unless told otherwise."""
        self._supervisor.kill(replica, restart=restart)

    def signal(self, name: str, replica: str = "a") -> None:
        """Send a signal such as SIGSTOP or SIGCONT and go on; SIGTERM is followed by a restart."""
        self._supervisor.signal(replica, name)

    # ------------------------------------------------------------------ faults

    def arm(self, *rules: Rule) -> None:
        """Add rules now; they count from here on."""
        self._proxy.arm(*rules)

    def disarm(self, *ids: str) -> None:
        """Take rules away, all of them when none is named: their faults are over."""
        self._proxy.disarm(*ids)

    def fired(self, rule: str, within: float | None = None) -> bool:
        """Wait until a rule has hit something."""
        return self.wait(lambda _: any(each.rule.id == rule and each.fired for each in self._proxy.armed()), within)

    def away(self) -> None:
        """The API server is gone for the operator: connections are cut, new ones refused, until `back`."""
        self._proxy.away()

    def back(self) -> None:
        """It is there again."""
        self._proxy.back()

    def remember(self, resource: Resource) -> None:
        """Keep the list of a resource as it is now, for a rule with Act.STALE."""
        self._proxy.remember(resource, self.namespace)

    def compact(self) -> None:
        """Make the server forget its history, so that old versions are 410."""
        self._backend.compact()

    def order_pod(self, name: str, **said: str) -> None:
        """Tell the pretend kubelet what a pod does."""
        self._backend.order_pod(self.namespace, name, **said)
