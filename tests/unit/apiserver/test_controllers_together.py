"""All controllers at once, under random sequences of what users, time and a test's own commands do.

Whatever happened, once time has passed and nobody acts the cluster must be at rest and in order: nothing dangling,
nothing half-deleted, every count true, every pod as far as it can come. Leaves out finalizers of other programs (they
hold things up by design) and the contents of statuses (test_kubelet_status.py).
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from support.live_server import LiveServer, config_map, owned_by, pod
from twinloop.apiserver.controllers import NAMES
from twinloop.apiserver.expiry import RESOURCE as EVENTS

NAMESPACES = ("red", "blue")
PODS = ("a", "b", "c", "d")
OWNERS = ("x", "y")
STEPS = 100
SEEDS = range(12)


class World:
    """A cluster and a hand that does things to it."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.live = LiveServer(*NAMES, seed=seed)
        self.snapshot: Any = None

    def step(self) -> None:
        """One random act; what the API refuses is part of the game."""
        acts = (
            *(self.create_pod,) * 10,
            *(self.delete_pod,) * 3,
            *(self.create_owner,) * 6,
            *(self.delete_owner,) * 2,
            *(self.create_namespace,) * 4,
            *(self.pass_time,) * 6,
            *(self.set_quota,) * 3,
            self.delete_namespace,
            self.end_pod,
            self.crash_pod,
            self.freeze,
            self.thaw,
            self.take_snapshot,
            self.restore,
        )
        self.rng.choice(acts)()

    # ------------------------------------------------------------------ acts

    def core(self, plural: str, name: str = "") -> str:
        path = f"/api/v1/namespaces/{self.rng.choice(NAMESPACES)}/{plural}"
        return f"{path}/{name}" if name else path

    def create_pod(self) -> None:
        path = self.core("pods")
        wanted = pod(self.rng.choice(PODS), restartPolicy=self.rng.choice(["Always", "Never"]))
        owner = self.live.server.storage.get(("", "configmaps"), path.split("/")[4], self.rng.choice(OWNERS))
        if owner is not None and self.rng.random() < 0.7:
            wanted["metadata"]["ownerReferences"] = [owned_by(owner.object(), block=self.rng.random() < 0.5)]
        self.live.ask("POST", path, wanted)

    def delete_pod(self) -> None:
        options = self.rng.choice([None, {"gracePeriodSeconds": 0}, {"gracePeriodSeconds": 3}])
        self.live.ask("DELETE", self.core("pods", self.rng.choice(PODS)), options)

    def create_owner(self) -> None:
        self.live.ask("POST", self.core("configmaps"), config_map(self.rng.choice(OWNERS)))

    def delete_owner(self) -> None:
        policy = self.rng.choice(["Background", "Foreground", "Orphan"])
        path = self.core("configmaps", self.rng.choice(OWNERS))
        self.live.ask("DELETE", path, {"propagationPolicy": policy})

    def create_namespace(self) -> None:
        self.live.ask("POST", "/api/v1/namespaces", {"metadata": {"name": self.rng.choice(NAMESPACES)}})

    def delete_namespace(self) -> None:
        self.live.ask("DELETE", f"/api/v1/namespaces/{self.rng.choice(NAMESPACES)}")

    def set_quota(self) -> None:
        hard = {"pods": str(self.rng.randint(1, 4)), "count/pods": "3"}
        self.live.ask("POST", self.core("resourcequotas"), {"metadata": {"name": "q"}, "spec": {"hard": hard}})

    def end_pod(self) -> None:
        self.annotate("phase", self.rng.choice(["Failed", "Succeeded"]))

    def crash_pod(self) -> None:
        self.annotate("crashes", "2")

    def annotate(self, order: str, value: str) -> None:
        change = {"metadata": {"annotations": {f"kubelet.twinloop.dev/{order}": value}}}
        path = self.core("pods", self.rng.choice(PODS))
        self.live.ask("PATCH", path, change, content_type="application/merge-patch+json")

    def freeze(self) -> None:
        self.live.server.controllers.kubelet.freeze()

    def thaw(self) -> None:
        self.live.server.controllers.kubelet.thaw()

    def take_snapshot(self) -> None:
        self.snapshot = self.live.server.storage.snapshot()

    def restore(self) -> None:
        if self.snapshot is not None:
            self.live.server.storage.restore(self.snapshot)
            self.live.forget()  # a restored storage counts its revisions again from the snapshot's

    def pass_time(self) -> None:
        self.live.settle(self.rng.choice([0.0, 0.1, 0.5, 3.0]))

    # ------------------------------------------------------------------ what there is

    def objects(self) -> list[dict[str, Any]]:
        storage = self.live.server.storage
        return [record.object() for resource in storage.resources() for record in storage.list(resource)]


