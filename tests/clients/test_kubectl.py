"""Everyday kubectl against the embedded API server: each command as a person types it, judged by what it prints.

One server for the whole module, a namespace for each test. Covered: reading in all its forms, watching, waiting, apply in
both ways, diff, edit, patch, scale, label, delete, create of built-in kinds (which kubectl sends in protobuf), discovery,
explain, auth, logs, rollout as far as a deployment without its controller goes.

Left out: exec, attach, port-forward, cp and top, which the server refuses as one without a kubelet and a metrics API
would; whether the answers are the real server's field by field (tests/conformance).
"""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from twinloop.apiserver.http.local import LocalServer, LocalServerError

KUBECTL = shutil.which("kubectl")
pytestmark = pytest.mark.skipif(
    KUBECTL is None, reason="kubectl is not on PATH: the embedded server is not tested with it"
)

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = (ROOT / "crds/samples/minimal.yaml").read_text()
NGINXPODS = str(ROOT / "crds/nginxpods.yaml")
COUNTER = itertools.count()


class Kubectl:
    """kubectl with the server's kubeconfig, in a namespace."""

    def __init__(self, server: LocalServer, folder: Path, namespace: str) -> None:
        self.server, self.folder, self.namespace = server, folder, namespace
        self.environ = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("KUBE", "DIFF"))},
            "KUBECONFIG": str(server.kubeconfig),
            # Its discovery cache, which otherwise lies in the home folder.
            "KUBECACHEDIR": str(folder / "cache"),
        }

    def run(self, *arguments: str, stdin: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
        command = [str(KUBECTL), f"--namespace={self.namespace}", *arguments]
        return subprocess.run(
            command, input=stdin, env=self.environ | environ, capture_output=True, text=True, check=False, timeout=30
        )

    def __call__(self, *arguments: str, stdin: str = "", **environ: str) -> str:
        """What a command prints; it must succeed and warn of nothing."""
        done = self.run(*arguments, stdin=stdin, **environ)
        assert done.returncode == 0, done.stderr
        assert done.stderr == "", done.stderr
        return done.stdout

    def refused(self, *arguments: str, stdin: str = "") -> str:
        """What a command says that must fail."""
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode != 0, done.stdout
        return done.stderr.strip()

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "-o", "json"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    with LocalServer() as server:
        Kubectl(server, tmp_path_factory.mktemp("kubectl"), "default")("apply", "-f", NGINXPODS)
        yield server


@pytest.fixture
def kubectl(server: LocalServer, tmp_path: Path) -> Kubectl:
    """kubectl in a namespace of the test's own; NginxPods are installed."""
    namespace = f"test-{next(COUNTER)}"
    found = Kubectl(server, tmp_path, namespace)
    found("create", "namespace", namespace)
    return found


def rows(table: str) -> list[list[str]]:
    return [re.split(r"\s{2,}", line.strip()) for line in table.splitlines()]


def pod(name: str = "web", command: Kubectl | None = None) -> str:
    assert command
    command("run", name, "--image=nginx")
    command("wait", f"pod/{name}", "--for=condition=Ready", "--timeout=20s")
    return name


# --- the cluster ------------------------------------------------------------------------------------------------------


def test_version_and_cluster_info_know_the_server(kubectl: Kubectl) -> None:
    # A kubectl of another version says so on standard error.
    assert re.search(r"Server Version: v1\.34\.\d+\+twinloop-", kubectl.run("version").stdout)
    assert "Kubernetes control plane" in kubectl("cluster-info")
    assert kubectl("get", "--raw", "/readyz") == "ok"
    assert json.loads(kubectl("get", "--raw", "/api"))["versions"] == ["v1"]


def test_api_resources_and_api_versions_list_what_is_served(kubectl: Kubectl) -> None:
    resources = {row[0]: row[1:] for row in rows(kubectl("api-resources"))}
    assert resources["pods"] == ["po", "v1", "true", "Pod"]
    assert resources["nginxpods"] == ["ngp", "twinloop.dev/v1alpha1", "true", "NginxPod"]
    assert {"apps/v1", "twinloop.dev/v1alpha1", "v1"} <= set(kubectl("api-versions").split())
    assert kubectl("api-resources", "--api-group=twinloop.dev", "-o", "name") == "nginxpods.twinloop.dev\n"


def test_explain_knows_built_in_and_custom_fields(kubectl: Kubectl) -> None:
    assert "List of containers belonging to the pod." in kubectl("explain", "pod.spec.containers")
    text = kubectl("explain", "ngp.spec.replicas")
    assert "GROUP:      twinloop.dev" in text
    assert "FIELD: replicas <integer>" in text
    assert "observedGeneration" in kubectl("explain", "nginxpods", "--recursive")
    assert "does not exist" in kubectl.refused("explain", "ngp.spec.nope")


def test_auth_says_that_this_user_may_do_anything(kubectl: Kubectl) -> None:
    assert kubectl("auth", "can-i", "create", "pods") == "yes\n"
    assert "*.*" in kubectl("auth", "can-i", "--list")
    assert "kubernetes-admin" in kubectl("auth", "whoami")


def test_a_wrong_token_is_told_to_log_in(kubectl: Kubectl) -> None:
    assert "You must be logged in to the server" in kubectl.refused("get", "pods", "--token=wrong")


# --- reading ----------------------------------------------------------------------------------------------------------


def test_get_prints_tables(kubectl: Kubectl) -> None:
    pod(command=kubectl)
    assert rows(kubectl("get", "pods"))[0] == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert rows(kubectl("get", "pods"))[1][:4] == ["web", "1/1", "Running", "0"]
    wide = rows(kubectl("get", "pods", "-o", "wide"))
    assert wide[0][5:7] == ["IP", "NODE"]
    assert wide[1][6] == "node-0"
    assert kubectl("get", "pods", "-o", "name") == "pod/web\n"
    assert kubectl("get", "pod", "web", "-o", "jsonpath={.status.phase}") == "Running"
    assert rows(kubectl("get", "pods", "-o", "custom-columns=N:.metadata.name"))[1] == ["web"]
    assert "kind: Pod" in kubectl("get", "pod", "web", "-o", "yaml")
    assert "managedFields" in kubectl("get", "pod", "web", "-o", "yaml", "--show-managed-fields")


def test_get_selects_sorts_and_pages(kubectl: Kubectl) -> None:
    for name in ("c", "a", "b"):
        kubectl("create", "configmap", name)
    kubectl("label", "configmap", "a", "b", "tier=one")
    assert kubectl("get", "cm", "-l", "tier in (one,two),!x", "-o", "name").split() == ["configmap/a", "configmap/b"]
    assert kubectl("get", "cm", "--field-selector", "metadata.name=c", "-o", "name") == "configmap/c\n"
    newest_first = kubectl("get", "cm", "--sort-by=.metadata.name", "-l", "tier", "--no-headers", "-L", "tier")
    assert [row[0] for row in rows(newest_first)] == ["a", "b"]
    assert len(kubectl("get", "cm", "--chunk-size=1", "-o", "name").split()) == 4, "with kube-root-ca.crt"


def test_get_of_several_kinds_and_of_all(kubectl: Kubectl) -> None:
    pod(command=kubectl)
    kubectl("expose", "pod", "web", "--port=80")
    text = kubectl("get", "all")
    assert "pod/web" in text
    assert "service/web" in text
    assert "serviceaccount/default" in kubectl("get", "sa,cm", "-A")


def test_what_is_not_there_is_said_as_always(kubectl: Kubectl) -> None:
    assert kubectl.run("get", "pods").stderr == f"No resources found in {kubectl.namespace} namespace.\n"
    assert kubectl.refused("get", "pod", "nope") == 'Error from server (NotFound): pods "nope" not found'
    assert kubectl.refused("get", "nopes") == 'error: the server doesn\'t have a resource type "nopes"'


def test_watch_prints_changes_as_they_come(kubectl: Kubectl) -> None:
    command = [str(KUBECTL), f"--namespace={kubectl.namespace}", "get", "configmaps", "-w", "-o", "name"]
    with subprocess.Popen(command, env=kubectl.environ, stdout=subprocess.PIPE, text=True) as watch:
        assert watch.stdout
        assert watch.stdout.readline() == "configmap/kube-root-ca.crt\n"
        kubectl("create", "configmap", "new")
        assert watch.stdout.readline() == "configmap/new\n"
        kubectl("delete", "configmap", "new")
        assert watch.stdout.readline() == "configmap/new\n"
        watch.terminate()


def test_describe_shows_an_object_with_its_events(kubectl: Kubectl) -> None:
    pod(command=kubectl)
    text = kubectl("describe", "pod", "web")
    assert re.search(r"Status:\s+Running", text)
    assert re.search(r"Normal\s+Scheduled\s+\S+\s+default-scheduler\s+Successfully assigned", text)
    kubectl("apply", "-f", "-", stdin=SAMPLE)
    assert re.search(r"Replicas:\s+1", kubectl("describe", "ngp", "minimal"))
    assert "Kubelet Version" in kubectl("describe", "node")
    assert "No resource quota" in kubectl("describe", "namespace", kubectl.namespace)


def test_events_are_listed_in_both_ways(kubectl: Kubectl) -> None:
    pod(command=kubectl)
    assert "Successfully assigned" in kubectl("get", "events")
    assert "Successfully assigned" in kubectl("events", "--for", "pod/web")


def test_logs_are_a_pretence_that_says_so(kubectl: Kubectl) -> None:
    pod(command=kubectl)
    assert "pretence" in kubectl("logs", "web")
    assert len(kubectl("logs", "web", "--tail=1").splitlines()) == 1


# --- creating ---------------------------------------------------------------------------------------------------------

CREATED = {
    "namespace": ["namespace", "NAMESPACE-b"],
    "configmap": ["configmap", "a", "--from-literal=k=v"],
    "secret": ["secret", "generic", "a", "--from-literal=k=v"],
    "serviceaccount": ["serviceaccount", "a"],
    "deployment": ["deployment", "a", "--image=nginx", "--port=80", "--replicas=2"],
    "service": ["service", "clusterip", "a", "--tcp=80:8080"],
    "role": ["role", "a", "--verb=get", "--resource=pods"],
    "rolebinding": ["rolebinding", "a", "--role=a", "--serviceaccount=default:default"],
    "quota": ["quota", "a", "--hard=pods=3,cpu=1"],
}


@pytest.mark.parametrize("kind", CREATED)
def test_create_makes_built_in_kinds(kind: str, kubectl: Kubectl) -> None:
    """kubectl sends these in protobuf; the object must be the one that it would have sent in JSON."""
    arguments = [each.replace("NAMESPACE", kubectl.namespace) for each in CREATED[kind]]
    wanted = json.loads(kubectl("create", *arguments, "--dry-run=client", "-o", "json"))
    assert kubectl("create", *arguments).endswith(" created\n")
    found = kubectl.json("get", kind, wanted["metadata"]["name"])
    assert _contains(found, {key: value for key, value in wanted.items() if key != "status"})


def _contains(found: Any, wanted: Any) -> bool:
    """Whether everything wanted is there; nulls and empty values mean nothing, defaults come on top."""
    if isinstance(wanted, dict):
        return all(_contains((found or {}).get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list):
        return len(found or []) == len(wanted) and all(map(_contains, found or [], wanted))
    return wanted is None or found == wanted


def test_create_says_what_is_wrong(kubectl: Kubectl) -> None:
    kubectl("create", "configmap", "a")
    assert kubectl.refused("create", "configmap", "a") == (
        'error: failed to create configmap: configmaps "a" already exists'
    )
    assert "Invalid value" in kubectl.refused("create", "configmap", "A_B")
    text = SAMPLE + "spec:\n  lunch: 1\n"
    assert 'unknown field "spec.lunch"' in kubectl.refused("create", "-f", "-", stdin=text)
    text = SAMPLE + "spec:\n  replicas: 1000\n"
    assert "should be less than or equal to 100" in kubectl.refused("create", "-f", "-", stdin=text)
    assert "should be less than or equal to 100" in kubectl.refused("create", "-f", "-", "--validate=false", stdin=text)
    warned = kubectl.run("create", "-f", "-", "--validate=warn", stdin=SAMPLE + "spec:\n  lunch: 1\n")
    assert warned.stderr == 'Warning: unknown field "spec.lunch"\n'


def test_a_token_for_a_service_account(kubectl: Kubectl) -> None:
    assert kubectl("create", "token", "default").count(".") == 2


# --- changing ---------------------------------------------------------------------------------------------------------


def test_apply_creates_configures_and_leaves_alone(kubectl: Kubectl) -> None:
    assert kubectl("apply", "-f", "-", stdin=SAMPLE) == "nginxpod.twinloop.dev/minimal created\n"
    assert kubectl("apply", "-f", "-", stdin=SAMPLE) == "nginxpod.twinloop.dev/minimal unchanged\n"
    changed = SAMPLE + "spec:\n  replicas: 4\n"
    assert kubectl("apply", "-f", "-", stdin=changed) == "nginxpod.twinloop.dev/minimal configured\n"
    assert kubectl.json("get", "ngp", "minimal")["spec"]["replicas"] == 4
    kubectl("apply", "-f", "-", stdin=SAMPLE)
    assert kubectl.json("get", "ngp", "minimal")["spec"]["replicas"] == 1, "what is no longer asked for is the default"
    assert kubectl("apply", "-f", NGINXPODS).endswith("unchanged\n")


def test_apply_merges_lists_of_built_in_kinds_by_name(kubectl: Kubectl) -> None:
    def manifest(*names: str) -> str:
        containers = [{"name": name, "image": "i"} for name in names]
        labels = {"app": "a"}
        template = {"metadata": {"labels": labels}, "spec": {"containers": containers}}
        spec = {"selector": {"matchLabels": labels}, "template": template}
        return json.dumps({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": spec})

    kubectl("apply", "-f", "-", stdin=manifest("one", "two"))
    added = '{"spec":{"template":{"spec":{"containers":[{"name":"three","image":"i"}]}}}}'
    kubectl("patch", "deployment", "d", "-p", added)
    kubectl("apply", "-f", "-", stdin=manifest("one"))
    containers = kubectl.json("get", "deployment", "d")["spec"]["template"]["spec"]["containers"]
    assert {each["name"] for each in containers} == {"one", "three"}, "two was applied before and is gone"


def test_apply_on_the_server_s_side_owns_fields_and_conflicts(kubectl: Kubectl) -> None:
    mine = SAMPLE + "spec:\n  replicas: 2\n"
    assert kubectl("apply", "--server-side", "-f", "-", stdin=mine).endswith("serverside-applied\n")
    theirs = mine.replace("2", "3")
    text = kubectl.refused("apply", "--server-side", "--field-manager=other", "-f", "-", stdin=theirs)
    assert 'conflict with "kubectl": .spec.replicas' in text
    kubectl("apply", "--server-side", "--field-manager=other", "--force-conflicts", "-f", "-", stdin=theirs)
    managers = kubectl.json("get", "ngp", "minimal", "--show-managed-fields")["metadata"]["managedFields"]
    assert {each["manager"] for each in managers if "f:replicas" in json.dumps(each)} == {"other"}


def test_applied_on_both_sides_one_after_the_other(kubectl: Kubectl) -> None:
    """kubectl hands its fields over to the server's way; defaults belong to who applied first, as on a real server."""
    kubectl("apply", "-f", "-", stdin=SAMPLE + "spec:\n  replicas: 2\n")
    kubectl("apply", "--server-side", "-f", "-", stdin=SAMPLE + "spec:\n  replicas: 2\n")
    kubectl("apply", "--server-side", "-f", "-", stdin=SAMPLE + "spec:\n  replicas: 3\n")
    assert kubectl.json("get", "ngp", "minimal")["spec"]["replicas"] == 3


def test_diff_shows_what_apply_would_change_and_changes_nothing(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=SAMPLE)
    before = kubectl.json("get", "ngp", "minimal")
    assert kubectl("diff", "-f", "-", stdin=SAMPLE) == ""
    done = kubectl.run("diff", "-f", "-", stdin=SAMPLE + "spec:\n  replicas: 4\n")
    assert done.returncode == 1
    assert {"-  replicas: 1", "+  replicas: 4"} <= set(done.stdout.splitlines())
    assert kubectl.json("get", "ngp", "minimal") == before


def test_edit_saves_what_the_editor_left(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=SAMPLE)
    assert kubectl("edit", "ngp", "minimal", EDITOR="sed -i 's/replicas: 1/replicas: 5/'").endswith("edited\n")
    assert kubectl.json("get", "ngp", "minimal")["spec"]["replicas"] == 5
    assert "no changes made" in kubectl.run("edit", "ngp", "minimal", EDITOR="true").stderr


@pytest.mark.parametrize(
    ("kind", "patch"),
    [("merge", '{"spec":{"replicas":3}}'), ("json", '[{"op":"replace","path":"/spec/replicas","value":3}]')],
)
def test_patches_of_custom_resources(kind: str, patch: str, kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=SAMPLE)
    assert kubectl("patch", "ngp", "minimal", f"--type={kind}", "-p", patch).endswith("patched\n")
    assert kubectl.json("get", "ngp", "minimal")["spec"]["replicas"] == 3
    assert "(no change)" in kubectl("patch", "ngp", "minimal", f"--type={kind}", "-p", patch)


def test_strategic_merge_is_for_built_in_kinds(kubectl: Kubectl) -> None:
    kubectl("create", "configmap", "a", "--from-literal=k=v")
    kubectl("patch", "configmap", "a", "-p", '{"data":{"x":"y"}}')
    assert kubectl.json("get", "configmap", "a")["data"] == {"k": "v", "x": "y"}
    kubectl("apply", "-f", "-", stdin=SAMPLE)
    text = kubectl.refused("patch", "ngp", "minimal", "-p", '{"spec":{"replicas":3}}')
    assert "application/strategic-merge-patch+json is not supported by twinloop.dev/v1alpha1, Kind=NginxPod" in text


def test_status_is_patched_by_itself(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=SAMPLE)
    patch = '{"spec":{"replicas":9},"status":{"readyReplicas":1,"replicas":1}}'
    kubectl("patch", "ngp", "minimal", "--subresource=status", "--type=merge", "-p", patch)
    found = kubectl.json("get", "ngp", "minimal")
    assert (found["spec"]["replicas"], found["status"]["readyReplicas"]) == (1, 1)


def test_scale_changes_custom_resources_and_deployments(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=SAMPLE)
    kubectl("create", "deployment", "d", "--image=nginx")
    for name in ("ngp/minimal", "deployment/d"):
        assert kubectl("scale", name, "--replicas=3").endswith("scaled\n")
        assert kubectl.json("get", name)["spec"]["replicas"] == 3
    wrong = kubectl.refused("scale", "deployment/d", "--current-replicas=7", "--replicas=1")
    assert "Expected replicas to be 7, was 3" in wrong


def test_labels_and_annotations_come_and_go(kubectl: Kubectl) -> None:
    kubectl("create", "configmap", "a")
    for command, field in (("label", "labels"), ("annotate", "annotations")):
        kubectl(command, "configmap", "a", "k=v")
        assert kubectl.json("get", "configmap", "a")["metadata"][field] == {"k": "v"}
        assert "already has a value" in kubectl.refused(command, "configmap", "a", "k=w")
        kubectl(command, "configmap", "a", "k=w", "--overwrite")
        kubectl(command, "configmap", "a", "k-")
        assert field not in kubectl.json("get", "configmap", "a")["metadata"]


def test_replace_wants_the_version_that_was_read(kubectl: Kubectl) -> None:
    kubectl("create", "configmap", "a")
    read = kubectl("get", "configmap", "a", "-o", "json")
    kubectl("label", "configmap", "a", "k=v")
    assert "the object has been modified" in kubectl.refused("replace", "-f", "-", stdin=read)
    assert kubectl("replace", "--force", "-f", "-", stdin=read).endswith("replaced\n")


def test_rollout_of_a_deployment_that_nobody_carries_out(kubectl: Kubectl) -> None:
    """Deployments are stored without effect: a restart is written down, and its status is waited for in vain."""
    kubectl("create", "deployment", "d", "--image=nginx")
    kubectl("rollout", "restart", "deployment/d")
    annotations = kubectl.json("get", "deployment", "d")["spec"]["template"]["metadata"]["annotations"]
    assert "kubectl.kubernetes.io/restartedAt" in annotations
    assert "timed out" in kubectl.refused("rollout", "status", "deployment/d", "--timeout=1s")
    kubectl("set", "image", "deployment/d", "nginx=nginx:2")
    assert kubectl.json("get", "deployment", "d")["spec"]["template"]["spec"]["containers"][0]["image"] == "nginx:2"
    kubectl("apply", "-f", "-", stdin=SAMPLE)
    assert 'no kind "NginxPod" is registered' in kubectl.refused("rollout", "restart", "ngp/minimal")


# --- waiting and deleting ---------------------------------------------------------------------------------------------


def test_wait_returns_when_it_is_true(kubectl: Kubectl) -> None:
    kubectl("run", "web", "--image=nginx")
    assert kubectl("wait", "pod/web", "--for=condition=Ready", "--timeout=20s") == "pod/web condition met\n"
    assert kubectl("wait", "pod/web", "--for=jsonpath={.status.phase}=Running", "--timeout=20s")
    assert "timed out" in kubectl.refused("wait", "pod/web", "--for=condition=Lunch", "--timeout=1s")


def test_delete_waits_until_the_object_is_gone(kubectl: Kubectl) -> None:
    pod(command=kubectl)
    assert kubectl("delete", "pod", "web", "--wait").startswith('pod "web" deleted')
    assert "not found" in kubectl.refused("get", "pod", "web")
    assert kubectl("delete", "pod", "web", "--ignore-not-found") == ""


def test_delete_by_force_selector_and_all(kubectl: Kubectl) -> None:
    for name in ("a", "b", "c"):
        kubectl("run", name, "--image=nginx", f"--labels=app={name}")
    assert kubectl.run("delete", "pod", "a", "--force", "--grace-period=0").returncode == 0
    kubectl("delete", "pods", "-l", "app=b", "--wait=false")
    kubectl("delete", "pods", "--all")
    assert "No resources found" in kubectl.run("get", "pods").stderr


def test_wait_for_a_deletion_that_a_finalizer_holds(kubectl: Kubectl) -> None:
    kubectl("create", "configmap", "a")
    kubectl("patch", "configmap", "a", "-p", '{"metadata":{"finalizers":["example.com/hold"]}}')
    kubectl("delete", "configmap", "a", "--wait=false")
    assert "timed out" in kubectl.refused("wait", "configmap/a", "--for=delete", "--timeout=1s")
    kubectl("patch", "configmap", "a", "--type=json", "-p", '[{"op":"remove","path":"/metadata/finalizers"}]')
    kubectl("wait", "configmap/a", "--for=delete", "--timeout=20s")


def test_a_namespace_goes_with_everything_in_it(kubectl: Kubectl) -> None:
    pod(command=kubectl)
    kubectl("apply", "-f", "-", stdin=SAMPLE)
    # kubectl warns that a namespace is in no namespace.
    assert kubectl.run("delete", "namespace", kubectl.namespace).returncode == 0
    assert "not found" in kubectl.refused("get", "namespace", kubectl.namespace)


def test_a_definition_goes_with_its_objects_and_comes_back_empty(kubectl: Kubectl) -> None:
    other = (ROOT / "crds/nginxpods.yaml").read_text().replace("nginxpods", "gizmos").replace("NginxPod", "Gizmo")
    other = other.replace("nginxpod", "gizmo").replace("[ngp]", "[giz]").replace("- ngp", "- giz")
    for _ in range(2):
        kubectl("apply", "-f", "-", stdin=other)
        assert "No resources found" in kubectl.run("get", "gizmos").stderr
        kubectl("apply", "-f", "-", stdin=SAMPLE.replace("NginxPod", "Gizmo"))
        assert kubectl("get", "gizmos", "-o", "name").endswith("/minimal\n")
        assert kubectl.run("delete", "-f", "-", stdin=other).returncode == 0
    # kubectl still has the kind in its cache of discovery.
    assert "the server could not find the requested resource" in kubectl.refused("get", "gizmos")


def test_a_node_can_be_cordoned_tainted_and_drained(kubectl: Kubectl) -> None:
    pod(command=kubectl)
    kubectl("cordon", "node-0")
    kubectl("taint", "node", "node-0", "a=b:NoSchedule")
    drained = kubectl.run("drain", "node-0", "--force", "--pod-selector=run=web", "--timeout=20s")
    assert "node/node-0 drained" in drained.stdout
    kubectl("taint", "node", "node-0", "a-")
    kubectl("uncordon", "node-0")
    pod("next", command=kubectl)


# --- what there is not ------------------------------------------------------------------------------------------------


def test_what_needs_a_real_kubelet_is_refused_and_not_hung(kubectl: Kubectl) -> None:
    pod(command=kubectl)
    for command in (["exec", "web", "--", "ls"], ["attach", "web"], ["port-forward", "web", "80"], ["top", "pod"]):
        assert kubectl.refused(*command)


def test_a_person_hears_of_a_control_command_that_makes_no_sense(server: LocalServer) -> None:
    with pytest.raises(LocalServerError, match="there is no such snapshot"):
        server.restore(99)
