"""Where objects live: paths, and the names that must never become one.

Left out: whether the server has these kinds; tests/e2e asks a real one.
"""

import pytest

from twinloop.kube import EVENTS, LEASES, NAMESPACES, NGINXPODS, PODS


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (PODS.path(), "/api/v1/pods"),
        (PODS.path("shop"), "/api/v1/namespaces/shop/pods"),
        (PODS.path("shop", "web-0"), "/api/v1/namespaces/shop/pods/web-0"),
        (NGINXPODS.path("shop", "web", "status"), "/apis/twinloop.dev/v1alpha1/namespaces/shop/nginxpods/web/status"),
        (NGINXPODS.path(), "/apis/twinloop.dev/v1alpha1/nginxpods"),
        (LEASES.path("shop", "lock"), "/apis/coordination.k8s.io/v1/namespaces/shop/leases/lock"),
        (NAMESPACES.path(None, "shop"), "/api/v1/namespaces/shop"),
        (NAMESPACES.path("ignored", "shop"), "/api/v1/namespaces/shop"),
    ],
)
def test_path_of_collections_objects_and_subresources(path: str, expected: str) -> None:
    assert path == expected


def test_api_version_has_a_group_unless_it_is_core() -> None:
    assert (NGINXPODS.api_version, EVENTS.api_version) == ("twinloop.dev/v1alpha1", "v1")


def test_text_of_a_resource_is_what_kubectl_takes() -> None:
    assert (str(NGINXPODS), str(PODS)) == ("nginxpods.twinloop.dev", "pods")


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_a_name_that_would_reach_another_path_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no name"):
        PODS.path("shop", name)
    with pytest.raises(ValueError, match="no name"):
        PODS.path(name, "web-0")


def test_an_object_of_a_namespaced_kind_needs_its_namespace() -> None:
    with pytest.raises(ValueError, match="needs a namespace"):
        PODS.path(None, "web-0")


def test_a_slash_in_a_name_stays_within_the_name() -> None:
    assert PODS.path("shop", "a/b?c") == "/api/v1/namespaces/shop/pods/a%2Fb%3Fc"
