"""What users and tests bring into a namespace: NginxPods, pods of strangers, quotas."""

from __future__ import annotations

from typing import Final

from e2e.record import Object

STABLE: Final = "nginxinc/nginx-unprivileged:stable"
MAINLINE: Final = "nginxinc/nginx-unprivileged:mainline"
# .invalid is reserved for names that exist nowhere, so no machine can pull this.
NO_SUCH_IMAGE: Final = "nowhere.invalid/nginx:none"
PORT: Final = 8080
# A port that no image here listens on.
DEAF_PORT: Final = 9999

OPERATOR_NAMESPACE: Final = "twinloop-system"
CRD: Final = "nginxpods.twinloop.dev"


def nginxpod(name: str, **spec: object) -> Object:
    """A NginxPod with just these fields in its spec."""
    return {"apiVersion": "twinloop.dev/v1alpha1", "kind": "NginxPod", "metadata": {"name": name}, "spec": spec}


def stranger(name: str, labels: dict[str, str] | None = None, image: str = STABLE) -> Object:
    """A pod that nobody owns, of the kind that a restricted namespace admits."""
    container = {
        "name": "main",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels or {}},
        "spec": {
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 1,
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [container],
        },
    }


def our_labels(nginxpod_name: str) -> dict[str, str]:
    """The R2 labels that do not depend on the template."""
    return {
        "app.kubernetes.io/name": "nginx",
        "app.kubernetes.io/instance": nginxpod_name,
        "app.kubernetes.io/managed-by": "twinloop",
        "twinloop.dev/nginxpod": nginxpod_name,
    }


def pod_quota(pods: int) -> Object:
    """A ResourceQuota that admits so many pods."""
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "pods"},
        "spec": {"hard": {"pods": str(pods)}},
    }


def restricted_namespace(name: str) -> Object:
    """A namespace that enforces the restricted Pod Security Standard."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted", "twinloop.dev/e2e": "case"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
