"""ConfigMaps, Secrets, ServiceAccounts and Leases: defaults, rules, what is frozen, their rows in a Table.

The faults and the words are those that kube-apiserver v1.34.4 answered with.
Left out: tokens of service accounts (see test_pod_subresources and its neighbours), names (test_builtin_served).
"""

from __future__ import annotations

from typing import Any

import pytest

from support.builtin_kinds import NOW, create_errors, created, decoded, kind_of, listed, update_errors, updated

CONFIG_MAPS, SECRETS, ACCOUNTS = kind_of("ConfigMap"), kind_of("Secret"), kind_of("ServiceAccount")
LEASES = kind_of("Lease", "coordination.k8s.io")
SECOND_AGO = {"creationTimestamp": "2023-11-14T22:13:19Z"}


def named(kind: str, **fields: Any) -> dict[str, Any]:
    version = "coordination.k8s.io/v1" if kind == "Lease" else "v1"
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "x", **SECOND_AGO}, **fields}


CONFIG_MAP_DATA: dict[str, tuple[Any, list[str]]] = {
    "right": ({"data": {"a": "b", "a.b": "", "A_b-c": "x"}, "binaryData": {"z": "AAAA"}}, []),
    "bad_key": (
        {"data": {"a b": "c"}},
        [
            "data[a b]: Invalid value: \"a b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
        ],
    ),
    "empty_key": (
        {"data": {"": "c"}},
        [
            "data[]: Invalid value: \"\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
        ],
    ),
    "dot": ({"data": {".": "c"}}, ["data[.]: Invalid value: \".\": must not be '.'"]),
    "two_dots": ({"data": {"..": "c"}}, ["data[..]: Invalid value: \"..\": must not be '..'"]),
    "begins_with_two_dots": ({"data": {"..a": "c"}}, ["data[..a]: Invalid value: \"..a\": must not start with '..'"]),
    "key_too_long": (
        {
            "data": {
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa": "c"
            }
        },
        [
            'data[aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]: Invalid value: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa": must be no more than 253 characters'
        ],
    ),
    "bad_binary_key": (
        {"binaryData": {"a/b": "AAAA"}},
        [
            "binaryData[a/b]: Invalid value: \"a/b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
        ],
    ),
    "key_in_both": (
        {"data": {"k": "v"}, "binaryData": {"k": "AAAA"}},
        ['data[k]: Invalid value: "k": duplicate of key present in binaryData'],
    ),
}


@pytest.mark.parametrize("case", CONFIG_MAP_DATA)
def test_a_config_map_is_checked(case: Any) -> None:
    given, expected = CONFIG_MAP_DATA[case]
    assert create_errors(CONFIG_MAPS, named("ConfigMap", **given)) == expected


SECRET_DATA: dict[str, tuple[Any, list[str]]] = {
    "right": ({"stringData": {"a": "b"}}, []),
    "bad_key": (
        {"data": {"a b": "AAAA"}},
        [
            "data[a b]: Invalid value: \"a b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
        ],
    ),
    "tls_empty": ({"type": "kubernetes.io/tls"}, ["data[tls.crt]: Required value", "data[tls.key]: Required value"]),
    "tls_half": ({"type": "kubernetes.io/tls", "stringData": {"tls.crt": ""}}, ["data[tls.key]: Required value"]),
    "basic_auth_empty": (
        {"type": "kubernetes.io/basic-auth"},
        ["data[username]: Required value", "data[password]: Required value"],
    ),
    "basic_auth_half": ({"type": "kubernetes.io/basic-auth", "stringData": {"password": ""}}, []),
    "ssh_empty": (
        {"type": "kubernetes.io/ssh-auth", "stringData": {"ssh-privatekey": ""}},
        ["data[ssh-privatekey]: Required value"],
    ),
    "docker_missing": ({"type": "kubernetes.io/dockerconfigjson"}, ["data[.dockerconfigjson]: Required value"]),
    "docker_no_json": (
        {"type": "kubernetes.io/dockerconfigjson", "stringData": {".dockerconfigjson": "nothing"}},
        [
            "data[.dockerconfigjson]: Invalid value: \"<secret contents redacted>\": invalid character 'o' in literal null (expecting 'u')"
        ],
    ),
    "docker_cut_off": (
        {"type": "kubernetes.io/dockercfg", "stringData": {".dockercfg": '{"a":'}},
        ['data[.dockercfg]: Invalid value: "<secret contents redacted>": unexpected end of JSON input'],
    ),
    "docker_list": (
        {"type": "kubernetes.io/dockerconfigjson", "stringData": {".dockerconfigjson": "[]"}},
        [
            'data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": json: cannot unmarshal array into Go value of type map[string]interface {}'
        ],
    ),
    "docker_null": ({"type": "kubernetes.io/dockerconfigjson", "stringData": {".dockerconfigjson": "null"}}, []),
    "docker_right": ({"type": "kubernetes.io/dockerconfigjson", "stringData": {".dockerconfigjson": "{}"}}, []),
    "token_without_account": (
        {"type": "kubernetes.io/service-account-token"},
        ["metadata.annotations[kubernetes.io/service-account.name]: Required value"],
    ),
    "own_type": ({"type": "example.com/x"}, []),
}


