"""Synthetic histories for the oracles: a world of a few lines in which a user, a kubelet and an operator do what a test says.

A `Tale` writes the records that a trial would, with its own clock, resourceVersions and uids. Its operator does nothing by
itself: a test lets it do the right thing (`serves`) or the wrong one. `plain()` is a trial in which everything went well.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
from collections.abc import Callable
from typing import Any

from twinloop.harness.checkers.trial_view import Trial
from twinloop.harness.history import (
    Begin,
    End,
    Expect,
    Fault,
    History,
    LogAlarm,
    Mark,
    Process,
    R,
    Record,
    Request,
    Response,
    StreamEnd,
    StreamEvent,
    Truth,
    User,
    dump,
    load,
)
from twinloop.harness.scenario import IMAGE, PORT
from twinloop.harness.verdict import Finding, Verdict

Object = dict[str, Any]

NGINXPODS, PODS, EVENTS, LEASES = "nginxpods.twinloop.dev", "pods", "events", "leases.coordination.k8s.io"
# Seconds that one thing takes.
STEP = 0.01


class Tale:
    """A trial's records as they are made up; `t` is the clock, `number` the last resourceVersion."""

    def __init__(self, *, scenario: str = "tale", variant: str = "some", plan: str = "", **begin: Any) -> None:
        self.records: list[Record] = []
        self.objects: dict[tuple[str, str], Object] = {}
        self.t, self.number, self.uids, self.ids = 0.0, 100, 0, 0
        self.variant = variant
        values: dict[str, Any] = {"backend": "embedded", "namespace": "ns", "started": "2026-01-01T00:00:00+00:00"}
        self.note(Begin(scenario=scenario, variant=variant, plan=plan, **(values | begin)))

    # ------------------------------------------------------------------ the file

    def note(self, record: R) -> R:
        """Append a record at the present time."""
        written = dataclasses.replace(record, t=round(self.t, 6), seq=len(self.records) + 1)
        # Through the file's own form, so that nothing in it is shared with what changes later.
        self.records.append(load(dump(written), written.seq))
        self.t += STEP
        return written

    def after(self, seconds: float) -> Tale:
        """Let time pass."""
        self.t += seconds
        return self

    def history(self) -> History:
        """What there is so far."""
        return History(list(self.records))

    def trial(self) -> Trial:
        """The same, as the oracles look at it."""
        return Trial(self.history())

    # ------------------------------------------------------------------ the server

    def get(self, resource: str, name: str) -> Object:
        """An object as it is."""
        return self.objects[resource, name]

    def put(self, resource: str, name: str, change: Callable[[Object], None], kind: str = "MODIFIED") -> Object:
        """Change an object, and let the truth tell."""
        obj = self.objects[resource, name]
        change(obj)
        self.number += 1
        obj["metadata"]["resourceVersion"] = str(self.number)
        self.note(Truth(type=kind, resource=resource, object=obj))
        return obj

    def add(self, resource: str, obj: Object) -> Object:
        """A new object."""
        self.uids += 1
        obj = copy.deepcopy(obj)
        obj["metadata"] = {**obj["metadata"], "namespace": "ns", "uid": f"uid-{self.uids}"}
        self.objects[resource, obj["metadata"]["name"]] = obj
        return self.put(resource, obj["metadata"]["name"], lambda _: None, "ADDED")

    def remove(self, resource: str, name: str) -> None:
        """The end of an object."""
        self.put(resource, name, lambda _: None, "DELETED")
        del self.objects[resource, name]

    # ------------------------------------------------------------------ the user

    def said(self, op: str, resource: str, name: str, body: Any = None) -> User:
        """Note an accepted operation whose truth has just been told."""
        obj = self.objects.get((resource, name), {"metadata": {}})["metadata"]
        return self.note(
            User(
                op=op, resource=resource, namespace="ns", name=name, body=body, asked=self.t - 2 * STEP, code=200,
                uid=obj.get("uid", ""), generation=obj.get("generation", 0), resource_version=obj.get("resourceVersion", ""),
            )
        )  # fmt: skip

    def user_creates(self, name: str = "web", **spec: Any) -> Object:
        """A NginxPod, and what is to become of it."""
        full = {"replicas": 1, "image": IMAGE, "port": PORT, **spec}
        body = {"apiVersion": "twinloop.dev/v1alpha1", "kind": "NginxPod", "metadata": {"name": name, "generation": 1}}
        obj = self.add(NGINXPODS, {**body, "spec": full, "status": {"observedGeneration": -1}})
        self.said("create", NGINXPODS, name, body)
        self.expects(name)
        return obj

    def user_edits(self, name: str = "web", **spec: Any) -> Object:
        """Change its spec, and what is to become of it."""

        def change(obj: Object) -> None:
            obj["spec"] = {**obj["spec"], **spec}
            obj["metadata"]["generation"] += 1

        obj = self.put(NGINXPODS, name, change)
        self.said("edit", NGINXPODS, name, {"spec": spec})
        self.expects(name)
        return obj

    def user_deletes(self, name: str = "web") -> None:
        """Delete a NginxPod; the garbage collector does the rest."""
        uid = self.get(NGINXPODS, name)["metadata"]["uid"]
        self.said("delete", NGINXPODS, name)
        self.remove(NGINXPODS, name)
        self.note(Expect(name=name, gone=True))
        for pod in [pod for pod in self.pods() if owner_uid(pod) == uid]:
            self.leaves(pod["metadata"]["name"])
            self.remove(PODS, pod["metadata"]["name"])

    def user_patches(self, resource: str, name: str, change: Callable[[Object], None]) -> Object:
        """Anything else that somebody does to an object."""
        obj = self.put(resource, name, change)
        self.said("patch", resource, name)
        return obj

    def stranger(self, name: str, **metadata: Any) -> Object:
        """A pod of nobody's."""
        spec = {"containers": [{"name": "main", "image": "other"}]}
        body = {"metadata": {"name": name, **metadata}, "spec": spec, "status": {"phase": "Running"}}
        pod = self.add(PODS, body)
        self.said("create", PODS, name)
        return pod

    def expects(self, name: str, **table: Any) -> None:
        """The line of the table that follows from the spec, or another one."""
        spec = self.get(NGINXPODS, name)["spec"]
        line = {
            "pods": [f"{name}-{ordinal}" for ordinal in range(spec["replicas"])],
            "image": spec["image"],
            "port": spec["port"],
        }
        self.note(Expect(name=name, **{**line, **table}))

    # ------------------------------------------------------------------ the kubelet

    def becomes(self, name: str, *, ready: bool = True, phase: str = "Running") -> None:
        """A pod's status changes."""
        status = {"phase": phase, "conditions": [{"type": "Ready", "status": str(ready)}]}
        self.put(PODS, name, lambda pod: pod.update(status=status))

    def leaves(self, name: str) -> None:
        """A pod is asked to go."""
        self.put(PODS, name, lambda pod: pod["metadata"].update(deletionTimestamp="2026-01-01T00:00:30Z"))

    def pods(self) -> list[Object]:
        """All pods there are."""
        return [obj for (resource, _), obj in self.objects.items() if resource == PODS]

    # ------------------------------------------------------------------ the operator's words

    def asks(self, verb: str, resource: str, name: str = "", *, replica: str = "a", **fields: Any) -> Request:
        """A request arrives at the proxy."""
        self.ids += 1
        return self.note(
            Request(id=self.ids, replica=replica, verb=verb, resource=resource, name=name, path="/", **fields)
        )

    def answers(self, request: Request, code: int = 200, body: Any = None, **fields: Any) -> Response:
        """Its answer. `committed` is the same code unless said otherwise."""
        return self.note(Response(**{"request": request.id, "code": code, "committed": code, "body": body, **fields}))

    def refused(self, request: Request, code: int = 500, **fields: Any) -> Response:
        """An error for an answer."""
        status = {"kind": "Status", "code": code, **({"details": fields.pop("details")} if "details" in fields else {})}
        return self.answers(request, code, status, **fields)

    def reads(self, verb: str, resource: str, name: str = "", **fields: Any) -> Request:
        """A read that is answered."""
        request = self.asks(verb, resource, name, **fields)
        self.answers(request)
        return request

    def watches(self, resource: str, **fields: Any) -> Request:
        """A watch that begins."""
        return self.reads("watch", resource, **fields)

    def hears(self, watch: Request, resource: str, name: str, kind: str = "MODIFIED", **fields: Any) -> None:
        """A line of a watch, about an object as it is."""
        metadata = self.get(resource, name)["metadata"]
        line = {"uid": metadata["uid"], "resource_version": metadata["resourceVersion"]}
        self.note(StreamEvent(request=watch.id, type=kind, resource=resource, name=name, **{**line, **fields}))

    def ends(self, watch: Request, why: str = "server") -> None:
        """The end of a watch."""
        self.note(StreamEnd(request=watch.id, why=why))

    # ------------------------------------------------------------------ the operator's deeds

    def makes(self, owner: str, name: str, *, answer: dict[str, Any] | None = None, **changes: Any) -> Object:
        """The operator creates a pod for a NginxPod. `changes` are made to the right body, `answer` to the answer."""
        body = (
            pod_for(self.objects[NGINXPODS, owner], name) if (NGINXPODS, owner) in self.objects else changes.pop("body")
        )
        body = merged(body, changes)
        request = self.asks("create", PODS, body=body)
        pod = self.add(PODS, {**body, "status": {"phase": "Pending"}})
        self.answers(request, **{"code": 201, "committed": 201, "body": copy.deepcopy(pod), **(answer or {})})
        return pod

    def deletes(self, name: str, *, uid: str | None = None, replica: str = "a", **answer: Any) -> Request:
        """The operator deletes a pod, by its uid unless `uid` is "", and it goes."""
        pod = self.get(PODS, name)
        named = pod["metadata"]["uid"] if uid is None else uid
        body = {"preconditions": {"uid": named}} if named else {}
        request = self.asks("delete", PODS, name, body=body, replica=replica)
        self.leaves(name)
        self.answers(request, **{"body": copy.deepcopy(pod), **answer})
        self.remove(PODS, name)
        return request

    def says(
        self, name: str = "web", *, replica: str = "a", answer: dict[str, Any] | None = None, **changes: Any
    ) -> Request:
        """The operator writes the true status of a NginxPod, but for `changes` to it."""
        status = merged(self.true_status(name), changes)
        request = self.asks("patch", NGINXPODS, name, subresource="status", body={"status": status}, replica=replica)
        obj = self.put(NGINXPODS, name, lambda each: each.update(status=status))
        self.answers(request, **{"body": copy.deepcopy(obj), **(answer or {})})
        return request

    def patches(self, resource: str, name: str, changes: Object, **answer: Any) -> Request:
        """The operator merges something into an object."""
        request = self.asks("patch", resource, name, body=changes)
        new = merged(self.get(resource, name), changes)

        def change(obj: Object) -> None:
            obj.clear()
            obj.update(new)

        obj = self.put(resource, name, change)
        self.answers(request, **{"body": copy.deepcopy(obj), **answer})
        return request

    def says_again(self, name: str = "web") -> Request:
        """The operator writes the status that is there: nothing changes."""
        obj = copy.deepcopy(self.get(NGINXPODS, name))
        request = self.asks("patch", NGINXPODS, name, subresource="status", body={"status": obj["status"]})
        self.answers(request, body=obj)
        return request

    def true_status(self, name: str = "web") -> Object:
        """What the status of a NginxPod should be, in the simple cases."""
        obj = self.get(NGINXPODS, name)
        own = [pod for pod in self.pods() if owner_uid(pod) == obj["metadata"]["uid"]]
        living = [
            pod for pod in own if "deletionTimestamp" not in pod["metadata"] and pod["status"]["phase"] != "Failed"
        ]
        ready = [pod for pod in living if {"type": "Ready", "status": "True"} in pod["status"].get("conditions", [])]
        right = [pod for pod in ready if pod["spec"]["containers"][0]["image"] == obj["spec"]["image"]]
        done = len(right) == len(own) == obj["spec"]["replicas"]
        return {
            "observedGeneration": obj["metadata"]["generation"],
            "replicas": len(living),
            "readyReplicas": len(ready),
            "selector": f"twinloop.dev/nginxpod={name}",
            "conditions": [
                {
                    "type": "Ready",
                    "status": str(done),
                    "reason": "AllReady" if done else "Progressing",
                    "lastTransitionTime": "T1" if done else "T0",
                }
            ],
        }

    def serves(self, name: str = "web") -> None:
        """The operator and the kubelet do everything right for a NginxPod: what is wrong goes, what is missing comes."""
        spec = self.get(NGINXPODS, name)["spec"]
        wanted = [f"{name}-{ordinal}" for ordinal in range(spec["replicas"])]
        uid = self.get(NGINXPODS, name)["metadata"]["uid"]
        for pod in reversed([pod for pod in self.pods() if owner_uid(pod) == uid]):
            if pod["metadata"]["name"] not in wanted:
                self.deletes(pod["metadata"]["name"])
        for each in reversed(wanted):
            held = self.objects.get((PODS, each))
            if held is not None and held["spec"]["containers"][0]["image"] != spec["image"]:
                self.deletes(each)
            if (PODS, each) not in self.objects:
                self.makes(name, each)
                self.says(name)
                self.becomes(each)
        if self.get(NGINXPODS, name)["status"] != self.true_status(name):
            self.says(name)

    def tells(self, name: str = "web", reason: str = "Ready") -> Request:
        """The operator writes an Event."""
        body = {"metadata": {"name": f"{name}.1"}, "reason": reason}
        request = self.asks("create", EVENTS, body=body)
        self.number += 1
        self.answers(request, 201, merged(body, {"metadata": {"uid": "event", "resourceVersion": str(self.number)}}))
        return request

    # ------------------------------------------------------------------ the process and the faults

    def process(self, what: str, *, replica: str = "a", **fields: Any) -> Process:
        """Something happens to the operator's process."""
        return self.note(Process(replica=replica, what=what, **fields))

    def up(self, replica: str = "a") -> Tale:
        """It starts and is ready."""
        self.process("started", replica=replica)
        self.process("ready", replica=replica)
        return self

    def down(self, replica: str = "a", code: int = 0) -> Tale:
        """It is asked to go, and goes."""
        self.process("signalled", replica=replica, expected=True, detail="SIGTERM")
        self.process("exited", replica=replica, expected=True, code=code)
        return self

    def fault(self, action: str, request: Request | None = None, rule: str = "rule") -> None:
        """A rule fires."""
        self.note(Fault(rule=rule, action=action, request=request.id if request else 0))

    def alarm(self, text: str) -> None:
        """A line in the log that should not be there."""
        self.note(LogAlarm(replica="a", line=1, text=text))

    # ------------------------------------------------------------------ the frame

    def mark(self, name: str, *, ok: bool = True, detail: str = "") -> Mark:
        """A milestone."""
        return self.note(Mark(name=name, ok=ok, detail=detail))

    def begins(self) -> Tale:
        """The operator is up and listens, the story begins."""
        self.up()
        self.mark("steady")
        self.listening = {resource: self.watches(resource) for resource in (NGINXPODS, PODS)}
        self.mark("story-begin")
        return self

    def settles(self, *, ok: bool = True, detail: str = "", patience: float = 1.0) -> Tale:
        """The story is over, and the operator has come to rest, or not."""
        self.mark("story-end")
        self.mark("faults-over")
        self.after(patience)
        self.mark("settled", ok=ok, detail=detail)
        self.mark("quiet-begin")
        return self

    def rests(self, **settled: Any) -> Tale:
        """The same, and the quiet window."""
        self.settles(**settled).after(0.6)
        self.mark("quiet-end")
        return self

    def cleans(self, *, ok: bool = True) -> Tale:
        """Everything is deleted, the operator stops, the file ends."""
        self.mark("cleanup-begin")
        for resource, name in list(self.objects):
            if resource == NGINXPODS:
                self.user_deletes(name)
        self.mark("cleanup-end", ok=ok)
        return self.closes()

    def closes(self, **end: Any) -> Tale:
        """The operator stops and the file ends."""
        self.down()
        self.note(End(**{"outcome": "complete", **end}))
        return self


