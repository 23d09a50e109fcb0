"""The pod that every measurement uses, of about 3.7 KB once a server has filled it in and noted who owns its fields."""

from __future__ import annotations

from typing import Any


def pod(name: str) -> dict[str, Any]:
    """A pod of about 3.7 KB as the server keeps it: what an operator makes, with annotations for the rest."""
    container = {
        "name": "nginx",
        "image": "nginxinc/nginx-unprivileged:stable",
        "ports": [{"containerPort": 8080}],
        "env": [{"name": f"VARIABLE_{number}", "value": "v" * 20} for number in range(8)],
        "readinessProbe": {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1},
    }
    metadata = {"name": name, "labels": {"app": "bench"}, "annotations": {"note": "n" * 250}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container]}}
