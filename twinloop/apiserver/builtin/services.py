"""Services: stored and checked, with an address of their own and nothing that would answer there.

`served.py` registers the strategy. `service_addresses.py` gives it its address.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twinloop.apiserver import names
from twinloop.apiserver.builtin import labelselectors, service_addresses
from twinloop.apiserver.builtin.base import SpecStatusStrategy
from twinloop.apiserver.builtin.service_validation import (
    EXTERNAL_TYPES,
    is_externally_accessible,
    is_headless,
    spec_errors,
    status_errors,
    update_errors,
)
from twinloop.apiserver.builtin.simple import age
from twinloop.apiserver.fielderrors import FieldError
from twinloop.apiserver.strategy import Object

_CLIENT_IP_SECONDS = 10800
_INTERNAL = {"ClusterIP", *EXTERNAL_TYPES}


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
        if is_externally_accessible(spec):
            spec.setdefault("externalTrafficPolicy", "Cluster")
        if spec["type"] in _INTERNAL:
            spec.setdefault("internalTrafficPolicy", "Cluster")
        if spec["type"] == "LoadBalancer":
            spec.setdefault("allocateLoadBalancerNodePorts", True)

    def prepare_create(self, obj: Object, now: float) -> None:
        """Addresses and ports."""
        super().prepare_create(obj, now)
        service_addresses.same_addresses(obj["spec"])
        service_addresses.drop_internal_policy(obj["spec"])
        service_addresses.allocate(obj)

    def prepare_update(self, obj: Object, old: Object, subresource: str) -> None:
        """What was allocated stays, unless the new type has no use for it."""
        if not subresource:
            service_addresses.carry_over(obj["spec"], old["spec"])
            service_addresses.drop_what_the_type_lacks(obj["spec"], old["spec"])
            service_addresses.allocate(obj)
        super().prepare_update(obj, old, subresource)
        service_addresses.drop_internal_policy(obj["spec"])
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
