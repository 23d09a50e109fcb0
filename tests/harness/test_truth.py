"""The truth: what is there, what changes, and no hole when the server forgets or the watch ends.

On a server of this process. Left out: what a trial does with it (test_trial).
"""

import io
from collections.abc import Iterator
from typing import Any

import pytest

from support.embedded_api import EmbeddedApi
from support.processes import until
from twinloop.harness.history import Recorder, Truth, load
from twinloop.harness.truth import TruthWatch
from twinloop.kube import NGINXPODS, decode_event


@pytest.fixture
def api() -> Iterator[EmbeddedApi]:
    api = EmbeddedApi(kubelet=False)
    yield api
    api.close()


class Watched:
    def __init__(self, api: EmbeddedApi) -> None:
        self.stream = io.StringIO()
        self.watch = TruthWatch(api.client, "default", Recorder(self.stream))

    def told(self) -> list[str]:
        lines = self.stream.getvalue().splitlines()
        records = [load(line, number) for number, line in enumerate(lines, 1)]
        return [f"{r.type} {r.object['metadata']['name']}" for r in records if isinstance(r, Truth)]


@pytest.fixture
def watched(api: EmbeddedApi) -> Iterator[Watched]:
    watched = Watched(api)
    yield watched
    watched.watch.close()


def nginxpod(name: str) -> dict[str, Any]:
    return {"apiVersion": "twinloop.dev/v1alpha1", "kind": "NginxPod", "metadata": {"name": name}, "spec": {}}


def test_what_was_there_before_is_listed_and_what_comes_is_told(api: EmbeddedApi, watched: Watched) -> None:
    api.add(nginxpod("old"))
    watched.watch.open()
    api.add(nginxpod("new"))
    api.edit(NGINXPODS, "new", {"spec": {"replicas": 2}})
    api.remove(NGINXPODS, "new")
    until(lambda: watched.told()[-1:] == ["DELETED new"], "the end was told")
    assert watched.told() == ["LISTED old", "ADDED new", "MODIFIED new", "DELETED new"]
    assert watched.watch.view.nginxpod("old") is not None
    assert watched.watch.view.nginxpod("new") is None


def test_managed_fields_are_left_out(api: EmbeddedApi, watched: Watched) -> None:
    api.add(nginxpod("web"))
    watched.watch.open()
    web = watched.watch.view.nginxpod("web")
    assert web is not None
    assert "managedFields" not in web["metadata"]


def test_what_happened_in_a_forgotten_gap_is_told_too(api: EmbeddedApi, watched: Watched) -> None:
    api.add(nginxpod("lost"))
    api.add(nginxpod("kept"))
    watched.watch.open()
    api.lose(NGINXPODS, "lost")
    until(lambda: "DELETED lost" in watched.told(), "the loss was told")
    api.add(nginxpod("later"))
    until(lambda: watched.told()[-1] == "ADDED later", "the watch went on")
    assert watched.told().count("LISTED kept") == 1, "what has not changed is not told again"


def test_it_goes_on_after_what_nobody_foresaw(
    api: EmbeddedApi, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched.watch.open()
    answers = iter([ValueError("nobody foresaw this")])

    def once(line: bytes) -> dict[str, Any]:
        for error in answers:
            raise error
        return decode_event(line)

    monkeypatch.setattr("twinloop.harness.truth.decode_event", once)
    api.add(nginxpod("web"))
    until(lambda: "LISTED web" in watched.told(), "a list told what the watch did not")


def test_waiting_ends_when_it_comes_true_or_when_time_is_up(api: EmbeddedApi, watched: Watched) -> None:
    watched.watch.open()
    now = iter(range(100)).__next__
    assert not watched.watch.view.wait(lambda view: view.nginxpod("web") is not None, 3, now)
    api.add(nginxpod("web"))
    assert watched.watch.view.wait(lambda view: view.nginxpod("web") is not None, 90, lambda: 0)


def test_pods_of_an_owner_are_told_by_its_uid(api: EmbeddedApi, watched: Watched) -> None:
    for name, owner in (("web-0", "web"), ("web-1", "other")):
        uid = api.add(nginxpod(owner))["metadata"]["uid"]
        reference = {
            "apiVersion": "twinloop.dev/v1alpha1", "kind": "NginxPod", "name": owner, "uid": uid, "controller": True,
        }  # fmt: skip
        spec = {"containers": [{"name": "nginx", "image": "x"}]}
        api.add({"kind": "Pod", "metadata": {"name": name, "ownerReferences": [reference]}, "spec": spec})
    watched.watch.open()
    view = watched.watch.view
    assert [pod["metadata"]["name"] for pod in view.pods("web")] == ["web-0"]
    assert {pod["metadata"]["name"] for pod in view.pods()} == {"web-0", "web-1"}
    assert view.pods("nobody") == []
