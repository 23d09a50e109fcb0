"""What an API server accepts in a pod and yet warns of: names, duplicates, fractions of bytes.

`pods.py` and `deployments.py` return this to the client as Warning headers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twinloop.apiserver import gofmt, names
from twinloop.apiserver.builtin import quantities

Object = dict[str, Any]

_SURPRISING = (
    "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; "
    "a DNS label is recommended: "
)
_OLD_NODE_LABELS = {
    "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
    "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
    "failure-domain.beta.kubernetes.io/region": 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
    "failure-domain.beta.kubernetes.io/zone": 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
    "beta.kubernetes.io/instance-type": 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
}
_KINDS = ("initContainers", "containers", "ephemeralContainers")


def warnings(obj: Object) -> list[str]:
    """The warnings about a new pod."""
    problems = names.label(obj["metadata"].get("name", ""))
    found = [f"{_SURPRISING}{gofmt.printed(problems)}"] if problems else []
    return [*found, *spec_warnings("spec", obj["spec"])]


def spec_warnings(path: str, spec: Object) -> Iterator[str]:
    """The warnings about a PodSpec at a path."""
    for label in sorted(_OLD_NODE_LABELS.keys() & spec.get("nodeSelector", {}).keys()):
        yield f"{path}.nodeSelector[{label}]: {_OLD_NODE_LABELS[label]}"
    yield from _twice(f"{path}.hostAliases", spec.get("hostAliases", ()), "ip")
    yield from _twice(f"{path}.imagePullSecrets", spec.get("imagePullSecrets", ()), "name")
    for index, secret in enumerate(spec.get("imagePullSecrets", ())):
        if not secret.get("name"):
            yield f'{path}.imagePullSecrets[{index}].name: invalid empty name ""'
    containers = [
        (f"{path}.{kind}[{index}]", each) for kind in _KINDS for index, each in enumerate(spec.get(kind) or ())
    ]
    for at, container in containers:
        yield from _fractions(at, container["resources"])
        yield from _hidden_variables(f"{at}.env", container.get("env", ()))
    yield from _ports(containers)
    if spec.get("terminationGracePeriodSeconds", 0) < 0:
        yield f"{path}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1"


def _twice(path: str, listed: Any, key: str) -> Iterator[str]:
    seen: set[str] = set()
    for index, each in enumerate(listed):
        value = each.get(key, "")
        if value in seen:
            yield f'{path}[{index}].{key}: duplicate {key} "{value}"'
        seen.add(value)


def _fractions(path: str, resources: Object) -> Iterator[str]:
    for name in ("memory", "ephemeral-storage"):
        for kind in ("limits", "requests"):
            value = resources.get(kind, {}).get(name, "0")
            if quantities.milli(value) % 1000:
                yield f'{path}.resources.{kind}[{name}]: fractional byte value "{value}" is invalid, must be an integer'


def _hidden_variables(path: str, variables: Any) -> Iterator[str]:
    seen: set[str] = set()
    for index, variable in enumerate(variables):
        name, value, reference = variable["name"], variable.get("value", ""), f"$({variable['name']})"
        refers = reference in value and value != reference and "valueFrom" not in variable
        if name in seen and not refers:
            yield f'{path}[{index}]: hides previous definition of "{name}", which may be dropped when using apply'
        seen.add(name)


def _ports(containers: list[tuple[str, Object]]) -> Iterator[str]:
    listed = [
        (f"{path}.ports[{index}]", port)
        for path, container in containers
        for index, port in enumerate(container.get("ports", ()))
    ]
    for number, (path, port) in enumerate(listed):
        for other_path, other in listed[:number]:
            if (port["containerPort"], port["protocol"]) == (other["containerPort"], other["protocol"]):
                yield from _port_clash(path, port, other_path, other)
    yield from _port_names(listed)


def _port_clash(path: str, port: Object, other_path: str, other: Object) -> Iterator[str]:
    host, other_host = port.get("hostPort", 0), other.get("hostPort", 0)
    address, other_address = port.get("hostIP", ""), other.get("hostIP", "")
    if (host, address) == (other_host, other_address):
        yield f"{path}: duplicate port definition with {other_path}"
    elif not host or not other_host:
        yield f"{path}: overlapping port definition with {other_path}"
    elif host == other_host and bool(address) != bool(other_address):
        yield f"{path}: dangerously ambiguous port definition with {other_path}"


def _port_names(listed: list[tuple[str, Object]]) -> Iterator[str]:
    seen: dict[str, str] = {}
    for path, port in listed:
        name = port.get("name", "")
        if name and name in seen:
            yield (
                f'{path}: duplicate port name "{name}" with {seen[name]}, '
                f"services and probes that select ports by name will use {seen[name]}"
            )
        elif name:
            seen[name] = path