def plain(variant: str = "some", plan: str = "", **spec: Any) -> Tale:
    """One NginxPod is made, served, left alone and deleted, and everything is right."""
    tale = Tale(variant=variant, plan=plan).begins()
    tale.user_creates("web", **{"replicas": 2, **spec})
    tale.serves("web")
    return tale.rests().cleans()


def begun(replicas: int = 2, **begin: Any) -> Tale:
    """The first half of it: a NginxPod that is served, and the story goes on."""
    tale = Tale(**begin).begins()
    tale.user_creates("web", replicas=replicas)
    tale.serves("web")
    return tale.after(5.0)


def pod_for(nginxpod: Object, name: str) -> Object:
    """The body of a right pod."""
    spec, metadata = nginxpod["spec"], nginxpod["metadata"]
    labels = {
        "app.kubernetes.io/name": "nginx",
        "app.kubernetes.io/instance": metadata["name"],
        "app.kubernetes.io/managed-by": "twinloop",
        "twinloop.dev/nginxpod": metadata["name"],
        "twinloop.dev/template": f"{spec['image']}:{spec['port']}",
    }
    owner = {
        "apiVersion": "twinloop.dev/v1alpha1",
        "kind": "NginxPod",
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
    }
    container = {"name": "nginx", "image": spec["image"], "ports": [{"containerPort": spec["port"]}]}
    return {
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels, "ownerReferences": [owner]},
        "spec": {"containers": [container]},
    }


