"""The sync function's cluster on caches that are behind: what a visit sees right after a write, and after a live read.

The caches here are filled by hand and stay as they are: no informer runs. Left out: the informers and handlers
(test_nginxpod_operator.py), the layer itself (test_mutation_cache.py).
"""

from __future__ import annotations

import pytest

from handwritten.nginxpod import POD_INDEXERS, CachedCluster
from handwritten.store import Indexer
from handwritten.testing import FakeClock
from support.builders import NAMESPACE, changed, finished, foreign, nginxpod, pod, terminating
from support.fake_client import FakeClient, SilentRecorder
from twinloop.errors import NotFound
from twinloop.kube import NGINXPODS, PODS, Object
from twinloop.nginxpod import is_terminating, name_of


class Shop:
    """A server with one NginxPod and its three pods, and caches that show just that."""

    def __init__(self) -> None:
        self.client = FakeClient()
        self.client.nginxpods.add(nginxpod())
        for ordinal in range(3):
            self.client.pods.add(pod(nginxpod(), ordinal))
        self.nginxpods, self.pods = Indexer(), Indexer(POD_INDEXERS)
        self.clock = FakeClock()
        self.catch_up()
        self.cluster = CachedCluster(
            self.client,  # type: ignore[arg-type]
            SilentRecorder(),
            self.nginxpods,
            self.pods,
            self.clock,
        )
        self.web = self.nginxpods.list()[0]

    def catch_up(self) -> None:
        """Let the caches show what the server has."""
        self.nginxpods.replace(self.client.items(NGINXPODS).values())
        self.pods.replace(self.client.items(PODS).values())

    def seen(self, *, live: bool = False) -> dict[str, Object]:
        return {name_of(pod): pod for pod in self.cluster.list_pods(self.web, live=live)}


@pytest.fixture
def shop() -> Shop:
    return Shop()


def test_a_cached_read_sends_no_request(shop: Shop) -> None:
    assert shop.cluster.get_nginxpod(NAMESPACE, "web", live=False) == shop.web
    assert sorted(shop.seen()) == ["web-0", "web-1", "web-2"]
    assert shop.client.requests == []


def test_a_foreign_pod_under_a_name_of_ours_is_in_view(shop: Shop) -> None:
    shop.client.pods.add(foreign("web-5"))
    shop.catch_up()
    assert "web-5" in shop.seen()


def test_a_created_pod_is_seen_at_once(shop: Shop) -> None:
    shop.cluster.create_pod(pod(shop.web, 3))
    assert "web-3" in shop.seen()


def test_a_deleted_pod_is_seen_terminating_at_once(shop: Shop) -> None:
    shop.cluster.delete_pod(shop.seen()["web-2"])
    assert is_terminating(shop.seen()["web-2"])


def test_a_pod_that_the_server_removed_at_once_is_no_longer_seen(shop: Shop) -> None:
    shop.client.pods.modify(finished(shop.seen()["web-2"]))
    shop.catch_up()
    shop.cluster.delete_pod(shop.seen()["web-2"])
    assert "web-2" not in shop.seen()


def test_a_finalizer_keeps_a_pod_in_view_whatever_its_grace_period(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    held = terminating(changed(shop.seen()["web-2"], finalizers=["backup"], resourceVersion="99"), grace=0)
    monkeypatch.setattr(shop.client, "delete", lambda *_, **__: held)
    shop.cluster.delete_pod(shop.seen()["web-2"])
    assert is_terminating(shop.seen()["web-2"])


def test_a_pod_that_was_gone_when_it_should_be_deleted_is_no_longer_seen(shop: Shop) -> None:
    shop.client.pods.delete(shop.seen()["web-2"])
    with pytest.raises(NotFound):
        shop.cluster.delete_pod(shop.seen()["web-2"])
    assert "web-2" not in shop.seen()


def test_a_status_that_was_written_is_read_back_with_its_version(shop: Shop) -> None:
    shop.cluster.patch_status(shop.web, {"replicas": 3})
    read = shop.cluster.get_nginxpod(NAMESPACE, "web", live=False)
    assert read is not None
    assert read["status"]["replicas"] == 3
    shop.cluster.patch_status(read, {"replicas": 2})


def test_a_nginxpod_that_the_cache_has_dropped_is_gone_whatever_we_wrote(shop: Shop) -> None:
    shop.cluster.patch_status(shop.web, {"replicas": 3})
    shop.nginxpods.replace([])
    assert shop.cluster.get_nginxpod(NAMESPACE, "web", live=False) is None


def test_after_a_live_read_no_visit_reads_older(shop: Shop) -> None:  # R11: or the status would go back in time
    shop.client.pods.modify(finished(shop.seen()["web-0"]))
    shop.client.pods.delete(shop.seen()["web-1"])
    shop.client.pods.modify(changed(shop.seen()["web-2"], labels={}))
    live = shop.seen(live=True)
    assert sorted(live) == ["web-0", "web-2"]
    assert live["web-2"]["metadata"]["labels"] == {}
    assert shop.seen() == live


def test_a_holder_that_was_looked_up_stays_in_view(shop: Shop) -> None:  # after AlreadyExists
    own = changed(pod(shop.web, 3), uid="own", labels={})
    shop.client.pods.add(own)
    assert shop.cluster.get_pod(NAMESPACE, "web-3") is not None
    assert "web-3" in shop.seen()


def test_writes_that_no_event_confirms_are_forgotten_in_time(shop: Shop) -> None:
    shop.cluster.create_pod(pod(shop.web, 3))
    assert shop.cluster.unconfirmed(NAMESPACE, "web") == 30
    shop.clock.step(31)
    assert "web-3" not in shop.seen()
    assert shop.cluster.unconfirmed(NAMESPACE, "web") is None
