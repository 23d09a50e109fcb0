"""The rules of a PodSpec as a whole, in the order in which Kubernetes applies them.

`pods.py` and `deployments.py` call `check`; `pods.py` adds `only_pods`.
"""

from __future__ import annotations

import re
from typing import Any

from twinloop.apiserver import names
from twinloop.apiserver.builtin.checks import Errors, dns_label, ip_address, labels, one_of, qualified, subdomain, words
from twinloop.apiserver.builtin.podspec import containers, resources, scheduling, security, volumes
from twinloop.apiserver.fielderrors import FieldError, forbidden, invalid, not_supported, required

Object = dict[str, Any]

RESTART_POLICIES = ("Always", "OnFailure", "Never")
DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
INT32_MAX = 2**31 - 1
_LONGEST_DOMAIN = 253
_SEARCH_PATTERN = r"_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*"
_SEARCH_DOMAIN = re.compile(_SEARCH_PATTERN).fullmatch
_SEARCH_MESSAGE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start "
    f"and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '{_SEARCH_PATTERN}')"
)
_MOST_NAMESERVERS, _MOST_SEARCHES, _LONGEST_SEARCH = 3, 32, 2048


def check(path: str, spec: Object, *, pod: bool) -> list[FieldError]:
    """What is wrong with a PodSpec; `pod`: it is a pod's own and not a template's."""
    errors: list[FieldError] = []
    valid = volumes.volumes(f"{path}.volumes", spec.get("volumes", ()), errors)
    around = containers.Surroundings(
        valid,
        spec["restartPolicy"],
        spec.get("terminationGracePeriodSeconds"),
        spec.get("os", {}).get("name", ""),
        host_users=spec.get("hostUsers", True),
    )
    regular, initial = spec["containers"] or [], spec.get("initContainers", ())
    errors += containers.regular(f"{path}.containers", regular, around)
    errors += containers.initial(f"{path}.initContainers", initial, regular, around)
    if "ephemeralContainers" in spec:
        others = [*regular, *initial]
        errors += containers.ephemeral(f"{path}.ephemeralContainers", spec["ephemeralContainers"], others, around)
    errors += _policies(path, spec, pod=pod)
    errors += _placement(path, spec)
    errors += _names(path, spec)
    errors += _rest(path, spec)
    return errors


def _policies(path: str, spec: Object, *, pod: bool) -> Errors:
    if "resources" in spec:
        found = resources.requirements(f"{path}.resources", spec["resources"], resources.pod_resource_name)
        yield from found
    if spec.get("hostNetwork"):
        yield from _host_network_ports(f"{path}.containers", spec, pod=pod)
    yield from one_of(f"{path}.restartPolicy", spec["restartPolicy"], RESTART_POLICIES)
    yield from one_of(f"{path}.dnsPolicy", spec["dnsPolicy"], DNS_POLICIES)
    yield from labels(f"{path}.nodeSelector", spec.get("nodeSelector"))
    yield from security.pod(f"{path}.securityContext", spec["securityContext"], spec)


def _host_network_ports(path: str, spec: Object, *, pod: bool) -> Errors:
    for index, container in enumerate(spec["containers"] or ()):
        for number, port in enumerate(container.get("ports", ())):
            host = port.get("hostPort", 0)
            if (pod or host) and host != port["containerPort"]:
                why = "must match `containerPort` when `hostNetwork` is true"
                yield invalid(f"{path}[{index}].ports[{number}].hostPort", host, why)


def _placement(path: str, spec: Object) -> Errors:
    if "affinity" in spec:
        yield from scheduling.affinity(f"{path}.affinity", spec["affinity"])
    yield from _dns(f"{path}.dnsConfig", spec)
    for index, gate in enumerate(spec.get("readinessGates", ())):
        yield from qualified(f"{path}.readinessGates[{index}].conditionType", gate["conditionType"])
    yield from scheduling.gates(f"{path}.schedulingGates", spec.get("schedulingGates", ()))
    yield from scheduling.spread(f"{path}.topologySpreadConstraints", spec.get("topologySpreadConstraints", []))
    if spec.get("hostUsers") is False:
        for name, shown in (("hostNetwork", "hostNetwork"), ("hostPID", "HostPID"), ("hostIPC", "HostIPC")):
            if spec.get(name):
                yield forbidden(f"{path}.{shown}", "when `hostUsers` is false")


