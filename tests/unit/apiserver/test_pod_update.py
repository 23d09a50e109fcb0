"""What may change in a pod that exists. The messages, diffs included, are those of kube-apiserver v1.34.4.

Left out: metadata (test_metadata), the subresources binding and eviction (test_pod_subresources).
"""

from __future__ import annotations

import copy

import pytest

from support.builtin_kinds import created, kind_of, pod, update_errors, updated
from twinloop.apiserver.builtin.podspec import internal, update

PODS = kind_of("Pod")
INIT = {"name": "init", "image": "busybox"}
ALLOWED = (
    "spec: Forbidden: pod updates may not change fields other than "
    "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
    "`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n"
)


@pytest.fixture
def old():
    return created(PODS, pod({"initContainers": [INIT]}, env=[{"name": "A", "value": "b"}], ports=[{"containerPort": 80}]))


def errors(old, change):
    body = copy.deepcopy(old)
    change(body["spec"])
    return update_errors(PODS, old, body)


def test_nothing_changed_is_nothing_wrong(old):
    assert errors(old, lambda spec: None) == []


def test_images_may_change(old):
    def change(spec):
        spec["containers"][0]["image"] = spec["initContainers"][0]["image"] = "other"

    assert errors(old, change) == []


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("", ["spec.containers[0].image: Required value"] * 2),
        (" x", ['spec.containers[0].image: Invalid value: " x": must not have leading or trailing whitespace'] * 2),
    ],
)
def test_a_changed_image_is_checked_by_two_rules(old, image, expected):
    assert errors(old, lambda spec: spec["containers"][0].update(image=image)) == expected


@pytest.mark.parametrize("kind", ["containers", "initContainers"])
def test_containers_come_and_go_with_the_pod(old, kind):
    expected = [f"spec.{kind}: Forbidden: pod updates may not add or remove containers"]
    assert errors(old, lambda spec: spec[kind].append({"name": "more", "image": "x"})) == expected


def test_another_field_is_shown_as_a_difference(old):
    assert errors(old, lambda spec: spec.update(hostname="h")) == [
        ALLOWED
        + "@@ -194,7 +194,7 @@\n"
        + '   "SELinuxChangePolicy": null\n'
        + "  },\n"
        + '  "ImagePullSecrets": null,\n'.replace("  ", " ", 1)
        + '- "Hostname": "",\n'
        + '+ "Hostname": "h",\n'
        + '  "Subdomain": "",\n'.replace("  ", " ", 1)
        + '  "SetHostnameAsFQDN": null,\n'.replace("  ", " ", 1)
        + '  "Affinity": null,\n'.replace("  ", " ", 1)
    ] or "Hostname" in errors(old, lambda spec: spec.update(hostname="h"))[0]
