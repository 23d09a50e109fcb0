"""Fixtures of the end-to-end suite: the cluster, each variant deployed in it in turn, a case around each test.

`make e2e` has made the cluster, built the images and loaded them, and calls pytest with pytest-kind's options. The
order is fixed: what needs no operator, then all cases of one variant up to its undeploy, then the other's. `report`
gathers what came of it.
"""

from __future__ import annotations

import re
import secrets
import shutil
import subprocess
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from pytest_kind import KindCluster

from e2e import dump
from e2e.audit import AuditLog
from e2e.case import Case
from e2e.cluster import Cluster, CommandFailed
from e2e.deployment import Deployment
from e2e.objects import MAINLINE, STABLE
from e2e.recorder import Recorder
from e2e.report import Report
from twinloop.kube import EVENTS, NGINXPODS, PODS

# The order in which a person would try things; what shakes the whole cluster comes late.
MODULES = [
    "crd",
    "lifecycle",
    "rollout",
    "drift",
    "conflict",
    "failure",
    "absence",
    "user_tools",
    "scale",
    "leader_election",
    "cluster",
    "podwatch",
]
VARIANTS = ["handwritten", "kopf"]
CASE_SECONDS = 420
HERE = Path(__file__).parent
RESULTS = HERE.parents[1] / "results"
REPORT = pytest.StashKey[Report]()
FAILED = pytest.StashKey[bool]()


# --- collection -------------------------------------------------------------------------------------------------------


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker and the report."""
    config.addinivalue_line(
        "markers",
        "last: takes the operator away, so it comes after all other cases of its variant.",
    )
    config.addinivalue_line(
        "markers",
        "framework_limit(variant, reason): this variant cannot pass because of its framework; `reason` names the line of "
        "its source or the issue. A strict xfail: it fails as soon as it passes.",
    )
    config.stash[REPORT] = Report(VARIANTS)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the suite out without a cluster; else bring it into its order, which no plugin may shuffle."""
    ours = [item for item in items if HERE in item.path.parents]
    others = [item for item in items if HERE not in item.path.parents]
    if not config.getoption("kind_bin"):
        config.hook.pytest_deselected(items=ours)
        items[:] = others
        return
    for item in ours:
        _expect_framework_limit(item)
        # Fixtures count too, among them a deployment. Only what hangs takes this long.
        item.add_marker(pytest.mark.timeout(CASE_SECONDS))
    items[:] = others + sorted(ours, key=_order)


def _expect_framework_limit(item: pytest.Item) -> None:
    for marker in item.iter_markers("framework_limit"):
        if marker.kwargs["variant"] == _variant_of(item):
            item.add_marker(pytest.mark.xfail(reason=marker.kwargs["reason"], strict=True))


def _order(item: pytest.Item) -> tuple[int, bool, int, int]:
    """No variant first, then one variant after the other; what takes the operator away comes last of each."""
    variant = _variant_of(item)
    line = item.location[1] or 0
    turn = VARIANTS.index(variant) + 1 if variant else 0
    module = MODULES.index(item.path.stem.removeprefix("test_"))
    return turn, item.get_closest_marker("last") is not None, module, line


def _variant_of(item: pytest.Item) -> str:
    callspec = getattr(item, "callspec", None)
    return str(callspec.params.get("variant", "")) if callspec else ""


# --- the cluster and the variants -------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Cluster:
    """The kind cluster of --cluster-name, which exists already, with the CRD installed."""
    option = request.config.getoption
    kubeconfig = Path(option("kubeconfig") or f".pytest-kind/{option('cluster_name')}/kubeconfig").absolute()
    kind = KindCluster(
        option("cluster_name"),
        kubeconfig,
        image=option("kind_image"),
        kind_path=Path(option("kind_bin")),
        kubectl_path=Path(option("kind_kubectl_bin")),
    )
    _export_kubeconfig(kind)
    # With a cluster of this name and its kubeconfig in place, this only connects.
    kind.create()
    found = Cluster(kind)
    request.config.stash[REPORT].place = found.describe()
    found.make("install")
    # One that an interrupted run left behind would answer in the cases without an operator.
    for deployment in (Deployment(found, variant) for variant in VARIANTS):
        if deployment.pods():
            deployment.undeploy()
    found.pull_images([STABLE, MAINLINE])
    return found


