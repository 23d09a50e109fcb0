"""The control endpoint: each command over JSON, and what it answers to nonsense.

Left out: what compaction, a restored snapshot or a frozen kubelet mean to clients (test_storage.py, test_watch.py,
test_kubelet.py); tokens (test_edge.py).
"""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from twinloop.apiserver.clock import Clock, ManualClock, WallClock
from twinloop.apiserver.http.control import Control, configure
from twinloop.apiserver.request import Request
from twinloop.apiserver.server import ApiServer
from twinloop.errors import ConfigurationError

PODS = "/api/v1/namespaces/default/configmaps"


class Site:
    """A server and its control endpoint, without HTTP."""

    def __init__(self, clock: Clock | None = None, *, controllers: bool = True) -> None:
        self.server = ApiServer(clock=clock or ManualClock(), rng=random.Random(1), controllers=controllers)
        self.control = Control(self.server)

    def tell(self, command: str, body: Any = None, method: str = "POST") -> tuple[int, dict[str, Any]]:
        raw = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
        answer = self.control.handle(Request(method, f"/control/v1/{command}", body=raw))
        return answer.code, json.loads(answer.body)

    def create(self, name: str) -> None:
        body = json.dumps({"metadata": {"name": name}}).encode()
        headers = {"content-type": "application/json"}
        assert self.server.handle(Request("POST", PODS, headers=headers, body=body)).code == 201

    def names(self) -> set[str]:
        return {record.name for record in self.server.storage.list(("", "configmaps"), "default")}


def test_compact_forgets_up_to_a_revision_or_up_to_now() -> None:
    site = Site()
    for name in "abc":
        site.create(name)
    revision = site.server.storage.revision
    assert site.tell("compact", {"revision": revision - 1}) == (200, {"compacted": revision - 1})
    assert site.tell("compact") == (200, {"compacted": revision})


def test_history_keeps_so_many_events() -> None:
    site = Site()
    for name in "abc":
        site.create(name)
    code, answer = site.tell("history", {"limit": 2})
    assert (code, answer) == (200, {"limit": 2, "compacted": site.server.storage.revision - 2})


def test_restore_goes_back_and_so_do_resource_versions() -> None:
    site = Site()
    site.create("before")
    code, answer = site.tell("snapshot")
    assert (code, answer) == (200, {"snapshot": 1, "revision": site.server.storage.revision})
    site.create("after")
    assert site.tell("restore") == (200, {"revision": answer["revision"]})
    assert site.names() == {"before"}


def test_any_snapshot_can_be_restored_again() -> None:
    site = Site()
    site.tell("snapshot")
    site.create("a")
    site.tell("snapshot")
    site.tell("restore", {"snapshot": 1})
    assert site.names() == set()
    site.tell("restore", {"snapshot": 2})
    assert site.names() == {"a"}


def test_the_kubelet_is_frozen_and_thawed() -> None:
    site = Site()
    assert site.tell("kubelet", {"frozen": True}) == (200, {"frozen": True})
    assert site.server.controllers.kubelet.frozen
    assert site.tell("kubelet", {"frozen": False}) == (200, {"frozen": False})
    assert not site.server.controllers.kubelet.frozen


def test_the_kubelet_gets_other_delays() -> None:
    site = Site()
    assert site.tell("kubelet", {"delays": {"ready_after": 5}})[0] == 200
    assert site.server.controllers.kubelet.delays.ready_after == 5


def test_a_pod_gets_an_order() -> None:
    site = Site()
    assert site.tell("kubelet", {"order": {"namespace": "a", "name": "b", "ready": "false"}})[0] == 200


def test_a_manual_clock_is_moved() -> None:
    clock = ManualClock()
    before = clock.now()
    assert Site(clock).tell("clock", {"advance": 1.5}) == (200, {"now": before + 1.5})


@pytest.mark.parametrize(
    ("command", "body", "message"),
    [
        ("compact", b"{", "the body is no JSON"),
        ("compact", b"[]", "the body is no JSON object"),
        ("compact", {"revision": "x"}, "revision is a number"),
        ("compact", {"revision": True}, "revision is a number"),
        ("compact", {"revision": -1}, "revision is a number"),
        ("compact", {"version": 1}, "compact takes no version"),
        ("history", {}, "history needs a limit"),
        ("restore", {}, "there is no such snapshot"),
        ("restore", {"snapshot": 7}, "there is no such snapshot"),
        ("restore", {"snapshot": 0}, "there is no such snapshot"),
        ("kubelet", {"delays": {"lunch": 1}}, "the kubelet does not understand this"),
        ("kubelet", {"delays": 1}, "delays is no JSON object"),
        ("kubelet", {"order": {"namespace": "a"}}, "the kubelet does not understand this"),
        ("kubelet", {"order": {"namespace": "a", "name": "b", "dance": "1"}}, "the kubelet does not understand this"),
        ("clock", {"advance": "1"}, "advance is a number of seconds"),
        ("clock", {"advance": -1}, "advance is a number of seconds"),
    ],
)
def test_nonsense_is_a_400_with_a_reason(command: str, body: Any, message: str) -> None:
    code, answer = Site().tell(command, body)
    assert (code, answer["reason"]) == (400, "BadRequest")
    assert answer["message"].startswith(message)


def test_the_machine_s_clock_cannot_be_moved() -> None:
    code, answer = Site(WallClock()).tell("clock", {"advance": 1})
    assert (code, answer["message"]) == (400, "this server runs on the machine's clock")


def test_a_kubelet_that_is_switched_off_cannot_be_told_anything() -> None:
    code, answer = Site(controllers=False).tell("kubelet", {"frozen": True})
    assert (code, answer["message"]) == (400, "the kubelet is switched off")


def test_other_paths_and_methods_are_refused() -> None:
    assert Site().tell("lunch")[0] == 404
    assert Site().tell("compact", method="GET")[0] == 405


def test_delays_of_the_command_line_are_checked() -> None:
    with pytest.raises(ConfigurationError, match="cannot be told its delays"):
        configure(Site().server, {"lunch": 1.0})


def test_delays_want_a_kubelet() -> None:
    with pytest.raises(ConfigurationError, match="--start-after: only the kubelet takes time, and it is switched off"):
        configure(Site(controllers=False).server, {"start_after": 1.0})