def _names(path: str, spec: Object) -> Errors:
    for name in ("serviceAccountName", "nodeName"):
        if spec.get(name):
            yield from words(f"{path}.{name}", spec[name], names.subdomain(spec[name]))
    seconds = spec.get("activeDeadlineSeconds")
    if seconds is not None and not 1 <= seconds <= INT32_MAX:
        yield invalid(f"{path}.activeDeadlineSeconds", seconds, f"must be between 1 and {INT32_MAX}, inclusive")
    for name in ("hostname", "subdomain"):
        if spec.get(name):
            yield from dns_label(f"{path}.{name}", spec[name])


def _rest(path: str, spec: Object) -> Errors:
    yield from scheduling.tolerations(f"{path}.tolerations", spec.get("tolerations", ()))
    for index, alias in enumerate(spec.get("hostAliases", ())):
        yield from ip_address(f"{path}.hostAliases[{index}].ip", alias["ip"])
        for number, name in enumerate(alias.get("hostnames", ())):
            yield from subdomain(f"{path}.hostAliases[{index}].hostnames[{number}]", name)
    if spec.get("priorityClassName"):
        yield from subdomain(f"{path}.priorityClassName", spec["priorityClassName"])
    if "runtimeClassName" in spec:
        yield from subdomain(f"{path}.runtimeClassName", spec["runtimeClassName"])
    if "preemptionPolicy" in spec:
        policies = ("PreemptLowerPriority", "Never")
        yield from one_of(f"{path}.preemptionPolicy", spec["preemptionPolicy"], policies)
    if "overhead" in spec:
        yield from resources.requirements(f"{path}.overhead", {"limits": spec["overhead"]})
    system = spec.get("os", {"name": "linux"})["name"]
    if not system:
        yield required(f"{path}.os.name")
    elif system not in {"linux", "windows"}:
        yield not_supported(f"{path}.os", spec["os"]["name"], ("linux", "windows"))


def _dns(path: str, spec: Object) -> Errors:
    config = spec.get("dnsConfig")
    if spec["dnsPolicy"] == "None":
        if config is None:
            yield required(path, "must provide `dnsConfig` when `dnsPolicy` is None")
            return
        if not config.get("nameservers"):
            yield required(f"{path}.nameservers", "must provide at least one DNS nameserver when `dnsPolicy` is None")
            return
    if config:
        yield from _dns_servers(f"{path}.nameservers", config.get("nameservers", []))
        yield from _dns_searches(f"{path}.searches", config.get("searches", []))
        for index, option in enumerate(config.get("options", ())):
            if not option.get("name"):
                yield required(f"{path}.options[{index}]", "must not be empty")


def _dns_servers(path: str, servers: list[str]) -> Errors:
    if len(servers) > _MOST_NAMESERVERS:
        yield invalid(path, servers, f"must not have more than {_MOST_NAMESERVERS} nameservers")
    for index, server in enumerate(servers):
        yield from ip_address(f"{path}[{index}]", server)


def _dns_searches(path: str, searches: list[str]) -> Errors:
    if len(searches) > _MOST_SEARCHES:
        yield invalid(path, searches, f"must not have more than {_MOST_SEARCHES} search paths")
    if len(" ".join(searches)) > _LONGEST_SEARCH:
        why = f"must not have more than {_LONGEST_SEARCH} characters (including spaces) in the search list"
        yield invalid(path, searches, why)
    for index, search in enumerate(searches):
        if search != ".":
            yield from _search_domain(f"{path}[{index}]", search.removesuffix("."))


def _search_domain(path: str, search: str) -> Errors:
    if len(search) > _LONGEST_DOMAIN:
        yield invalid(path, search, names.too_long(_LONGEST_DOMAIN))
    if not _SEARCH_DOMAIN(search):
        yield invalid(path, search, _SEARCH_MESSAGE)


def only_pods(path: str, spec: Object) -> Errors:
    """What is asked of a pod and not of a template."""
    if not spec.get("serviceAccountName"):
        for index, volume in enumerate(spec.get("volumes", ())):
            for number, source in enumerate(volume.get("projected", {}).get("sources") or ()):
                if "serviceAccountToken" in source:
                    at = f"{path}.volumes[{index}].projected.sources[{number}].serviceAccountToken"
                    yield forbidden(at, "must not be specified when serviceAccountName is not set")
    for name in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(name) or ()):
            yield from containers.untrimmed_image(f"{path}.{name}[{index}]", container)


def only_new_pods(path: str, spec: Object) -> Errors:
    """What is asked of a pod when it is created."""
    if spec.get("ephemeralContainers"):
        yield forbidden(f"{path}.ephemeralContainers", "cannot be set on create")
    if spec.get("nodeName") and spec.get("schedulingGates"):
        yield forbidden(f"{path}.nodeName", "cannot be set until all schedulingGates have been cleared")