@pytest.fixture(params=SEEDS)
def rested(request: pytest.FixtureRequest) -> World:
    """A world some time after a random history."""
    world = World(request.param)
    for _ in range(STEPS):
        world.step()
    world.thaw()
    world.live.settle(120)
    return world


def test_the_cluster_comes_to_rest(rested: World) -> None:
    server = rested.live.server
    server.tick()
    assert [each.name for each in server.controllers if each.due() is not None] == []
    rested.live.forget()
    rested.live.settle(3600)
    assert [each for each in rested.live.events if (each.type, each.resource) != ("DELETED", EVENTS)] == []


def test_nothing_is_half_deleted(rested: World) -> None:
    assert [each for each in rested.objects() if each["metadata"].get("deletionTimestamp")] == []


def test_nobody_is_owned_by_the_dead(rested: World) -> None:
    living = {each["metadata"]["uid"] for each in rested.objects()}
    for each in rested.objects():
        owners = {reference["uid"] for reference in each["metadata"].get("ownerReferences", ())}
        assert owners <= living


def test_nothing_is_in_a_namespace_that_is_gone(rested: World) -> None:
    namespaces = {each["metadata"]["name"] for each in rested.objects() if each["kind"] == "Namespace"}
    assert {each["metadata"].get("namespace", "default") for each in rested.objects()} <= namespaces


def test_every_namespace_is_furnished(rested: World) -> None:
    for each in rested.objects():
        if each["kind"] == "Namespace":
            assert rested.live.exists(f"/api/v1/namespaces/{each['metadata']['name']}/serviceaccounts/default")


def test_every_quota_is_true(rested: World) -> None:
    for quota in (each for each in rested.objects() if each["kind"] == "ResourceQuota"):
        namespace = quota["metadata"]["namespace"]
        pods = rested.live.get(f"/api/v1/namespaces/{namespace}/pods")["items"]
        active = [each for each in pods if each["status"]["phase"] not in {"Failed", "Succeeded"}]
        assert quota["status"]["used"] == {"pods": str(len(active)), "count/pods": str(len(pods))}


def test_every_pod_is_as_far_as_it_can_come(rested: World) -> None:
    for each in (each for each in rested.objects() if each["kind"] == "Pod"):
        status = each["status"]
        ready = {found["type"]: found["status"] for found in status["conditions"]}["Ready"]
        assert (status["phase"], ready) in {("Running", "True"), ("Failed", "False"), ("Succeeded", "False")}


def test_a_watcher_sees_each_object_come_change_and_go(rested: World) -> None:
    there: set[tuple[Any, str]] = set()
    revision = 0
    for event in rested.live.events:
        assert event.revision > revision
        revision, key = event.revision, (event.resource, event.record.uid)
        if event.previous is None:
            assert (event.type, key in there) == ("ADDED", False)
        there = there - {key} if event.type == "DELETED" else there | {key}


def test_the_same_seed_tells_the_same_story() -> None:
    def story() -> list[str]:
        world = World(3)
        for _ in range(STEPS):
            world.step()
        return [f"{each.type} {each.record.key} {each.revision}" for each in world.live.events]

    assert story() == story()
