"""The handwritten operator whole, on sources in memory: events in, requests out, nothing in between left out.

Left out: HTTP (tests/unit/kube), the decisions themselves (tests/unit/test_sync.py), a real cluster (tests/e2e).
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from prometheus_client import CollectorRegistry

from handwritten.clock import RealClock
from handwritten.nginxpod import NginxPodOperator, Sources
from support.builders import at, changed, condition, foreign, nginxpod
from support.fake_client import FakeClient, SilentRecorder
from twinloop.errors import Forbidden
from twinloop.kube import NGINXPODS, PODS, Object
from twinloop.nginxpod import is_terminating

PATIENCE = 5.0


@pytest.fixture(autouse=True)
def mutation_detector(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test watches over the caches: whoever changes an object in them fails it."""
    monkeypatch.setenv("KUBE_CACHE_MUTATION_DETECTOR", "true")


class Shop:
    """An operator at work in threads of its own, and the hands of a user and of a kubelet."""

    def __init__(self) -> None:
        self.client = FakeClient()
        self.recorder = SilentRecorder()
        self.stop = threading.Event()
        self.operator: NginxPodOperator
        self.thread: threading.Thread
        self.start()

    def start(self) -> None:
        self.stop = threading.Event()
        self.registry = CollectorRegistry()
        self.operator = NginxPodOperator(
            self.client,  # type: ignore[arg-type] # the part of a client that is used
            self.recorder,
            sources=Sources(self.client.nginxpods, self.client.pods),
            clock=RealClock(),
            rng=random.Random(1),
            resync=0,
            registry=self.registry,
        )
        self.thread = threading.Thread(target=self.operator.run, args=(self.stop,))
        self.thread.start()

    def end(self) -> None:
        self.stop.set()
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()

    def pods(self) -> dict[str, Object]:
        return self.client.items(PODS)

    def web(self) -> Object:
        return self.client.items(NGINXPODS)["web"]

    def reason(self) -> str:
        conditions = self.web()["status"].get("conditions") or [{}]
        return str(conditions[0].get("reason"))

    def edit(self, **spec: object) -> None:
        web = self.web()
        generation = web["metadata"]["generation"] + 1
        self.client.nginxpods.modify(changed({**web, "spec": {**web["spec"], **spec}}, generation=generation))

    def kubelet(self) -> None:
        for pod in self.pods().values():
            if is_terminating(pod):
                self.client.pods.delete(pod)
            elif (pod.get("status") or {}).get("phase") not in {"Running", "Failed"}:
                self.client.pods.modify(
                    {**pod, "status": {"phase": "Running", "conditions": [condition("Ready", True)]}}
                )

    def until(self, true: Callable[[], bool], *, kubelet: bool = True, patience: float = PATIENCE) -> None:
        """Wait for a condition while the kubelet works; real time, since the operator's threads are real."""
        deadline = time.monotonic() + patience
        while not true():
            assert time.monotonic() < deadline, (self.client.requests[-10:], self.client.items(NGINXPODS))
            if kubelet:
                self.kubelet()
            self.stop.wait(0.005)

    def visits(self) -> float:
        labels = {"controller": "nginxpod", "result": "success"}
        return self.registry.get_sample_value("controller_runtime_reconcile_total", labels) or 0

    def quiet(self) -> list[tuple[str, str, str]]:
        """The requests of a moment in which nothing happens; the queue is empty before and after."""
        before = len(self.client.requests)
        self.stop.wait(0.1)
        return self.client.requests[before:]


@pytest.fixture
def shop() -> Iterator[Shop]:
    made = Shop()
    yield made
    made.end()


def test_a_nginxpod_becomes_ready_and_then_no_request_is_sent(shop: Shop) -> None:  # R14
    shop.client.nginxpods.add(nginxpod())
    shop.until(lambda: shop.reason() == "AllReady")
    assert sorted(shop.pods()) == ["web-0", "web-1", "web-2"]
    assert shop.quiet() == []


def test_reads_come_from_the_caches(shop: Shop) -> None:  # R14
    shop.client.nginxpods.add(nginxpod())
    shop.until(lambda: shop.reason() == "AllReady")
    assert {verb for verb, _resource, _name in shop.client.requests} == {"create", "patch status"}


