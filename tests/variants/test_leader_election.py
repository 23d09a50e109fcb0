"""Two handwritten operators and one Lease, as processes against the embedded API server.

Left out: a leader that dies without a word, whose successor has to wait for 15 s (tests/e2e/test_leader_election.py);
kopf, which has no leader election by Lease.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.embedded_api import EmbeddedApi, web
from support.processes import Operator, page, status, until
from twinloop.kube import NAMESPACES, PODS

FLAGS = ("--leader-elect", "--leader-elect-resource-namespace=twinloop-system")

Replica = Callable[[str], Operator]


@pytest.fixture
def replica(api: EmbeddedApi, tmp_path: Path) -> Iterator[Replica]:
    """Starts a replica of the given identity."""
    made: list[Operator] = []
    kubeconfig = api.kubeconfig(tmp_path / "kubeconfig")
    api.client.create(NAMESPACES, {"metadata": {"name": "twinloop-system"}})

    def make(identity: str, *flags: str) -> Operator:
        log = tmp_path / f"log-{identity}"
        flags = (*FLAGS, f"--leader-elect-identity={identity}", *flags)
        made.append(Operator("handwritten", kubeconfig, log, {}, 0, *flags))
        return made[-1]

    yield make
    for operator in made:
        operator.process.kill()
        operator.process.wait()


def master_status(operator: Operator) -> str:
    lines = page(operator.metrics, "/metrics").splitlines()
    return next((line.split()[-1] for line in lines if line.startswith("leader_election_master_status{")), "")


@pytest.mark.statement("LE-8")
def test_the_standby_is_ready_and_takes_over_when_the_leader_ends(api: EmbeddedApi, replica: Replica) -> None:
    first = replica("first")
    until(lambda: api.lease().get("holderIdentity") == "first", "nobody leads")
    second = replica("second")
    until(lambda: (first.ready(), second.ready()) == (200, 200), "not ready")
    assert (master_status(first), master_status(second)) == ("1.0", "0.0")
    assert status(second.health, "/healthz") == 200

    api.add(web(replicas=1))
    until(lambda: "web-0" in api.items(PODS), "no pod")
    assert "Starting workers" not in second.output()

    assert first.stop() == 0
    assert api.lease().get("holderIdentity") != "first"
    until(lambda: api.lease().get("holderIdentity") == "second", "nobody took over")
    gone = api.items(PODS)["web-0"]["metadata"]["uid"]
    api.remove(PODS, "web-0")
    until(
        lambda: api.items(PODS).get("web-0", {}).get("metadata", {}).get("uid", gone) != gone,
        "the new leader does not work",
    )
    assert api.lease()["leaseTransitions"] == 1
    assert second.stop() == 0
    assert "Traceback" not in first.output() + second.output()


def test_without_a_namespace_for_the_lease_it_says_so_and_exits_2(api: EmbeddedApi, tmp_path: Path) -> None:
    operator = Operator(
        "handwritten", api.kubeconfig(tmp_path / "kubeconfig"), tmp_path / "log", {}, 0, "--leader-elect"
    )
    assert operator.process.wait(20) == 2
    assert "--leader-elect-resource-namespace" in operator.output()
    assert "Traceback" not in operator.output()


@pytest.mark.statement("RE-19")
def test_the_current_pipeline_serves_nginxpods_as_well(api: EmbeddedApi, tmp_path: Path) -> None:
    api.add(web(replicas=1))
    operator = Operator(
        "handwritten", api.kubeconfig(tmp_path / "kubeconfig"), tmp_path / "log", {}, 0, "--pipeline=current"
    )
    try:
        until(lambda: "web-0" in api.items(PODS), "no pod")
        assert operator.ready() == 200
        assert operator.stop() == 0
    finally:
        operator.process.kill()
        operator.process.wait()
    assert "Traceback" not in operator.output()
