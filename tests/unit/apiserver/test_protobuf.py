"""Protobuf bodies: what client-go encodes, and what becomes of it.

recorded/protobuf.jsonl holds objects that k8s.io/api v0.34.4 encoded both ways, with zero values behind pointers, negative
numbers, empty messages, maps, inlined structs and wrapped JSON among them. After decoding by the kind both forms must be
the same object.

Left out: that kubectl creates objects this way (tests/clients/test_kubectl.py).
"""

from __future__ import annotations

import base64
import json
import random
from pathlib import Path
from typing import Any

import pytest

from twinloop.apiserver.builtin import documents, protobuf, shapes
from twinloop.apiserver.builtin.readers import Trail

RECORDED = [json.loads(line) for line in (Path(__file__).parent / "recorded/protobuf.jsonl").read_text().splitlines()]


def read(go_type: str, value: Any) -> Any:
    """An object as the kind's own decoder leaves it: empty optional fields gone, pointers to zero kept."""
    return shapes.reader(go_type).read({key: each for key, each in value.items() if each is not None}, Trail())


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: case["name"])
def test_both_encodings_of_an_object_are_the_same_object(case: dict[str, Any]) -> None:
    raw = protobuf.to_json(base64.b64decode(case["protobuf"]))
    assert raw
    found, wanted = json.loads(raw), case["json"]
    assert (found["kind"], found["apiVersion"]) == (wanted["kind"], wanted["apiVersion"])
    go_type = protobuf._go_type(wanted["apiVersion"], wanted["kind"])
    assert read(go_type, found) == read(go_type, wanted)


def test_a_pointer_to_zero_is_no_missing_value() -> None:
    case = next(each for each in RECORDED if each["name"] == "v1 Pod")
    raw = protobuf.to_json(base64.b64decode(case["protobuf"]))
    spec = json.loads(raw or b"")["spec"]
    assert spec["terminationGracePeriodSeconds"] == 0
    assert spec["containers"][0]["securityContext"]["runAsUser"] == 0
    assert spec["containers"][0]["securityContext"]["allowPrivilegeEscalation"] is False
    assert spec["tolerations"][0]["tolerationSeconds"] == -1


def envelope(api_version: str, kind: str, raw: bytes) -> bytes:
    meta = _field(1, api_version.encode()) + _field(2, kind.encode())
    return b"k8s\x00" + _field(1, meta) + _field(2, raw)


def _field(number: int, value: bytes) -> bytes:
    return bytes([number << 3 | 2, len(value)]) + value


def test_a_kind_without_a_go_type_is_nobody_s() -> None:
    assert protobuf.to_json(envelope("example.com/v1", "Widget", b"")) is None


def test_unknown_fields_are_skipped() -> None:
    raw = protobuf.to_json(envelope("v1", "Namespace", _field(1, _field(1, b"a")) + _field(15, b"new")))
    assert json.loads(raw or b"") == {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "a"}}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"k8s",
        b"k8s\x00\xff",
        b"k8s\x00\x0a\x7f",
        b"k8s\x00\x0b\x00",
        b"k8s\x00" + b"\xff" * 20,
        envelope("v1", "Namespace", b"\x0a\x02\x0a\x05"),
        envelope("v1", "Namespace", b"\x0a\x03\x0a\x01\xff"),
        envelope("v1", "Namespace", b"\x08\x01"),
    ],
)
def test_what_is_broken_is_unreadable_and_nothing_worse(body: bytes) -> None:
    with pytest.raises(protobuf.Unreadable):
        protobuf.to_json(body)


def test_random_damage_never_escapes() -> None:
    rng = random.Random(7)
    for _ in range(2000):
        body = bytearray(base64.b64decode(rng.choice(RECORDED)["protobuf"]))
        for _ in range(rng.randint(1, 4)):
            body[rng.randrange(4, len(body))] = rng.randrange(256)
        try:
            raw = protobuf.to_json(bytes(body[: rng.randint(5, len(body))]))
        except protobuf.Unreadable:
            continue
        assert raw is None or json.loads(raw)


def test_every_field_that_json_knows_has_a_number() -> None:
    known = protobuf.known_structs()
    for name, fields in documents.go_types()["structs"].items():
        for json_name, go_type, _ in fields:
            assert go_type == "meta.TypeMeta" or json_name in {each[0] for each in known[name]}, f"{name}.{json_name}"