def test_our_own_writes_are_known_before_the_watch_shows_them(shop: Shop) -> None:
    # A create that the cache does not know of would be sent again and refused: three pods, three creates.
    shop.client.nginxpods.add(nginxpod())
    shop.until(lambda: shop.reason() == "AllReady")
    creates = [name for verb, _resource, name in shop.client.requests if verb == "create"]
    assert creates == ["web-0", "web-1", "web-2"]


def test_a_restart_writes_nothing(shop: Shop) -> None:  # R14
    shop.client.nginxpods.add(nginxpod())
    shop.until(lambda: shop.reason() == "AllReady")
    shop.end()
    shop.client.requests.clear()
    shop.recorder.reasons.clear()
    shop.start()
    shop.until(lambda: shop.operator.ready() is True)
    assert shop.quiet() == []
    assert shop.recorder.reasons == []


def test_the_echo_of_our_status_write_asks_for_no_visit(shop: Shop) -> None:
    slow = shop.client.nginxpods.modify
    # The answer to a write usually comes before its event; here it always does.
    shop.client.nginxpods.modify = shop.client.nginxpods.modify_drop_watch  # type: ignore[method-assign]
    shop.client.nginxpods.add(nginxpod(replicas=0))
    shop.until(lambda: shop.reason() == "AllReady")
    shop.quiet()
    visits = shop.visits()
    shop.client.nginxpods.modify = slow  # type: ignore[method-assign]
    shop.client.nginxpods.end_watches()
    shop.until(lambda: shop.operator.nginxpods.last_sync_resource_version == shop.web()["metadata"]["resourceVersion"])
    shop.quiet()
    assert shop.visits() == visits


def test_a_status_that_somebody_else_writes_is_put_right(shop: Shop) -> None:
    shop.client.nginxpods.add(nginxpod(replicas=1))
    shop.until(lambda: shop.reason() == "AllReady")
    web = shop.web()
    shop.client.nginxpods.modify({**web, "status": {**web["status"], "readyReplicas": 77}})
    shop.until(lambda: shop.web()["status"]["readyReplicas"] == 1)


def test_a_pod_deleted_by_hand_comes_back(shop: Shop) -> None:
    shop.client.nginxpods.add(nginxpod(replicas=1))
    shop.until(lambda: shop.reason() == "AllReady")
    before = shop.pods()["web-0"]["metadata"]["uid"]
    shop.client.pods.delete(shop.pods()["web-0"])
    shop.until(lambda: shop.pods().get("web-0", {"metadata": {"uid": before}})["metadata"]["uid"] != before)
    shop.until(lambda: shop.reason() == "AllReady")


def test_a_pod_that_loses_its_owner_wakes_the_nginxpod_that_it_had(shop: Shop) -> None:  # the old object names it
    shop.client.nginxpods.add(nginxpod(replicas=1))
    shop.until(lambda: shop.reason() == "AllReady")
    # Surplus that cannot go, under a name that says nothing.
    shop.client.refuse["delete", "odd"] = Forbidden("protected", code=403)
    shop.client.pods.add(changed(shop.pods()["web-0"], name="odd", uid="odd"))
    shop.until(lambda: shop.reason() == "PodDeleteFailed")
    # Well into the back-off, so that nothing but the event can bring a visit in time.
    shop.until(lambda: len([r for r in shop.client.requests if r[0] == "delete"]) >= 10)
    shop.client.pods.modify(changed(shop.pods()["odd"], ownerReferences=[], labels={}))
    shop.until(lambda: shop.reason() == "AllReady", patience=2.0)


def test_a_failed_pod_is_replaced_with_one_request_for_each_step(shop: Shop) -> None:
    """It is gone before any event says so, and its successor is there before any event says so."""
    shop.client.nginxpods.add(nginxpod(replicas=1))
    shop.until(lambda: shop.reason() == "AllReady")
    shop.client.requests.clear()
    shop.client.pods.modify({**shop.pods()["web-0"], "status": {"phase": "Failed"}})
    shop.until(lambda: shop.reason() == "AllReady" and len(shop.client.requests) > 2)
    shop.quiet()
    assert [(verb, name) for verb, kind, name in shop.client.requests if kind == "pods"] == [
        ("delete", "web-0"),
        ("create", "web-0"),
    ]


