"""The sync function's live cluster: which request each call becomes. Left out: HTTP itself (tests/unit/kube)."""

from __future__ import annotations

import pytest

from support.builders import changed, nginxpod, pod
from support.fake_client import FakeClient, SilentRecorder
from twinloop.cluster import LiveCluster, ToldCluster
from twinloop.errors import Conflict
from twinloop.kube import Object
from twinloop.nginxpod import name_of


@pytest.fixture
def client() -> FakeClient:
    made = FakeClient()
    made.nginxpods.add(nginxpod())
    made.pods.add(pod(nginxpod(), 0))
    made.pods.add(changed(pod(nginxpod(), 1), labels={}))
    return made


def live(client: FakeClient) -> LiveCluster:
    return LiveCluster(client, SilentRecorder())  # type: ignore[arg-type] # the part of a client that is used


def test_what_does_not_exist_is_none(client: FakeClient) -> None:
    assert live(client).get_nginxpod("shop", "other", live=False) is None
    assert live(client).get_pod("shop", "other") is None


def test_pods_are_listed_by_label(client: FakeClient) -> None:
    assert [name_of(p) for p in live(client).list_pods(nginxpod(), live=False)] == ["web-0"]


def test_pods_that_an_event_named_are_looked_up_beside_the_list(client: FakeClient) -> None:
    told = ToldCluster(client, SilentRecorder(), {"web-0", "web-1", "gone"})  # type: ignore[arg-type]
    assert [name_of(p) for p in told.list_pods(nginxpod(), live=False)] == ["web-0", "web-1"]
    assert ("get", "pods", "web-0") not in client.requests


def test_a_delete_holds_for_one_uid_only(client: FakeClient) -> None:  # R8
    with pytest.raises(Conflict):
        live(client).delete_pod(changed(pod(nginxpod(), 0), uid="earlier"))


def test_a_status_is_written_under_the_version_that_was_read(client: FakeClient) -> None:  # R11
    web = live(client).get_nginxpod("shop", "web", live=True)
    assert web is not None
    written = live(client).patch_status(web, {"replicas": 3})
    assert written["status"]["replicas"] == 3
    with pytest.raises(Conflict):
        live(client).patch_status(web, {"replicas": 4})


def test_an_event_is_about_a_nginxpod_even_when_the_object_does_not_say_so() -> None:
    class Recorder:
        def __init__(self) -> None:
            self.involved: Object = {}

        def event(self, involved: Object, type_: str, reason: str, message: str) -> None:
            self.involved = involved

    recorder = Recorder()
    item = {key: value for key, value in nginxpod().items() if key not in {"apiVersion", "kind"}}
    LiveCluster(FakeClient(), recorder).record(item, "Normal", "Ready", "")  # type: ignore[arg-type]
    assert (recorder.involved["apiVersion"], recorder.involved["kind"]) == ("twinloop.dev/v1alpha1", "NginxPod")