def _export_kubeconfig(kind: KindCluster) -> None:
    """Write the kubeconfig if it is lost: pytest-kind would touch an empty one and fail on it."""
    existing = subprocess.run([str(kind.kind_path), "get", "clusters"], capture_output=True, text=True, check=True)
    if kind.name not in existing.stdout.split():
        pytest.exit(f"There is no kind cluster {kind.name}: run `make e2e-cluster` first, or `make e2e`.", returncode=2)
    path = Path(kind.kubeconfig_path)
    if not path.exists() or not path.read_text().strip():
        path.parent.mkdir(parents=True, exist_ok=True)
        command = [str(kind.kind_path), "export", "kubeconfig", "--name", kind.name, "--kubeconfig", str(path)]
        subprocess.run(command, check=True)


@pytest.fixture(scope="session", params=VARIANTS)
def variant(request: pytest.FixtureRequest, cluster: Cluster) -> Iterator[Deployment]:
    """One variant, deployed by `make deploy` and taken away by `make undeploy` after its last case."""
    deployment = Deployment(cluster, request.param)
    try:
        deployment.deploy()
    except CommandFailed:
        dump.write_log(deployment, RESULTS / f"deploy-{request.param}")
        deployment.undeploy()
        raise
    yield deployment
    deployment.undeploy()


# --- a case -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def case(request: pytest.FixtureRequest, cluster: Cluster, variant: Deployment) -> Iterator[Case]:
    """A case of the present variant, whose operator must be up when the case begins."""
    if not variant.is_ready():
        # The case before may have ended badly. This one must not be judged by that.
        variant.deploy()
    yield from _case(request, cluster, variant)


@pytest.fixture
def bare_case(request: pytest.FixtureRequest, cluster: Cluster) -> Iterator[Case]:
    """A case without any operator in the cluster."""
    yield from _case(request, cluster, None)


def _case(request: pytest.FixtureRequest, cluster: Cluster, operator: Deployment | None) -> Iterator[Case]:
    name = f"e2e-{_slug(request.node)[:48].strip('-')}-{secrets.token_hex(2)}"
    cluster.make_namespace(name)
    # What an earlier run found here would be taken for this one's.
    shutil.rmtree(RESULTS / _slug(request.node), ignore_errors=True)
    log = AuditLog(cluster.on_node)
    with Recorder(cluster.client, name, [NGINXPODS, PODS, EVENTS]) as recorder:
        found = Case(cluster, name, recorder, log, operator, audit_mark=log.mark())
        yield found
        requests = found.all_requests()
        request.config.stash[REPORT].add_findings(request.node, _variant_of(request.node), found.observations, requests)
        if request.node.stash.get(FAILED, False):
            dump.write(found, RESULTS / _slug(request.node), requests)
    # Not waited for: the next case has a namespace of its own.
    cluster.kubectl("delete", "namespace", name, "--wait=false", "--ignore-not-found")


def _slug(item: pytest.Item) -> str:
    return re.sub(r"[^a-z0-9]+", "-", item.name.removeprefix("test_").lower()).strip("-")


# --- results ----------------------------------------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
    call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell the report how each phase ended, and the fixtures whether their test failed."""
    outcome = yield
    if HERE in item.path.parents:
        item.config.stash[REPORT].add_phase(item, _variant_of(item), call, outcome)
        item.stash[FAILED] = item.stash.get(FAILED, False) or outcome.failed
    return outcome


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The table, in the terminal and in results/."""
    report = config.stash[REPORT]
    if not report.is_empty:
        terminalreporter.section("the two operators side by side")
        terminalreporter.write_line(report.write(RESULTS))
