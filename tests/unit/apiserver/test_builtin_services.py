"""Services: defaults, addresses, rules, what an update keeps, and their row in a Table.

The faults and the words are those that kube-apiserver v1.34.4 answered with.
Left out: addresses drawn from a pool, which this server does not keep.
"""

from __future__ import annotations

from typing import Any

import pytest

from support.builtin_kinds import create_errors, created, decoded, kind_of, listed, update_errors, updated
from twinloop.apiserver.failures import Failure

SERVICES = kind_of("Service")


def service(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "default"}, "spec": spec}


HTTP = {"ports": [{"port": 80}], "selector": {"app": "web"}}


SPECS: dict[str, tuple[Any, list[str]]] = {
    "no_ports": ({}, ["spec.ports: Required value"]),
    "headless_without_ports": ({"clusterIP": "None"}, []),
    "external_without_name": ({"type": "ExternalName"}, ["spec.externalName: Required value"]),
    "external": ({"type": "ExternalName", "externalName": "example.com."}, []),
    "external_bad_name": (
        {"type": "ExternalName", "externalName": "a b"},
        [
            "spec.externalName: Invalid value: \"a b\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
        ],
    ),
    "type": (
        {"ports": [{"port": 80}], "type": "Magic"},
        [
            'spec.type: Unsupported value: "Magic": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"'
        ],
    ),
    "port_zero": (
        {"ports": [{"port": 0}]},
        [
            "spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
            "spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive",
        ],
    ),
    "protocol": (
        {"ports": [{"port": 80, "protocol": "ICMP"}]},
        ['spec.ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"'],
    ),
    "target_port_name": (
        {"ports": [{"port": 80, "targetPort": "a_b"}]},
        [
            'spec.ports[0].targetPort: Invalid value: "a_b": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)'
        ],
    ),
    "target_port_number": (
        {"ports": [{"port": 80, "targetPort": 70000}]},
        ["spec.ports[0].targetPort: Invalid value: 70000: must be between 1 and 65535, inclusive"],
    ),
    "two_ports_without_names": (
        {"ports": [{"port": 80}, {"port": 81}]},
        ["spec.ports[0].name: Required value", "spec.ports[1].name: Required value"],
    ),
    "port_name": (
        {"ports": [{"port": 80, "name": "A"}]},
        [
            "spec.ports[0].name: Invalid value: \"A\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
        ],
    ),
    "port_name_twice": (
        {"ports": [{"port": 80, "name": "a"}, {"port": 81, "name": "a"}]},
        ['spec.ports[1].name: Duplicate value: "a"'],
    ),
    "port_twice": (
        {"ports": [{"port": 80, "name": "a"}, {"port": 80, "name": "b"}]},
        [
            'spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}'
        ],
    ),
    "app_protocol": (
        {"ports": [{"port": 80, "appProtocol": "a b"}]},
        [
            "spec.ports[0].appProtocol: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
        ],
    ),
    "node_port_of_cluster_ip": (
        {"ports": [{"port": 80, "nodePort": 30000}]},
        ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
    ),
    "selector": (
        {"ports": [{"port": 80}], "selector": {"a b": "c d"}},
        [
            "spec.selector: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
            "spec.selector: Invalid value: \"c d\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
        ],
    ),
    "affinity": (
        {"ports": [{"port": 80}], "sessionAffinity": "Sticky"},
        ['spec.sessionAffinity: Unsupported value: "Sticky": supported values: "ClientIP", "None"'],
    ),
    "affinity_seconds": (
        {
            "ports": [{"port": 80}],
            "sessionAffinity": "ClientIP",
            "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 86401}},
        },
        [
            "spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 86401: must be greater than 0 and less than 86400"
        ],
    ),
    "external_ip": (
        {"ports": [{"port": 80}], "externalIPs": ["here"]},
        ['spec.externalIPs[0]: Invalid value: "here": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'],
    ),
    "headless_node_port": (
        {"ports": [{"port": 80}], "type": "NodePort", "clusterIP": "None"},
        ["spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort services"],
    ),
    "headless_load_balancer": (
        {"ports": [{"port": 80}], "type": "LoadBalancer", "clusterIP": "None"},
        ["spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for LoadBalancer services"],
    ),
    "external_policy": (
        {"ports": [{"port": 80}], "externalTrafficPolicy": "Local"},
        ['spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services'],
    ),
    "external_policy_unknown": (
        {"ports": [{"port": 80}], "type": "NodePort", "externalTrafficPolicy": "Some"},
        ['spec.externalTrafficPolicy: Unsupported value: "Some": supported values: "Cluster", "Local"'],
    ),
    "internal_policy": (
        {"ports": [{"port": 80}], "internalTrafficPolicy": "Some"},
        ['spec.internalTrafficPolicy: Unsupported value: "Some": supported values: "Cluster", "Local"'],
    ),
    "distribution": (
        {"ports": [{"port": 80}], "trafficDistribution": "Any"},
        [
            'spec.trafficDistribution: Unsupported value: "Any": supported values: "PreferClose", "PreferSameZone", "PreferSameNode"'
        ],
    ),
    "allocate": (
        {"ports": [{"port": 80}], "allocateLoadBalancerNodePorts": True},
        ["spec.allocateLoadBalancerNodePorts: Forbidden: may only be used when `type` is 'LoadBalancer'"],
    ),
    "source_ranges": (
        {"ports": [{"port": 80}], "loadBalancerSourceRanges": ["10.0.0.0/8"]},
        ["spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'"],
    ),
    "class": (
        {"ports": [{"port": 80}], "loadBalancerClass": "a.b/c"},
        ["spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'"],
    ),
    "health_check": (
        {"ports": [{"port": 80}], "healthCheckNodePort": 30001},
        [
            "spec.healthCheckNodePort: Invalid value: 30001: may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        ],
    ),
    "external_with_cluster_ip": (
        {"type": "ExternalName", "externalName": "a.b", "clusterIP": "10.0.0.9"},
        ["spec.clusterIPs: Forbidden: may not be set for ExternalName services"],
    ),
    "everything": (
        {
            "ports": [{"port": 80, "name": "http", "targetPort": "web", "appProtocol": "http"}],
            "selector": {"app": "web"},
            "type": "LoadBalancer",
            "sessionAffinity": "ClientIP",
            "publishNotReadyAddresses": True,
        },
        [],
    ),
}


@pytest.mark.parametrize("case", SPECS)
def test_a_service_is_checked(case: Any) -> None:
    given, expected = SPECS[case]
    assert create_errors(SERVICES, service(**given)) == expected


def test_a_service_gets_defaults() -> None:
    spec = created(SERVICES, service(**HTTP))["spec"]
    assert spec["type"] == "ClusterIP"
    assert spec["sessionAffinity"] == "None"
    assert spec["internalTrafficPolicy"] == "Cluster"
    assert spec["ports"] == [{"port": 80, "protocol": "TCP", "targetPort": 80}]
    assert (spec["ipFamilies"], spec["ipFamilyPolicy"]) == (["IPv4"], "SingleStack")


def test_a_service_gets_an_address_of_its_own() -> None:
    first = created(SERVICES, service(**HTTP))["spec"]
    other = service(**HTTP)
    other["metadata"]["name"] = "other"
    second = created(SERVICES, other)["spec"]
    assert first["clusterIP"].startswith("10.96.")
    assert first["clusterIPs"] == [first["clusterIP"]]
    assert first["clusterIP"] != second["clusterIP"]


def test_an_address_that_was_asked_for_is_given() -> None:
    assert created(SERVICES, service(**HTTP, clusterIP="10.96.0.10"))["spec"]["clusterIPs"] == ["10.96.0.10"]


def test_an_address_that_is_none_is_refused_at_once() -> None:
    with pytest.raises(Failure, match="must be a valid IP address"):
        created(SERVICES, service(**HTTP, clusterIP="here"))


def test_node_ports_are_given_to_types_that_need_them() -> None:
    ports = created(SERVICES, service(type="NodePort", ports=[{"port": 80, "name": "a"}, {"port": 81, "name": "b"}]))[
        "spec"
    ]["ports"]
    numbers = [port["nodePort"] for port in ports]
    assert len(set(numbers)) == 2
    assert all(30000 <= number < 32768 for number in numbers)
    assert "nodePort" not in created(SERVICES, service(**HTTP))["spec"]["ports"][0]


def test_a_load_balancer_has_policies_of_its_own() -> None:
    spec = created(SERVICES, service(**HTTP, type="LoadBalancer"))["spec"]
    assert (spec["externalTrafficPolicy"], spec["allocateLoadBalancerNodePorts"]) == ("Cluster", True)


def test_an_external_name_has_no_address() -> None:
    spec = created(SERVICES, service(type="ExternalName", externalName="example.com"))["spec"]
    assert spec.keys() == {"type", "externalName", "sessionAffinity"}


@pytest.mark.parametrize(("selector", "families"), [({}, ["IPv4", "IPv6"]), ({"app": "web"}, ["IPv4"])])
def test_a_headless_service_without_a_selector_may_have_both_families(selector: Any, families: Any) -> None:
    assert created(SERVICES, service(clusterIP="None", selector=selector))["spec"]["ipFamilies"] == families


def test_affinity_lasts_three_hours() -> None:
    spec = created(SERVICES, service(**HTTP, sessionAffinity="ClientIP"))["spec"]
    assert spec["sessionAffinityConfig"] == {"clientIP": {"timeoutSeconds": 10800}}


def test_a_client_cannot_set_the_status_of_a_new_service() -> None:
    body = {**service(**HTTP), "status": {"loadBalancer": {"ingress": [{"ip": "1.1.1.1"}]}}}
    assert created(SERVICES, body)["status"] == {"loadBalancer": {}}


def test_an_update_without_an_address_keeps_it() -> None:
    old = created(SERVICES, service(**HTTP))
    assert updated(SERVICES, old, service(**HTTP))["spec"] == old["spec"]


def test_an_update_may_not_change_the_address() -> None:
    old = created(SERVICES, service(**HTTP, clusterIP="10.96.0.10"))
    assert update_errors(SERVICES, old, service(**HTTP, clusterIP="10.96.0.11", clusterIPs=["10.96.0.11"])) == [
        'spec.clusterIPs[0]: Invalid value: ["10.96.0.11"]: may not change once set'
    ]


def test_a_service_that_becomes_external_loses_its_address() -> None:
    old = created(SERVICES, service(**HTTP))
    body = {**old, "spec": {**old["spec"], "type": "ExternalName", "externalName": "example.com"}}
    new = updated(SERVICES, old, body)["spec"]
    assert not new.keys() & {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"}


def test_a_service_that_needs_no_node_ports_any_more_loses_them() -> None:
    old = created(SERVICES, service(**HTTP, type="NodePort"))
    body = {**old, "spec": {**old["spec"], "type": "ClusterIP"}}
    new = updated(SERVICES, old, body)["spec"]
    assert "nodePort" not in new["ports"][0]
    assert "externalTrafficPolicy" not in new


def test_node_ports_stay_when_an_update_leaves_them_out() -> None:
    old = created(SERVICES, service(**HTTP, type="NodePort"))
    assert updated(SERVICES, old, service(**HTTP, type="NodePort"))["spec"]["ports"] == old["spec"]["ports"]


def test_only_a_load_balancer_has_ingress_points() -> None:
    old = created(SERVICES, service(**HTTP))
    body = {**old, "status": {"loadBalancer": {"ingress": [{"ip": "1.1.1.1"}]}}}
    assert update_errors(SERVICES, old, body, "status") == [
        "status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is 'LoadBalancer'"
    ]


@pytest.mark.parametrize(
    ("ingress", "expected"),
    [
        ({"ip": "here"}, "status.loadBalancer.ingress[0].ip: Invalid value"),
        ({"hostname": "a b"}, "status.loadBalancer.ingress[0].hostname: Invalid value"),
        ({"hostname": "1.1.1.1"}, "status.loadBalancer.ingress[0].hostname: Invalid value"),
    ],
)
def test_ingress_points_are_addresses_or_names(ingress: Any, expected: Any) -> None:
    old = created(SERVICES, service(**HTTP, type="LoadBalancer"))
    (found,) = update_errors(SERVICES, old, {**old, "status": {"loadBalancer": {"ingress": [ingress]}}}, "status")
    assert found.startswith(expected)


def test_a_row_shows_addresses_and_ports() -> None:
    obj = created(SERVICES, service(**HTTP, clusterIP="10.96.0.10"))
    obj["metadata"]["creationTimestamp"] = "2023-11-14T22:12:20Z"
    assert listed(SERVICES, obj) == {
        "Name": "web",
        "Type": "ClusterIP",
        "Cluster-IP": "10.96.0.10",
        "External-IP": "<none>",
        "Port(s)": "80/TCP",
        "Age": "60s",
        "Selector": "app=web",
    }


@pytest.mark.parametrize(
    ("spec", "ingress", "expected"),
    [
        ({"type": "LoadBalancer"}, [], "<pending>"),
        ({"type": "LoadBalancer"}, [{"ip": "2.2.2.2"}, {"hostname": "a.b"}], "2.2.2.2,a.b"),
        ({"type": "LoadBalancer", "externalIPs": ["3.3.3.3"]}, [{"ip": "2.2.2.2"}], "2.2.2.2,3.3.3.3"),
        ({"externalIPs": ["3.3.3.3", "4.4.4.4"]}, [], "3.3.3.3,4.4.4.4"),
        ({"type": "ExternalName", "externalName": "example.com"}, [], "example.com"),
    ],
)
def test_a_row_shows_how_a_service_is_reached_from_outside(spec: Any, ingress: Any, expected: Any) -> None:
    obj = created(SERVICES, service(**HTTP, **spec))
    obj["status"] = {"loadBalancer": {"ingress": ingress}}
    assert listed(SERVICES, obj)["External-IP"] == expected


def test_fields_that_a_type_ignores_are_warned_of() -> None:
    headless = service(clusterIP="None", loadBalancerIP="1.1.1.1", externalIPs=["2.2.2.2"], sessionAffinity="ClientIP")
    assert SERVICES.strategy.warnings(created(SERVICES, headless), None) == [
        "spec.loadBalancerIP is ignored for headless services",
        "spec.externalIPs is ignored for headless services",
        "spec.SessionAffinity is ignored for headless services",
    ]
    named, _ = decoded(SERVICES, service(**HTTP, externalName="a.b"))
    assert SERVICES.strategy.warnings(named, None) == [
        'spec.externalName is ignored when spec.type is not "ExternalName"'
    ]
    external, _ = decoded(SERVICES, service(type="ExternalName", externalName="a.b", externalIPs=["2.2.2.2"]))
    assert SERVICES.strategy.warnings(external, None) == [
        'spec.externalIPs is ignored when spec.type is "ExternalName"'
    ]


def test_a_selector_may_ask_for_address_and_type() -> None:
    found = SERVICES.strategy.selectable(created(SERVICES, service(**HTTP, clusterIP="10.96.0.10")))
    assert found == {"spec.clusterIP": "10.96.0.10", "spec.type": "ClusterIP"}
    assert found.keys() == SERVICES.strategy.selectable_names()


def test_a_service_is_named_like_a_host() -> None:
    assert SERVICES.strategy.validate_name("1a", prefix=False)
    assert not SERVICES.strategy.validate_name("a1", prefix=False)
