"""A whole operator in another style: no watch, no queue, no cache, no framework. Twice a second it looks at everything.

    twinloop compare --variant handwritten --variant polling='python docs/examples/polling_operator.py {kubeconfig} {namespace}'

It speaks plain HTTP to the recorder that {kubeconfig} names. On a cluster it would use a client library for that.
"""

import json
import signal
import sys
import threading
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import yaml

KUBECONFIG, NAMESPACE = sys.argv[1:3]
SERVER = yaml.safe_load(Path(KUBECONFIG).read_text())["clusters"][0]["cluster"]["server"]
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
NGINXPODS = f"/apis/twinloop.dev/v1alpha1/namespaces/{NAMESPACE}/nginxpods"


def ask(method: str, path: str, body: dict | None = None, kind: str = "application/json") -> dict:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(SERVER + path, data, {"Content-Type": kind}, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def condition(thing: dict) -> dict:
    conditions = thing.get("status", {}).get("conditions", [])
    return next((each for each in conditions if each["type"] == "Ready"), {})


def owners(pod: dict) -> list[str]:
    return [reference["uid"] for reference in pod["metadata"].get("ownerReferences", [])]


def reconcile(nginxpod: dict, pods: list[dict]) -> None:
    meta, spec = nginxpod["metadata"], nginxpod["spec"]
    owner = {"apiVersion": nginxpod["apiVersion"], "kind": "NginxPod", "name": meta["name"], "uid": meta["uid"]}
    labels = {"app.kubernetes.io/name": "nginx", "app.kubernetes.io/managed-by": "twinloop"}
    labels |= {"app.kubernetes.io/instance": meta["name"], "twinloop.dev/nginxpod": meta["name"]}
    labels |= {"twinloop.dev/template": "polling"}
    nginx = {"name": "nginx", "image": spec["image"], "ports": [{"containerPort": spec["port"]}]}
    own = {pod["metadata"]["name"]: pod for pod in pods if owner["uid"] in owners(pod)}
    up = [pod for pod in own.values() if not pod["metadata"].get("deletionTimestamp")]
    ready = [pod for pod in up if condition(pod).get("status") == "True"]
    wanted = [f"{meta['name']}-{ordinal}" for ordinal in range(spec["replicas"])]
    surplus = [pod for pod in up if pod["metadata"]["name"] not in wanted or pod["status"].get("phase") == "Failed"]
    old = [pod for pod in up if pod["spec"]["containers"][0]["image"] != spec["image"]]
    # One outdated pod at a time, and only while all others are well.
    for pod in surplus or (old[:1] if len(ready) == len(own) == len(wanted) else []):
        ask("DELETE", f"{PODS}/{pod['metadata']['name']}", {"preconditions": {"uid": pod["metadata"]["uid"]}})
    taken = {pod["metadata"]["name"] for pod in pods}
    for name in [] if surplus else [name for name in wanted if name not in taken]:
        body = {"name": name, "labels": labels, "ownerReferences": [{**owner, "controller": True}]}
        ask("POST", PODS, {"metadata": body, "spec": {"containers": [nginx]}})
    done = not surplus and not old and sorted(own) == sorted(wanted) and len(ready) == len(wanted)
    conflict = set(wanted) & (taken - set(own))
    reason = "AllReady" if done else "NameConflict" if conflict else "Progressing"
    said = {"type": "Ready", "status": str(done), "reason": reason, "message": f"{len(ready)} of {len(wanted)} ready"}
    status = {"observedGeneration": meta["generation"], "replicas": len(up), "readyReplicas": len(ready)}
    status["selector"] = "twinloop.dev/nginxpod=" + meta["name"]
    before = nginxpod.get("status", {})
    last = condition(nginxpod)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    said["lastTransitionTime"] = last["lastTransitionTime"] if last.get("status") == said["status"] else now
    if any(before.get(key) != value for key, value in status.items()) or said != last:
        patch = {"metadata": {"resourceVersion": meta["resourceVersion"]}, "status": {**status, "conditions": [said]}}
        ask("PATCH", f"{NGINXPODS}/{meta['name']}/status", patch, "application/merge-patch+json")


stopped = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stopped.set())
while not stopped.wait(0.5):
    try:
        nginxpods, pods = ask("GET", NGINXPODS)["items"], ask("GET", PODS)["items"]
        for nginxpod in nginxpods:
            if not nginxpod["metadata"].get("deletionTimestamp"):
                reconcile({**nginxpod, "apiVersion": "twinloop.dev/v1alpha1"}, pods)
    except (OSError, ValueError) as error:
        print(f"will try again: {error}", file=sys.stderr)
