"""A proxy before a fake upstream, with its history at hand: what the socket tests of the proxy share."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from support.fake_upstream import Operator, Told, Upstream
from twinloop.harness.faults import Rule
from twinloop.harness.history import Record, Recorder, Response, dump
from twinloop.harness.proxy.hooks import Hooks
from twinloop.harness.proxy.host import ProxyHost
from twinloop.harness.proxy.proxy import Proxy
from twinloop.kube import Resource

R = TypeVar("R", bound=Record)

PODS = "/api/v1/namespaces/ns/pods"
NGINXPODS = "/apis/twinloop.dev/v1alpha1/namespaces/ns/nginxpods"
WATCH = PODS + "?watch=true&resourceVersion=5"


def pod(name: str, version: int = 1) -> dict[str, object]:
    """A pod, small."""
    return {"metadata": {"name": name, "namespace": "ns", "uid": f"uid-{name}", "resourceVersion": str(version)}}


def line(event: str, name: str, version: int = 1) -> bytes:
    """A line of a watch of pods."""
    return json.dumps({"type": event, "object": pod(name, version)}).encode() + b"\n"


def eventually(true: Callable[[], object], within: float = 5.0) -> None:
    """Wait for what another thread brings about."""
    end = time.monotonic() + within
    while not true():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.002)


@dataclass
class Done:
    """What the hooks were asked to do, in order."""

    calls: list[tuple[str, ...]] = field(default_factory=list)
    act: Callable[[tuple[str, ...]], None] = lambda _: None

    def hooks(self) -> Hooks:
        """Hooks that keep a list."""

        def note(*call: str) -> None:
            self.calls.append(call)
            self.act(call)

        def touch(resource: Resource, name: str) -> None:
            note("touch", str(resource), name)

        return Hooks(
            crash=lambda replica: note("crash", replica),
            signal=lambda replica, name: note("signal", replica, name),
            touch=touch,
        )


@dataclass
class Scene:
    """The three parties, and what was recorded."""

    upstream: Upstream
    proxy: Proxy
    operator: Operator
    recorded: list[Record]
    done: Done
    recorder: Recorder

    def recorded_by(self, listener: Callable[[Record], None]) -> None:
        """Call somebody with every record as it is written."""
        self.recorder.listeners.append(listener)

    def lines(self) -> list[str]:
        """The history's lines so far."""
        return [dump(each) for each in self.recorded]

    def of(self, kind: type[R]) -> list[R]:
        """The records of a kind so far."""
        return [each for each in self.recorded if isinstance(each, kind)]

    def response(self) -> Response:
        """The only response."""
        (found,) = self.of(Response)
        return found

    def soon(self, kind: type[R], count: int) -> list[R]:
        """The records of a kind once there are so many: an answer is written down just after it was sent."""
        eventually(lambda: len(self.of(kind)) >= count)
        return self.of(kind)


@contextmanager
def scene(*rules: Rule, told: Told | None = None) -> Iterator[Scene]:
    """A proxy with rules before an upstream that answers `told` to everything."""
    done = Done()
    with Upstream() as upstream, ProxyHost() as host:
        if told is not None:
            upstream.answer = lambda _: told
        recorder = Recorder(io.StringIO())
        recorded: list[Record] = []
        recorder.listeners.append(recorded.append)
        proxy = host.open(upstream.configuration(), recorder, done.hooks())
        proxy.arm(*rules)
        with Operator(proxy.listen("a")) as operator:
            yield Scene(upstream, proxy, operator, recorded, done, recorder)
        proxy.close()
