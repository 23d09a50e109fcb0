"""Services: stored and checked, with an address of their own and nothing that would answer there.

`served.py` registers the strategy. Addresses and node ports are not drawn from a pool: they follow from the name, so
that the server need not remember what is taken.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Mapping
from typing import Any

from twinloop.apiserver import failures, names
from twinloop.apiserver.builtin import labelselectors
from twinloop.apiserver.builtin.base import SpecStatusStrategy
from twinloop.apiserver.builtin.service_validation import (
    address_errors,
    is_headless,
    spec_errors,
    status_errors,
    update_errors,
)
from twinloop.apiserver.builtin.simple import age
from twinloop.apiserver.fielderrors import FieldError
from twinloop.apiserver.strategy import Object

_ADDRESSES = ipaddress.ip_network("10.96.0.0/16")
_NODE_PORTS = range(30000, 32768)
_CLIENT_IP_SECONDS = 10800
_EXTERNAL = {"NodePort", "LoadBalancer"}
_INTERNAL = {"ClusterIP", *_EXTERNAL}


class ServiceStrategy(SpecStatusStrategy):
    """Services."""

    generation = False
    allow_create_on_update = True
    returns_deleted = True

    def default(self, obj: Object) -> None:
        """Type, affinity, ports, traffic policies."""
        spec = obj["spec"]
        spec.setdefault("sessionAffinity", "None")
        _default_affinity(spec)
        spec.setdefault("type", "ClusterIP")
        for port in spec.get("ports", ()):
            port.setdefault("protocol", "TCP")
            if port["targetPort"] in {0, ""}:
                port["targetPort"] = port["port"]
        if _externally_accessible(spec):
            spec.setdefault("externalTrafficPolicy", "Cluster")
        if spec["type"] in _INTERNAL:
            spec.setdefault("internalTrafficPolicy", "Cluster")
        if spec["type"] == "LoadBalancer":
            spec.setdefault("allocateLoadBalancerNodePorts", True)

    def prepare_create(self, obj: Object, now: float) -> None:
        """Addresses and ports."""
        super().prepare_create(obj, now)
        _same_addresses(obj["spec"])
        _drop_internal_policy(obj["spec"])
        _allocate(obj)

    def prepare_update(self, obj: Object, old: Object, subresource: str) -> None:
        """What was allocated stays, unless the new type has no use for it."""
        if not subresource:
            _carry_over(obj["spec"], old["spec"])
            _drop_what_the_type_lacks(obj["spec"], old["spec"])
            _allocate(obj)
        super().prepare_update(obj, old, subresource)
        _drop_internal_policy(obj["spec"])
        if not subresource and obj["spec"]["type"] != "LoadBalancer":
            obj["status"]["loadBalancer"] = {}

    def empty_status(self) -> dict[str, Any]:
        """No load balancer yet."""
        return {"loadBalancer": {}}

    def validate(self, obj: Object) -> list[FieldError]:
        """See `service_validation.py`."""
        return list(spec_errors(obj["spec"]))

    def validate_update(self, obj: Object, old: Object, subresource: str) -> list[FieldError]:
        """And that the address stays."""
        if subresource == "status":
            return list(status_errors(obj))
        return [*update_errors(obj["spec"], old["spec"]), *spec_errors(obj["spec"])]

    def validate_name(self, name: str, *, prefix: bool) -> list[str]:
        """A DNS label that begins with a letter."""
        return names.dns_1035_label(name, prefix=prefix)

    def warnings(self, obj: Object, old: Object | None) -> list[str]:
        """Fields that the type ignores."""
        del old
        return _warnings(obj["spec"])

    def selectable(self, obj: Mapping[str, Any]) -> dict[str, str]:
        """Address and type."""
        return {"spec.clusterIP": obj["spec"].get("clusterIP", ""), "spec.type": obj["spec"].get("type", "")}

    def selectable_names(self) -> frozenset[str]:
        """Address and type."""
        return frozenset({"spec.clusterIP", "spec.type"})

    def unknown_field(self, name: str) -> str:
        """Words of the core group."""
        return f"field label not supported: {name}"

    def cells(self, obj: Object, now: float) -> list[Any]:
        """Name, type, addresses, ports, age, selector."""
        spec = obj["spec"]
        return [
            obj["metadata"]["name"],
            spec["type"],
            (spec.get("clusterIPs") or ["<none>"])[0],
            _external_address(spec, obj.get("status", {})),
            ",".join(_port_text(port) for port in spec.get("ports", ())) or "<none>",
            age(obj, now),
            labelselectors.printed_labels(spec.get("selector")),
        ]


def _default_affinity(spec: Object) -> None:
    if spec["sessionAffinity"] == "None":
        spec.pop("sessionAffinityConfig", None)
    elif spec["sessionAffinity"] == "ClientIP":
        seconds = spec.get("sessionAffinityConfig", {}).get("clientIP", {}).get("timeoutSeconds")
        if seconds is None:
            spec["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": _CLIENT_IP_SECONDS}}


def _externally_accessible(spec: Object) -> bool:
    return spec["type"] in _EXTERNAL or (spec["type"] == "ClusterIP" and bool(spec.get("externalIPs")))


# ------------------------------------------------------------------ addresses and ports


def _drop_internal_policy(spec: Object) -> None:
    """A name for something outside has no endpoints to choose from."""
    if spec["type"] == "ExternalName":
        spec.pop("internalTrafficPolicy", None)


def _same_addresses(spec: Object) -> None:
    """clusterIP is the first of clusterIPs; clients of old know the one alone."""
    if spec.get("clusterIP") and not spec.get("clusterIPs"):
        spec["clusterIPs"] = [spec["clusterIP"]]


def _allocate(obj: Object) -> None:
    spec = obj["spec"]
    if spec["type"] == "ExternalName":
        return
    problems = list(address_errors(spec))
    if problems:
        raise failures.invalid("", "Service", obj["metadata"].get("name", ""), problems)
    seed = f"{obj['metadata'].get('namespace', '')}/{obj['metadata'].get('name', '')}"
    if not spec.get("clusterIP"):
        spec["clusterIP"] = _address_of(seed)
    spec.setdefault("clusterIPs", [spec["clusterIP"]])
    _families(spec)
    if spec["type"] in _EXTERNAL and spec.get("allocateLoadBalancerNodePorts", True):
        _node_ports(spec, seed)


def _families(spec: Object) -> None:
    """One family, but for a service without address or selector, which may have endpoints of both."""
    if is_headless(spec) and not spec.get("selector"):
        spec.setdefault("ipFamilyPolicy", "RequireDualStack")
        spec.setdefault("ipFamilies", ["IPv4", "IPv6"])
    else:
        spec.setdefault("ipFamilyPolicy", "SingleStack")
        spec.setdefault("ipFamilies", ["IPv4"])


def _address_of(seed: str) -> str:
    usable = _ADDRESSES.num_addresses - 512  # the first addresses are for services that ask for one
    return str(_ADDRESSES[256 + _number_of(seed) % usable])


def _node_ports(spec: Object, seed: str) -> None:
    taken = {port["nodePort"] for port in spec.get("ports", ()) if port.get("nodePort")}
    for port in spec.get("ports", ()):
        if not port.get("nodePort"):
            number = _number_of(f"{seed}/{port.get('name', '')}") % len(_NODE_PORTS)
            while _NODE_PORTS[number] in taken:
                number = (number + 1) % len(_NODE_PORTS)
            port["nodePort"] = _NODE_PORTS[number]
            taken.add(port["nodePort"])


def _number_of(seed: str) -> int:
    return int.from_bytes(hashlib.blake2b(seed.encode(), digest_size=8).digest(), "big")


def _carry_over(spec: Object, old: Object) -> None:
    """What an update leaves out and the server once filled in."""
    if "ExternalName" not in {spec["type"], old["type"]}:
        moved = spec.get("clusterIP") and spec.get("clusterIP") != old.get("clusterIP")
        if moved and spec.get("clusterIPs", old.get("clusterIPs")) == old.get("clusterIPs"):
            spec["clusterIPs"] = [spec["clusterIP"]]
        for name in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
            if not spec.get(name) and old.get(name):
                spec[name] = old[name]
    if spec["type"] in _EXTERNAL and old["type"] in _EXTERNAL:
        before = {port.get("name", ""): port.get("nodePort", 0) for port in old.get("ports", ())}
        used = {port.get("nodePort", 0) for port in spec.get("ports", ())}
        for port in spec.get("ports", ()):
            number = before.get(port.get("name", ""), 0)
            if not port.get("nodePort") and number and number not in used:
                port["nodePort"] = number


def _drop_what_the_type_lacks(spec: Object, old: Object) -> None:
    if spec["type"] == "ExternalName" != old["type"]:
        for name in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
            if spec.get(name) == old.get(name):
                spec.pop(name, None)
    if spec["type"] not in _EXTERNAL and old["type"] in _EXTERNAL:
        before = [port.get("nodePort") for port in old.get("ports", ())]
        if [port.get("nodePort") for port in spec.get("ports", ())] == before:
            for port in spec.get("ports", ()):
                port.pop("nodePort", None)
    if _externally_accessible(old) and not _externally_accessible(spec):
        _drop_same(spec, old, "externalTrafficPolicy")
    if spec["type"] != "LoadBalancer" == old["type"]:
        _drop_same(spec, old, "allocateLoadBalancerNodePorts")


def _drop_same(spec: Object, old: Object, name: str) -> None:
    if spec.get(name) == old.get(name):
        spec.pop(name, None)


# ------------------------------------------------------------------ what people see


def _warnings(spec: Object) -> list[str]:
    found = []
    if is_headless(spec):
        if spec.get("loadBalancerIP"):
            found.append("spec.loadBalancerIP is ignored for headless services")
        if spec.get("externalIPs"):
            found.append("spec.externalIPs is ignored for headless services")
        if spec["sessionAffinity"] != "None":
            found.append("spec.SessionAffinity is ignored for headless services")
    if spec["type"] == "ExternalName":
        if spec.get("externalIPs"):
            found.append('spec.externalIPs is ignored when spec.type is "ExternalName"')
    elif spec.get("externalName"):
        found.append('spec.externalName is ignored when spec.type is not "ExternalName"')
    return found


def _external_address(spec: Object, status: Object) -> str:
    if spec["type"] == "ExternalName":
        return str(spec.get("externalName", ""))
    addresses = list(spec.get("externalIPs", ()))
    if spec["type"] != "LoadBalancer":
        return ",".join(addresses) or "<none>"
    ingress = status.get("loadBalancer", {}).get("ingress", ())
    shown = ",".join(sorted({each.get("ip") or each.get("hostname", "") for each in ingress} - {""}))
    return ",".join([*filter(None, [shown]), *addresses]) or "<pending>"


def _port_text(port: Object) -> str:
    node_port = f":{port['nodePort']}" if port.get("nodePort") else ""
    return f"{port['port']}{node_port}/{port['protocol']}"