def owner_uid(pod: Object) -> str:
    """The uid of a pod's first owner."""
    return str((pod["metadata"].get("ownerReferences") or [{}])[0].get("uid", ""))


def merged(base: Any, changes: Any) -> Any:
    """A copy of `base` with `changes` merged in; None removes, lists are replaced."""
    if not isinstance(base, dict) or not isinstance(changes, dict):
        return copy.deepcopy(changes)
    result = {key: copy.deepcopy(value) for key, value in base.items() if changes.get(key, value) is not None}
    for key, value in changes.items():
        if value is not None:
            result[key] = merged(base.get(key), value) if key in base else copy.deepcopy(value)
    return result


# ------------------------------------------------------------------ asking an oracle


def assert_ok(finding: Finding) -> None:
    """Looked at and found in order."""
    assert finding.verdict is Verdict.OK, finding


def assert_unknown(finding: Finding, words: str = "") -> None:
    """Not seen, for this reason."""
    assert finding.verdict is Verdict.UNKNOWN, finding
    assert words in finding.message, finding


def assert_violated(finding: Finding, words: str, *evidence: int) -> None:
    """Violated, in these words, shown by these lines."""
    assert finding.verdict is Verdict.VIOLATED, finding
    assert words in finding.message, finding
    assert set(evidence) <= set(finding.evidence), finding


@functools.cache
def plain_trial() -> Trial:
    """The plain tale as a trial; for tests that only read it."""
    return plain().trial()
