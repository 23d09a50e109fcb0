"""The rules of a Service's spec, in the order in which Kubernetes applies them.

`services.py` calls `spec_errors` for every write and `update_errors` before it for updates.
"""

from __future__ import annotations

import ipaddress
import json
from typing import Any

from twinloop.apiserver.builtin.checks import (
    Errors,
    dns_label,
    ip_address,
    labels,
    one_of,
    port_number,
    port_number_or_name,
    qualified,
    subdomain,
)
from twinloop.apiserver.fielderrors import FieldError, duplicate, forbidden, invalid, not_supported, required

Object = dict[str, Any]

_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_PROTOCOLS = ("SCTP", "TCP", "UDP")
_POLICIES = ("Cluster", "Local")
_DISTRIBUTIONS = ("PreferClose", "PreferSameZone", "PreferSameNode")
_LONGEST_AFFINITY = 86400
EXTERNAL_TYPES = {"NodePort", "LoadBalancer"}


def is_headless(spec: Object) -> bool:
    """A service without an address: its name leads to its pods."""
    return (spec.get("clusterIPs") or [""]) == ["None"]


def is_externally_accessible(spec: Object) -> bool:
    """A service that traffic from outside can reach."""
    return spec["type"] in EXTERNAL_TYPES or (spec["type"] == "ClusterIP" and bool(spec.get("externalIPs")))


def spec_errors(spec: Object) -> Errors:
    """What is wrong with a spec."""
    kind, ports = spec["type"], spec.get("ports", [])
    if not ports and not is_headless(spec) and kind != "ExternalName":
        yield required("spec.ports")
    yield from _type_errors(spec)
    yield from _port_list(ports)
    yield from labels("spec.selector", spec.get("selector"))
    yield from _affinity(spec)
    if kind != "ExternalName":
        yield from address_errors(spec)
    for index, address in enumerate(spec.get("externalIPs", ())):
        yield from ip_address(f"spec.externalIPs[{index}]", address)
    yield from one_of("spec.type", kind, _TYPES)
    yield from _unique_ports(kind, ports)
    yield from _load_balancer(spec)
    yield from _traffic(spec)


def _type_errors(spec: Object) -> Errors:
    kind = spec["type"]
    if kind in EXTERNAL_TYPES and is_headless(spec):
        yield invalid("spec.clusterIPs[0]", "None", f"may not be set to 'None' for {kind} services")
    if kind != "ExternalName":
        return
    for name in ("clusterIPs", "ipFamilies", "ipFamilyPolicy"):
        if spec.get(name):
            yield forbidden(f"spec.{name}", "may not be set for ExternalName services")
    target = spec.get("externalName", "").removesuffix(".")
    if target:
        yield from subdomain("spec.externalName", target)
    else:
        yield required("spec.externalName")


def _port_list(ports: list[Object]) -> Errors:
    taken: set[str] = set()
    for index, port in enumerate(ports):
        path, name = f"spec.ports[{index}]", port.get("name", "")
        if name:
            yield from dns_label(f"{path}.name", name)
            if name in taken:
                yield duplicate(f"{path}.name", name)
            taken.add(name)
        elif len(ports) > 1:
            yield required(f"{path}.name")
        yield from port_number(f"{path}.port", port["port"])
        yield from one_of(f"{path}.protocol", port["protocol"], _PROTOCOLS)
        yield from port_number_or_name(f"{path}.targetPort", port["targetPort"])
        if "appProtocol" in port:
            yield from qualified(f"{path}.appProtocol", port["appProtocol"])


def _affinity(spec: Object) -> Errors:
    affinity = spec["sessionAffinity"]
    yield from one_of("spec.sessionAffinity", affinity, ("ClientIP", "None"))
    if affinity == "ClientIP":
        seconds = spec["sessionAffinityConfig"]["clientIP"]["timeoutSeconds"]
        if not 0 < seconds <= _LONGEST_AFFINITY:
            path = "spec.sessionAffinityConfig.clientIP.timeoutSeconds"
            yield invalid(path, seconds, f"must be greater than 0 and less than {_LONGEST_AFFINITY}")


def address_errors(spec: Object) -> Errors:
    """What is wrong with addresses and their families."""
    addresses, families = spec.get("clusterIPs", []), spec.get("ipFamilies", [])
    if addresses and addresses[0] != spec.get("clusterIP"):
        yield invalid("spec.clusterIPs", addresses, "first value must match `clusterIP`")
    for index, family in enumerate(families):
        if family not in {"IPv4", "IPv6"}:
            yield not_supported(f"spec.ipFamilies[{index}]", family, ("IPv4", "IPv6"))
        if family in families[:index]:
            yield duplicate(f"spec.ipFamilies[{index}]", family)
    if "ipFamilyPolicy" in spec:
        policies = ("PreferDualStack", "RequireDualStack", "SingleStack")
        yield from one_of("spec.ipFamilyPolicy", spec["ipFamilyPolicy"], policies)
    problems = list(_address_problems(addresses))
    yield from problems
    if not problems:
        yield from _address_families(addresses, families)