@pytest.mark.parametrize("case", SECRET_DATA)
def test_a_secret_is_checked(case: Any) -> None:
    given, expected = SECRET_DATA[case]
    assert create_errors(SECRETS, named("Secret", **given)) == expected


LEASE_SPECS: dict[str, tuple[Any, list[str]]] = {
    "right": ({"holderIdentity": "a", "leaseDurationSeconds": 15, "leaseTransitions": 0}, []),
    "no_duration": (
        {"leaseDurationSeconds": 0},
        ["spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0"],
    ),
    "negative_transitions": (
        {"leaseTransitions": -1},
        ["spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0"],
    ),
    "switched_off": ({"strategy": "x y", "preferredHolder": "b"}, []),
}


@pytest.mark.parametrize("case", LEASE_SPECS)
def test_a_lease_is_checked(case: Any) -> None:
    given, expected = LEASE_SPECS[case]
    assert create_errors(LEASES, named("Lease", spec=given)) == expected


MEGABYTE = "x" * 1024 * 1024


@pytest.mark.parametrize(
    ("data", "expected"),
    [({"a": MEGABYTE}, []), ({"a": MEGABYTE, "b": "y"}, ["[]: Too long: may not be more than 1048576 bytes"])],
)
def test_a_config_map_holds_a_megabyte(data: Any, expected: Any) -> None:
    assert create_errors(CONFIG_MAPS, named("ConfigMap", data=data)) == expected


def test_bytes_count_and_not_characters() -> None:
    assert create_errors(CONFIG_MAPS, named("ConfigMap", data={"a": "ä" * 600_000}))


def test_a_secret_holds_a_megabyte() -> None:
    assert not create_errors(SECRETS, named("Secret", stringData={"a": MEGABYTE}))
    assert create_errors(SECRETS, named("Secret", stringData={"a": MEGABYTE, "b": "y"})) == [
        "data: Too long: may not be more than 1048576 bytes"
    ]


def test_plain_text_of_a_secret_becomes_data() -> None:
    obj = created(SECRETS, named("Secret", data={"a": "eA==", "b": "eA=="}, stringData={"b": "y", "c": ""}))
    assert obj["data"] == {"a": "eA==", "b": "eQ==", "c": ""}
    assert "stringData" not in obj


def test_a_secret_is_opaque_unless_it_says_otherwise() -> None:
    assert created(SECRETS, named("Secret"))["type"] == "Opaque"
    assert created(SECRETS, named("Secret", type="a/b"))["type"] == "a/b"


def test_the_type_of_a_secret_is_immutable() -> None:
    old = created(SECRETS, named("Secret"))
    assert update_errors(SECRETS, old, named("Secret", type="a/b")) == [
        'type: Invalid value: "a/b": field is immutable'
    ]


