"""Requests are counted by who asked for what, and shown on the metrics page.

Left out: what the handlers do with the requests.
"""

from __future__ import annotations

import random

import pytest
from prometheus_client.parser import text_string_to_metric_families

from twinloop.apiserver.answer import Answer
from twinloop.apiserver.clock import ManualClock
from twinloop.apiserver.request import Request
from twinloop.apiserver.server import ApiServer
from twinloop.apiserver.tally import Asked

CONFIGMAPS = "/api/v1/namespaces/default/configmaps"


@pytest.fixture
def server() -> ApiServer:
    return ApiServer(clock=ManualClock(), rng=random.Random(1), controllers=False)


def send(server: ApiServer, method: str, path: str, *query: tuple[str, str], agent: str = "me/1.0 (x)") -> None:
    server.handle(Request(method, path, query, {"user-agent": agent}))


@pytest.mark.parametrize(
    ("method", "path", "query", "verb", "code"),
    [
        ("GET", CONFIGMAPS, (), "list", 200),
        ("GET", CONFIGMAPS, (("watch", "true"),), "watch", 200),
        ("GET", "/api/v1/watch/namespaces/default/configmaps", (), "watch", 200),
        ("GET", f"{CONFIGMAPS}/absent", (), "get", 404),
        ("DELETE", f"{CONFIGMAPS}/absent", (), "delete", 404),
        ("DELETE", CONFIGMAPS, (), "deletecollection", 200),
        ("POST", CONFIGMAPS, (), "create", 400),
    ],
)
def test_a_request_is_counted_by_its_verb_and_answer(
    server: ApiServer, method: str, path: str, query: tuple[tuple[str, str], ...], verb: str, code: int
) -> None:
    send(server, method, path, *query)
    (asked,) = server.tally.counts
    assert (asked.client, asked.verb, asked.namespace, asked.code) == ("me", verb, "default", code)
    assert asked.resource == "configmaps"


def test_clients_and_namespaces_are_told_apart(server: ApiServer) -> None:
    for agent, times in (("kopf/1.45", 2), ("kubectl", 1)):
        for _ in range(times):
            send(server, "GET", "/apis/apps/v1/deployments", agent=agent)
    assert server.tally.counts == {
        Asked("kopf", "list", "deployments.apps", "", "", 200): 2,
        Asked("kubectl", "list", "deployments.apps", "", "", 200): 1,
    }


def test_a_document_is_no_resource_and_is_not_counted(server: ApiServer) -> None:
    send(server, "GET", "/version")
    assert not server.tally.counts


def test_the_metrics_page_survives_any_user_agent(server: ApiServer) -> None:
    send(server, "GET", CONFIGMAPS, agent='a"b\\c\nd')
    answer = server.handle(Request("GET", "/metrics"))
    assert isinstance(answer, Answer)
    families = {family.name: family for family in text_string_to_metric_families(answer.body.decode())}
    (sample,) = families["apiserver_request"].samples
    assert sample.labels["client"] == 'a"b\\c\nd'
    assert sample.value == 1