def _address_problems(addresses: list[str]) -> Errors:
    if addresses[:1] == ["None"] and len(addresses) > 1:
        yield invalid("spec.clusterIPs", addresses, "'None' must be the first and only value")
    for index, address in enumerate(addresses):
        if index or address != "None":
            yield from ip_address(f"spec.clusterIPs[{index}]", address)
    if len(addresses) > 2:
        yield invalid("spec.clusterIPs", addresses, "may only hold up to 2 values")


def _address_families(addresses: list[str], families: list[str]) -> Errors:
    versions = [f"IPv{ipaddress.ip_address(each).version}" for each in addresses if each != "None"]
    if len(versions) > 1 and len(set(versions)) == 1:
        yield invalid("spec.clusterIPs", addresses, "may specify no more than one IP for each IP family")
    for index, (found, wanted) in enumerate(zip(versions, families, strict=False)):
        if found != wanted:
            why = f"expected an {wanted} value as indicated by `ipFamilies[{index}]`"
            yield invalid(f"spec.clusterIPs[{index}]", addresses[index], why)


def _unique_ports(kind: str, ports: list[Object]) -> Errors:
    if kind == "ClusterIP":
        for index, port in enumerate(ports):
            if port.get("nodePort"):
                yield forbidden(f"spec.ports[{index}].nodePort", "may not be used when `type` is 'ClusterIP'")
    for index, port in enumerate(ports):
        earlier = ports[:index]
        number = port.get("nodePort", 0)
        if number and any((each.get("nodePort"), each["protocol"]) == (number, port["protocol"]) for each in earlier):
            yield duplicate(f"spec.ports[{index}].nodePort", number)
    for index, port in enumerate(ports):
        key = (port["port"], port["protocol"])
        if any((each["port"], each["protocol"]) == key for each in ports[:index]):
            yield FieldError("FieldValueDuplicate", f"spec.ports[{index}]", f"Duplicate value: {_go_port(*key)}")


def _go_port(number: int, protocol: str) -> str:
    """The key that the original compares with: a port of the internal type with nothing else set."""
    port = {"Name": "", "Protocol": protocol, "AppProtocol": None, "Port": number, "TargetPort": 0, "NodePort": 0}
    return json.dumps(port, separators=(",", ":"))


def _load_balancer(spec: Object) -> Errors:
    if spec["type"] == "LoadBalancer":
        return
    if spec.get("loadBalancerSourceRanges"):
        yield forbidden("spec.LoadBalancerSourceRanges", "may only be used when `type` is 'LoadBalancer'")
    if "allocateLoadBalancerNodePorts" in spec:
        yield forbidden("spec.allocateLoadBalancerNodePorts", "may only be used when `type` is 'LoadBalancer'")
    if "loadBalancerClass" in spec:
        yield forbidden("spec.loadBalancerClass", "may only be used when `type` is 'LoadBalancer'")


def _traffic(spec: Object) -> Errors:
    policy = spec.get("externalTrafficPolicy", "")
    if is_externally_accessible(spec):
        yield from one_of("spec.externalTrafficPolicy", policy, _POLICIES)
    elif policy:
        why = "may only be set for externally-accessible services"
        yield invalid("spec.externalTrafficPolicy", policy, why)
    if spec.get("healthCheckNodePort") and not (spec["type"] == "LoadBalancer" and policy == "Local"):
        why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        yield invalid("spec.healthCheckNodePort", spec["healthCheckNodePort"], why)
    if "internalTrafficPolicy" in spec and spec["internalTrafficPolicy"] not in _POLICIES:
        yield not_supported("spec.internalTrafficPolicy", spec["internalTrafficPolicy"], _POLICIES)
    if "trafficDistribution" in spec and spec["trafficDistribution"] not in _DISTRIBUTIONS:
        yield not_supported("spec.trafficDistribution", spec["trafficDistribution"], _DISTRIBUTIONS)


def update_errors(spec: Object, old: Object) -> Errors:
    """A service keeps the address that it has."""
    if "ExternalName" in {spec["type"], old["type"]} or (is_headless(spec) and is_headless(old)):
        return
    addresses, before = spec.get("clusterIPs", []), old.get("clusterIPs", [])
    if before and not addresses:
        yield invalid("spec.clusterIPs[0]", addresses or None, "primary clusterIP can not be unset")
    elif len(before) == len(addresses):
        for index, address in enumerate(before):
            if address != addresses[index]:
                yield invalid(f"spec.clusterIPs[{index}]", addresses, "may not change once set")
    elif before and addresses[0] != before[0]:
        yield invalid("spec.clusterIPs[0]", addresses, "may not change once set")


def status_errors(obj: Object) -> Errors:
    """Only a load balancer has an address outside."""
    path, ingress = "status.loadBalancer.ingress", obj["status"].get("loadBalancer", {}).get("ingress", [])
    if ingress and obj["spec"]["type"] != "LoadBalancer":
        yield forbidden(path, "may only be used when `spec.type` is 'LoadBalancer'")
        return
    for index, each in enumerate(ingress):
        at = f"{path}[{index}]"
        if each.get("ip"):
            yield from ip_address(f"{at}.ip", each["ip"])
        if each.get("hostname"):
            yield from subdomain(f"{at}.hostname", each["hostname"])
            if _is_address(each["hostname"]):
                yield invalid(f"{at}.hostname", each["hostname"], "must be a DNS name, not an IP address")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