FROZEN = "Forbidden: field is immutable when `immutable` is set"


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"data": {"a": "b"}, "immutable": True}, []),
        ({"data": {"a": "b"}}, ["immutable"]),
        ({"data": {"a": "c"}, "immutable": True}, ["data"]),
        ({"data": {"a": "b"}, "binaryData": {"c": "AAAA"}, "immutable": True}, ["binaryData"]),
        ({}, ["immutable", "data"]),
    ],
)
def test_an_immutable_config_map_stays_as_it_is(change: Any, fields: Any) -> None:
    old = created(CONFIG_MAPS, named("ConfigMap", data={"a": "b"}, immutable=True))
    found = update_errors(CONFIG_MAPS, old, named("ConfigMap", **change))
    assert found == [f"{field}: {FROZEN}" for field in fields]


def test_an_immutable_secret_stays_as_it_is() -> None:
    old = created(SECRETS, named("Secret", stringData={"a": "b"}, immutable=True))
    found = update_errors(SECRETS, old, named("Secret", stringData={"a": "c"}, immutable=True))
    assert found == [f"data: {FROZEN}"]


def test_a_config_map_may_become_immutable() -> None:
    old = created(CONFIG_MAPS, named("ConfigMap", data={"a": "b"}))
    assert not update_errors(CONFIG_MAPS, old, named("ConfigMap", data={"a": "c"}, immutable=True))


def test_of_the_secrets_of_an_account_only_names_are_kept() -> None:
    body = named("ServiceAccount", secrets=[{"name": "a", "kind": "Secret"}, {"namespace": "b"}])
    assert created(ACCOUNTS, body)["secrets"] == [{"name": "a"}, {}]
    assert updated(ACCOUNTS, created(ACCOUNTS, named("ServiceAccount")), body)["secrets"] == [{"name": "a"}, {}]


def test_fields_of_coordinated_leader_election_are_forgotten() -> None:
    body = named("Lease", spec={"holderIdentity": "a", "strategy": "OldestEmulationVersion", "preferredHolder": "b"})
    assert created(LEASES, body)["spec"] == {"holderIdentity": "a"}
    old = created(LEASES, named("Lease"))
    assert updated(LEASES, old, body)["spec"] == {"holderIdentity": "a"}


def test_times_of_a_lease_have_microseconds() -> None:
    spec, _ = decoded(LEASES, named("Lease", spec={"renewTime": "2024-01-01T02:00:00.000001+02:00"}))
    assert spec["spec"] == {"renewTime": "2024-01-01T00:00:00.000001Z"}


def test_rows() -> None:
    config_map = created(CONFIG_MAPS, named("ConfigMap", data={"a": "b"}, binaryData={"c": "AAAA"}))
    assert listed(CONFIG_MAPS, config_map, NOW) == {"Name": "x", "Data": 2, "Age": "1s"}
    secret = created(SECRETS, named("Secret", stringData={"a": "b"}))
    assert listed(SECRETS, secret, NOW) == {"Name": "x", "Type": "Opaque", "Data": 1, "Age": "1s"}
    account = created(ACCOUNTS, named("ServiceAccount", secrets=[{"name": "a"}]))
    assert listed(ACCOUNTS, account, NOW) == {"Name": "x", "Secrets": 1, "Age": "1s"}
    lease = created(LEASES, named("Lease", spec={"holderIdentity": "me"}))
    assert listed(LEASES, lease, NOW) == {"Name": "x", "Holder": "me", "Age": "1s"}
    assert listed(LEASES, created(LEASES, named("Lease")), NOW)["Holder"] == ""


def test_a_selector_may_ask_for_the_type_of_a_secret() -> None:
    assert SECRETS.strategy.selectable(created(SECRETS, named("Secret"))) == {"type": "Opaque"}
    assert SECRETS.strategy.selectable_names() == {"type"}


def test_a_lease_may_be_created_by_an_update_and_not_overwritten_blindly() -> None:
    assert LEASES.strategy.allow_create_on_update
    assert not LEASES.strategy.allow_unconditional_update