def test_a_rollout_goes_on_while_the_pod_watch_is_silent(shop: Shop) -> None:
    """The cache stays behind; what the server refuses is read live, and nothing older is decided on afterwards."""
    shop.client.nginxpods.add(nginxpod(replicas=1))
    shop.until(lambda: shop.reason() == "AllReady")
    gone = shop.pods()["web-0"]
    shop.client.pods.delete_drop_watch(gone)
    shop.edit(image="nginx:2")
    shop.until(lambda: "web-0" in shop.pods(), kubelet=False)
    assert shop.pods()["web-0"]["metadata"]["uid"] != gone["metadata"]["uid"]


def test_a_foreign_pod_that_leaves_wakes_the_nginxpod_that_wants_its_name(shop: Shop) -> None:  # R4
    shop.client.pods.add(changed(foreign("web-0"), labels={}))
    shop.client.nginxpods.add(nginxpod(replicas=1))
    shop.until(lambda: shop.reason() == "NameConflict", kubelet=False)
    assert ("delete", "pods", "web-0") not in shop.client.requests
    shop.client.pods.delete(shop.pods()["web-0"])
    shop.until(lambda: shop.reason() == "AllReady")


def test_pods_deleted_while_the_watch_was_broken_come_back(shop: Shop) -> None:  # what kopf's watch cannot see
    shop.client.nginxpods.add(nginxpod())
    shop.until(lambda: shop.reason() == "AllReady")
    shop.client.pods.delete_drop_watch(shop.pods()["web-1"])
    shop.client.pods.reset_watch()
    shop.until(lambda: "web-1" in shop.pods())


@pytest.mark.statement("CT-7")
def test_a_refused_create_is_tried_again_until_it_is_accepted(shop: Shop) -> None:  # R12
    shop.client.refuse["create", "web-0"] = Forbidden("exceeded quota", code=403)
    shop.client.nginxpods.add(nginxpod(replicas=1))
    shop.until(lambda: shop.reason() == "PodCreateFailed")
    shop.until(lambda: len([r for r in shop.client.requests if r[0] == "create"]) >= 4)
    del shop.client.refuse["create", "web-0"]
    shop.until(lambda: shop.reason() == "AllReady")
    assert shop.recorder.reasons == ["PodCreateFailed", "PodCreated", "Ready"]


def test_a_rollout_replaces_every_pod(shop: Shop) -> None:  # R5
    shop.client.nginxpods.add(nginxpod())
    shop.until(lambda: shop.reason() == "AllReady")
    before = {pod["metadata"]["uid"] for pod in shop.pods().values()}
    shop.edit(image="nginx:2")
    shop.until(lambda: not before & {pod["metadata"]["uid"] for pod in shop.pods().values()} and len(shop.pods()) == 3)
    shop.until(lambda: shop.reason() == "AllReady")
    deletes = [name for verb, _resource, name in shop.client.requests if verb == "delete"]
    assert deletes == ["web-2", "web-1", "web-0"]


@pytest.mark.statement("CT-7")
def test_pods_of_nobody_cost_no_request(shop: Shop) -> None:
    shop.until(lambda: shop.operator.ready() is True)
    shop.client.pods.add(changed(foreign("coredns-abc-0"), labels={}, creationTimestamp=at(0)))
    assert shop.quiet() == []


def test_a_nginxpod_that_is_gone_is_forgotten(shop: Shop) -> None:
    shop.client.nginxpods.add(nginxpod(replicas=0))
    shop.until(lambda: shop.reason() == "AllReady")
    shop.client.requests.clear()
    shop.client.nginxpods.delete(shop.web())
    assert shop.quiet() == []


def test_readiness_names_the_cache_that_is_not_filled() -> None:
    client = FakeClient()
    client.pods.list_error = Forbidden("pods is forbidden", code=403)
    operator = NginxPodOperator(
        client,  # type: ignore[arg-type]
        SilentRecorder(),
        sources=Sources(client.nginxpods, client.pods),
        clock=RealClock(),
        rng=random.Random(1),
        registry=CollectorRegistry(),
    )
    stop = threading.Event()
    thread = threading.Thread(target=operator.run, args=(stop,))
    thread.start()
    try:
        deadline = time.monotonic() + PATIENCE
        while operator.ready() != "not synced: pods":
            assert time.monotonic() < deadline
            stop.wait(0.005)
    finally:
        stop.set()
        thread.join(PATIENCE)
    assert not thread.is_alive()
