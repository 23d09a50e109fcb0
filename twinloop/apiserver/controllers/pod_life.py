"""What the containers of one pod are doing at a given time, from the pod's arrival on its node to its end.

`kubelet.py` keeps a `Life` for each pod of its nodes and asks it at every visit; `pod_status.py` puts the answer into
words. A life can be made again from the pod's status, so that nothing is lost when the kubelet's memory is.

    arrival --start_after--> running --ready_after--> ready --deletionTimestamp--> stopping --stop_after--> gone
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from twinloop.apiserver.clock import timestamp
from twinloop.apiserver.controllers.pod_orders import Orders
from twinloop.apiserver.controllers.pod_status import Container, container_id, running, terminated, waiting

Object = dict[str, Any]

TERMINAL = ("Failed", "Succeeded")
_LONGEST_BACKOFF = 300.0


@dataclass(frozen=True, slots=True)
class Delays:
    """How long things take, in seconds, and which images (shell patterns) no registry has.

    `ready_after` counts for pods with a readiness probe; others are ready as soon as they run, as on a real node.
    """

    start_after: float = 0.2
    ready_after: float = 0.3
    stop_after: float = 0.3
    pull_back_off_after: float = 0.5
    crash_after: float = 0.2
    restart_after: float = 0.5  # doubled at each further crash
    missing_images: tuple[str, ...] = ("*/does-not-exist*", "does-not-exist*", "*:does-not-exist")

    def __post_init__(self) -> None:
        """Refuse what would only fail later. Raises TypeError for another type, ValueError for a negative time."""
        for name in (each.name for each in fields(self) if each.name != "missing_images"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise TypeError(f"{name} is a number of seconds, not {value!r}")
            if not value >= 0:
                raise ValueError(f"{name} must not be negative: {value!r}")
        patterns: object = self.missing_images
        if not isinstance(patterns, list | tuple) or not all(isinstance(each, str) for each in patterns):
            raise TypeError(f"missing_images are patterns, not {patterns!r}")


@dataclass(frozen=True, slots=True)
class View:
    """A pod at one moment. `due`: when it will look different by itself. `gone`: it has stopped for good."""

    phase: str
    containers: list[Container]
    due: float | None = None
    gone: bool = False


@dataclass(slots=True)
class Life:
    """What is remembered of one pod; clock times in seconds, None for what has not happened."""

    seen: float
    address: str = ""
    started: float | None = None
    crashes: int = 0
    down_since: float | None = None
    stopping: float | None = None
    commands: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, pod: Object, now: float) -> Life:
        """The life of a pod that may have begun before we looked."""
        status = pod.get("status") or {}
        life = cls(seen=_seconds(status.get("startTime")) or now, address=status.get("podIP", ""))
        for container in status.get("containerStatuses") or ():
            life.crashes = max(life.crashes, container.get("restartCount", 0))
            life.started = life.started or _seconds((container["state"].get("running") or {}).get("startedAt"))
        return life

    def view(self, pod: Object, said: Orders, delays: Delays, now: float) -> View:
        """What the pod is doing now. Called again with a later time, it moves on."""
        if pod["metadata"].get("deletionTimestamp"):
            return self._stopping(pod, said, delays, now)
        if said.phase and now >= self.seen + delays.start_after:
            return self._ended(pod, said.phase, now)
        if now < self.seen + delays.start_after:
            reason = "PodInitializing" if pod["spec"].get("initContainers") else "ContainerCreating"
            found = [Container(waiting(reason)) for _ in pod["spec"]["containers"]]
            return View("Pending", found, self.seen + delays.start_after)
        return self._working(pod, said, delays, now)

    # ------------------------------------------------------------------ at work

    def _working(self, pod: Object, said: Orders, delays: Delays, now: float) -> View:
        self.started = now if self.started is None else self.started
        due = [self._crash(said, delays, now)]
        if self.down_since is not None and pod["spec"].get("restartPolicy") == "Never":
            self.crashes, self.down_since = 0, None  # its first run was its last
            return self._ended(pod, "Failed", now)
        found = []
        for spec in pod["spec"]["containers"]:
            container, later = self._container(pod, spec, said, delays, now)
            found.append(container)
            due.append(later)
        return View(_phase(found), found, min((each for each in due if each is not None), default=None))

    def _crash(self, said: Orders, delays: Delays, now: float) -> float | None:
        """Let the containers go down or come back when it is time; when they do so next."""
        if self.down_since is not None:
            back = self.down_since + self._back_off(delays)
            if now < back:
                return back
            self.down_since, self.started = None, now
        if self.crashes >= said.crashes or self.started is None:
            return None
        crash = self.started + delays.crash_after
        if now < crash:
            return crash
        self.crashes, self.down_since = self.crashes + 1, now
        return now + self._back_off(delays)

    def _back_off(self, delays: Delays) -> float:
        doubled = delays.restart_after * 2.0 ** min(self.crashes - 1, 30)
        return float(min(doubled, _LONGEST_BACKOFF))

    def _container(
        self, pod: Object, spec: Object, said: Orders, delays: Delays, now: float
    ) -> tuple[Container, float | None]:
        """One container, and when it changes by itself."""
        if said.image_missing or any(fnmatchcase(spec["image"], each) for each in delays.missing_images):
            return _not_pulled(spec["image"], self.seen + delays.start_after + delays.pull_back_off_after, now)
        if self.down_since is not None:
            return self._down(pod, spec, delays), None
        ready_at = self._ready_at(spec, said, delays)
        ready = now >= ready_at and not said.held
        started = timestamp(self.started or now)
        found = Container(running(started), ready, started=True, restarts=self.crashes, last=self._last(pod, spec))
        return found, None if now >= ready_at or said.held else ready_at

    def _ready_at(self, spec: Object, said: Orders, delays: Delays) -> float:
        default = delays.ready_after if spec.get("readinessProbe") else 0.0
        return (self.started or self.seen) + (default if said.ready_after is None else said.ready_after)

    def _down(self, pod: Object, spec: Object, delays: Delays) -> Container:
        """Between two runs: the first time seen as ended, later as backing off."""
        last = self._exit(pod, spec, self.crashes - 1)
        if self.crashes == 1:
            return Container(last)
        where = f"container={spec['name']} pod={_full_name(pod)}"
        message = f"back-off {_duration(self._back_off(delays))} restarting failed {where}"
        return Container(waiting("CrashLoopBackOff", message), restarts=self.crashes - 1, last=last)

    def _last(self, pod: Object, spec: Object) -> Object | None:
        return self._exit(pod, spec, self.crashes - 1) if self.crashes else None

    def _exit(self, pod: Object, spec: Object, run: int) -> Object:
        moment = timestamp(self.down_since if self.down_since is not None else self.started or self.seen)
        known = _known_exit(pod, spec["name"], container_id(pod["metadata"]["uid"], spec["name"], run))
        begun = timestamp(self.started or self.seen)
        return known or terminated(container_id(pod["metadata"]["uid"], spec["name"], run), 1, begun, moment)

    # ------------------------------------------------------------------ at its end

    def _ended(self, pod: Object, phase: str, now: float) -> View:
        """All containers have exited for good; a pod that has a terminal phase keeps it."""
        self.started = now if self.started is None else self.started
        exits = [self._final(pod, spec, 0 if phase == "Succeeded" else 1, now) for spec in pod["spec"]["containers"]]
        return View(phase, exits)

    def _final(self, pod: Object, spec: Object, code: int, now: float) -> Container:
        run = container_id(pod["metadata"]["uid"], spec["name"], self.crashes)
        known = _known_exit(pod, spec["name"], run)
        state = known or terminated(run, code, timestamp(self.started or now), timestamp(now))
        return Container(state, restarts=self.crashes, last=self._last(pod, spec))

    def _stopping(self, pod: Object, said: Orders, delays: Delays, now: float) -> View:
        """Not ready from the start, ended when it is time: never later than the grace period allows."""
        self.stopping = now if self.stopping is None else self.stopping
        allowed = _seconds(pod["metadata"]["deletionTimestamp"]) or now
        wanted = self.stopping + (delays.stop_after if said.stop_after is None else said.stop_after)
        end = min(wanted, max(allowed, self.stopping))
        phase = (pod.get("status") or {}).get("phase", "")
        if phase in TERMINAL or self.started is None or not pod["metadata"].get("deletionGracePeriodSeconds"):
            end = now
        if now < end:
            return View(phase or "Running", [self._winding_down(pod, spec) for spec in pod["spec"]["containers"]], end)
        ended = self._ended(pod, phase if phase in TERMINAL else "Succeeded", now)
        return View(ended.phase, ended.containers, gone=True)

    def _winding_down(self, pod: Object, spec: Object) -> Container:
        state = running(timestamp(self.started or self.seen))
        return Container(state, started=True, restarts=self.crashes, last=self._last(pod, spec))


def _not_pulled(image: str, back_off_at: float, now: float) -> tuple[Container, float | None]:
    failed = f'failed to pull and unpack image "{image}": failed to resolve reference "{image}": {image}: not found'
    message = f"rpc error: code = NotFound desc = {failed}"
    if now < back_off_at:
        return Container(waiting("ErrImagePull", message)), back_off_at
    back_off = f'Back-off pulling image "{image}": ErrImagePull: {message}'
    return Container(waiting("ImagePullBackOff", back_off)), None


def _phase(containers: list[Container]) -> str:
    """Pending while one has never run."""
    return "Pending" if any("waiting" in each.state and not each.last for each in containers) else "Running"


def _known_exit(pod: Object, name: str, run: str) -> Object | None:
    """How a run ended, if the status says so already: an exit does not change afterwards."""
    for found in (pod.get("status") or {}).get("containerStatuses") or ():
        for state in (found.get("state") or {}, found.get("lastState") or {}):
            if found["name"] == name and (state.get("terminated") or {}).get("containerID") == run:
                return {"terminated": state["terminated"]}
    return None


def _full_name(pod: Mapping[str, Any]) -> str:
    meta = pod["metadata"]
    return f"{meta['name']}_{meta['namespace']}({meta['uid']})"


def _duration(seconds: float) -> str:
    """As Go prints a short time.Duration: 10s, 500ms, 2m30s."""
    if seconds < 1:
        return f"{round(seconds * 1000)}ms"
    minutes, rest = divmod(seconds, 60)
    text = f"{rest:g}s"
    return f"{round(minutes)}m{text}" if minutes else text


def _seconds(text: str | None) -> float | None:
    return datetime.fromisoformat(text).timestamp() if text else None
