"""The addresses and node ports of Services: given to new ones, kept by updates, dropped with the type that had them.

`services.py` calls these when it prepares a write. Nothing is drawn from a pool: addresses and ports follow from the
name, so that the server need not remember what is taken.
"""

from __future__ import annotations

import hashlib
import ipaddress

from twinloop.apiserver import failures
from twinloop.apiserver.builtin.service_validation import (
    EXTERNAL_TYPES,
    address_errors,
    is_externally_accessible,
    is_headless,
)
from twinloop.apiserver.strategy import Object

_ADDRESSES = ipaddress.ip_network("10.96.0.0/16")
_NODE_PORTS = range(30000, 32768)


def drop_internal_policy(spec: Object) -> None:
    """A name for something outside has no endpoints to choose from."""
    if spec["type"] == "ExternalName":
        spec.pop("internalTrafficPolicy", None)


def same_addresses(spec: Object) -> None:
    """clusterIP is the first of clusterIPs; clients of old know the one alone."""
    if spec.get("clusterIP") and not spec.get("clusterIPs"):
        spec["clusterIPs"] = [spec["clusterIP"]]


def allocate(obj: Object) -> None:
    """Give a service the address and the node ports that it lacks; raises 422 for addresses that are none."""
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
    if spec["type"] in EXTERNAL_TYPES and spec.get("allocateLoadBalancerNodePorts", True):
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


def carry_over(spec: Object, old: Object) -> None:
    """What an update leaves out and the server once filled in."""
    if "ExternalName" not in {spec["type"], old["type"]}:
        moved = spec.get("clusterIP") and spec.get("clusterIP") != old.get("clusterIP")
        if moved and spec.get("clusterIPs", old.get("clusterIPs")) == old.get("clusterIPs"):
            spec["clusterIPs"] = [spec["clusterIP"]]
        for name in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
            if not spec.get(name) and old.get(name):
                spec[name] = old[name]
    if spec["type"] in EXTERNAL_TYPES and old["type"] in EXTERNAL_TYPES:
        before = {port.get("name", ""): port.get("nodePort", 0) for port in old.get("ports", ())}
        used = {port.get("nodePort", 0) for port in spec.get("ports", ())}
        for port in spec.get("ports", ()):
            number = before.get(port.get("name", ""), 0)
            if not port.get("nodePort") and number and number not in used:
                port["nodePort"] = number


def drop_what_the_type_lacks(spec: Object, old: Object) -> None:
    """Take out what another type had been given, unless the client changes it too."""
    if spec["type"] == "ExternalName" != old["type"]:
        for name in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
            if spec.get(name) == old.get(name):
                spec.pop(name, None)
    if spec["type"] not in EXTERNAL_TYPES and old["type"] in EXTERNAL_TYPES:
        before = [port.get("nodePort") for port in old.get("ports", ())]
        if [port.get("nodePort") for port in spec.get("ports", ())] == before:
            for port in spec.get("ports", ()):
                port.pop("nodePort", None)
    if is_externally_accessible(old) and not is_externally_accessible(spec):
        _drop_same(spec, old, "externalTrafficPolicy")
    if spec["type"] != "LoadBalancer" == old["type"]:
        _drop_same(spec, old, "allocateLoadBalancerNodePorts")


def _drop_same(spec: Object, old: Object, name: str) -> None:
    if spec.get(name) == old.get(name):
        spec.pop(name, None)
