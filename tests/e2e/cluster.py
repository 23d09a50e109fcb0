"""The cluster as a person at a terminal has it: kubectl, make, a shell on the node, a browser on a pod.

Made once a session by `conftest`; `case` and `deployment` act through it. What only reads or watches goes through
`twinloop.kube.Client` instead, and nothing here decides whether a case passes.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from pytest_kind import KindCluster

from e2e.objects import restricted_namespace, stranger
from e2e.record import Object
from twinloop.kube import Client, load_configuration

ROOT = Path(__file__).parents[2]
USER_AGENT = "twinloop-e2e"
# A command that takes longer than this hangs.
COMMAND_SECONDS = 120.0
# Two images over somebody's home connection.
PULL_SECONDS = 300.0
SERVICE_ACCOUNT_SECONDS = 30.0


class CommandFailed(Exception):
    """A command ended with an error; the text is all it said."""

    def __init__(self, command: list[str], output: str) -> None:
        super().__init__(f"{' '.join(command)}\n{output}")
        self.output = output


@dataclass(frozen=True)
class Page:
    """What nginx answered: enough to tell one image's pages from another's, on any machine.

    The official images of two channels serve the same text under another `Server` header; others may differ in the
    text alone.
    """

    status: int
    server: str
    body: str


def run(
    command: list[str],
    *,
    stdin: str | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float = COMMAND_SECONDS,
) -> str:
    """Run a command in the project's root and return what it prints to stdout.

    Raises:
        CommandFailed: it ended with an error or took longer than `timeout` seconds.
    """
    try:
        done = subprocess.run(
            command,
            input=stdin,
            env={**os.environ, **(env or {})},
            cwd=ROOT,
            timeout=timeout,
            check=False,
            capture_output=True,
            text=True,
        )
    except subprocess.TimeoutExpired as error:
        raise CommandFailed(command, f"no end after {timeout:.0f} s") from error
    if done.returncode:
        raise CommandFailed(command, f"{done.stdout}{done.stderr}")
    return done.stdout


class Cluster:
    """One kind cluster and the ways into it."""

    def __init__(self, kind: KindCluster) -> None:
        self.kind = kind
        self.node = f"{kind.name}-control-plane"
        self.kubeconfig = str(Path(kind.kubeconfig_path).absolute())
        # Recorders of a case keep three connections each for as long as they watch.
        self.client = Client(load_configuration(self.kubeconfig), user_agent=USER_AGENT, pool_size=32)

    def describe(self) -> str:
        """Versions and machine, for the report."""
        server = json.loads(self.kubectl("version", "-o", "json"))["serverVersion"]["gitVersion"]
        return f"Kubernetes {server} on kind, {os.cpu_count()} cores, kopf {version('kopf')}."

    def kubectl(self, *args: str, stdin: str | None = None, timeout: float = COMMAND_SECONDS) -> str:
        """kubectl as a user of this cluster runs it."""
        return run(
            [str(self.kind.kubectl_path), *args], stdin=stdin, timeout=timeout, env={"KUBECONFIG": self.kubeconfig}
        )

    def apply(self, *objects: Object, namespace: str = "") -> None:
        """`kubectl apply` of these objects."""
        where = ["-n", namespace] if namespace else []
        manifest = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
        self.kubectl("apply", *where, "-f", "-", stdin=manifest)

    def make_namespace(self, name: str) -> None:
        """A restricted namespace, once pods can be made in it: that takes its service account."""
        self.apply(restricted_namespace(name))
        deadline = time.monotonic() + SERVICE_ACCOUNT_SECONDS
        while not self.kubectl("-n", name, "get", "serviceaccount", "default", "--ignore-not-found"):
            if time.monotonic() > deadline:
                raise TimeoutError(f"the namespace {name} has no service account after {SERVICE_ACCOUNT_SECONDS:.0f} s")
            time.sleep(0.2)

    def pull_images(self, images: list[str]) -> None:
        """Have images on the node, so that no case pays for the download."""
        name = f"e2e-images-{secrets.token_hex(2)}"
        self.make_namespace(name)
        self.apply(*[stranger(f"image-{number}", image=image) for number, image in enumerate(images)], namespace=name)
        ready = ["wait", "pods", "--all", "--for=condition=Ready", f"--timeout={PULL_SECONDS:.0f}s"]
        self.kubectl("-n", name, *ready, timeout=PULL_SECONDS + 10)
        self.kubectl("delete", "namespace", name, "--wait=false")

    def make(self, target: str, timeout: float = 180.0, **variables: str) -> str:
        """One of the Makefile's targets against this cluster."""
        given = {
            "KIND_CLUSTER": self.kind.name,
            "KUBECONFIG": self.kubeconfig,
            "KIND": str(self.kind.kind_path),
            "KUBECTL": str(self.kind.kubectl_path),
            **variables,
        }
        # Flags of an outer make (its job server above all) are not meant for this one.
        clean = {"MAKEFLAGS": "", "MFLAGS": "", "MAKELEVEL": ""}
        return run(["make", target, *[f"{key}={value}" for key, value in given.items()]], timeout=timeout, env=clean)

    def on_node(self, *command: str) -> str:
        """A command in the node's container."""
        return run([os.environ.get("DOCKER") or "docker", "exec", self.node, *command])

    def page(self, namespace: str, pod: str, port: int, path: str = "/") -> Page:
        """GET from a pod through the API server's proxy; `status` is 503 while nobody listens."""
        base = self.kind.api.url
        url = f"{base}/api/v1/namespaces/{namespace}/pods/http:{pod}:{port}/proxy{path}"
        answer = self.kind.api.session.get(url, timeout=10)
        return Page(answer.status_code, answer.headers.get("Server", ""), answer.text)
