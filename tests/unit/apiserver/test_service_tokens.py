"""Tokens for service accounts: what a TokenRequest is answered with, and what is refused.

Left out: whether anybody is let in by such a token (test_edge.py: nobody is).
"""

from __future__ import annotations

import base64
import json
import random
from typing import Any

import pytest

from twinloop.apiserver.clock import ManualClock, timestamp
from twinloop.apiserver.request import Request
from twinloop.apiserver.server import ApiServer

ACCOUNT = "/api/v1/namespaces/default/serviceaccounts"


class Site:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.server = ApiServer(clock=self.clock, rng=random.Random(1), controllers=False)
        self.post(ACCOUNT, {"metadata": {"name": "robot"}})

    def post(self, path: str, body: Any) -> tuple[int, Any]:
        headers = {"content-type": "application/json"}
        answer = self.server.handle(Request("POST", path, headers=headers, body=json.dumps(body).encode()))
        return answer.code, json.loads(answer.body)  # type: ignore[union-attr]

    def ask(self, spec: Any, name: str = "robot") -> tuple[int, Any]:
        head = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest"}
        return self.post(f"{ACCOUNT}/{name}/token", {**head, "spec": spec})


def claims(answer: Any) -> Any:
    part = answer["status"]["token"].split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def test_a_token_names_its_account_and_lives_an_hour() -> None:
    site = Site()
    code, answer = site.ask({})
    now = site.clock.now()
    assert code == 201
    assert answer["metadata"]["name"] == "robot"
    assert answer["spec"]["expirationSeconds"] == 3600
    assert answer["status"]["expirationTimestamp"] == timestamp(now + 3600)
    found = claims(answer)
    assert found["sub"] == "system:serviceaccount:default:robot"
    assert (found["iat"], found["exp"]) == (int(now), int(now) + 3600)
    assert found["kubernetes.io"]["serviceaccount"]["uid"] == answer["metadata"]["uid"]


def test_audience_and_lifetime_can_be_chosen() -> None:
    _, answer = Site().ask({"audiences": ["me"], "expirationSeconds": 600})
    assert (claims(answer)["aud"], answer["spec"]["expirationSeconds"]) == (["me"], 600)


def test_a_short_lifetime_is_refused() -> None:
    code, answer = Site().ask({"audiences": [], "expirationSeconds": 1})
    assert code == 422
    assert answer["message"] == (
        'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 1: '
        "may not specify a duration less than 10 minutes"
    )


@pytest.mark.parametrize(("name", "code"), [("nobody", 404), ("robot", 201)])
def test_the_account_must_exist(name: str, code: int) -> None:
    assert Site().ask({}, name)[0] == code


def test_nothing_is_stored() -> None:
    site = Site()
    before = site.server.storage.revision
    site.ask({})
    assert site.server.storage.revision == before
