"""Containers of a pod: regular ones, those that run first, and sidecars among them.

`spec.py` calls `regular` and `initial`; environment, probes, resources, mounts and security have modules of their own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from twinloop.apiserver.builtin.checks import Errors, dns_label, one_of, port_name_problems, port_number, words
from twinloop.apiserver.builtin.podspec import env, handlers, mounts, resources, security
from twinloop.apiserver.fielderrors import duplicate, forbidden, invalid, required

Object = dict[str, Any]

PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_MESSAGE_POLICIES = ("File", "FallbackToLogsOnError")
_PROTOCOLS = ("SCTP", "TCP", "UDP")
_ONLY_SIDECARS = "may not be set for init containers without restartPolicy=Always"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the rules about a container need to know of its pod."""

    volumes: dict[str, Object]
    restart_policy: str
    grace: int | None
    system: str = ""
    host_users: bool = True


def regular(path: str, listed: list[Object] | None, around: Surroundings) -> Errors:
    """`containers`."""
    if not listed:
        yield required(path)
        return
    taken: set[str] = set()
    for index, container in enumerate(listed):
        at = f"{path}[{index}]"
        yield from common(at, container, around)
        if container["name"] in taken:
            yield duplicate(f"{at}.name", container["name"])
        taken.add(container["name"])
        if "lifecycle" in container:
            yield from handlers.lifecycle(at, container, around.grace, around.system)
        yield from handlers.probes(at, container, around.grace)
    yield from _host_ports(path, listed)


def initial(path: str, listed: Iterable[Object], others: Iterable[Object], around: Surroundings) -> Errors:
    """`initContainers`."""
    taken = {each["name"] for each in others}
    for index, container in enumerate(listed):
        at, policy = f"{path}[{index}]", container.get("restartPolicy")
        yield from common(at, container, around)
        if container["name"] in taken:
            yield duplicate(f"{at}.name", container["name"])
        elif container["name"]:
            taken.add(container["name"])
        yield from _host_ports(path, [container])
        if policy == "Always":
            yield from handlers.lifecycle(at, container, around.grace, around.system)
            yield from handlers.probes(at, container, around.grace)
        else:
            for name in ("lifecycle", *handlers.PROBES):
                if name in container:
                    yield forbidden(f"{at}.{name}", _ONLY_SIDECARS)


def ephemeral(path: str, listed: Iterable[Object], others: Iterable[Object], around: Surroundings) -> Errors:
    """`ephemeralContainers`, which a subresource adds that is not served; what else they may not have is not checked."""
    taken = {each["name"] for each in others}
    for index, container in enumerate(listed):
        at = f"{path}[{index}]"
        yield from common(at, container, around)
        yield from untrimmed_image(at, container)
        if container["name"] in taken:
            yield duplicate(f"{at}.name", container["name"])
        taken.add(container["name"])


def common(path: str, container: Object, around: Surroundings) -> Errors:
    """What every container has to keep to."""
    if not container["name"]:
        yield required(f"{path}.name")
    else:
        yield from dns_label(f"{path}.name", container["name"])
    if not container.get("image"):
        yield required(f"{path}.image")
    policy = container["terminationMessagePolicy"]
    yield from one_of(f"{path}.terminationMessagePolicy", policy, _MESSAGE_POLICIES)
    yield from _ports(f"{path}.ports", container)
    yield from env.variables(f"{path}.env", container)
    yield from env.sources(f"{path}.envFrom", container)
    yield from mounts.mounts(f"{path}.volumeMounts", container, around.volumes)
    yield from one_of(f"{path}.imagePullPolicy", container["imagePullPolicy"], PULL_POLICIES)
    yield from resources.requirements(f"{path}.resources", container["resources"])
    yield from _resize(f"{path}.resizePolicy", container, around.restart_policy)
    context = container.get("securityContext")
    yield from security.container(f"{path}.securityContext", context, host_users=around.host_users)


def _ports(path: str, container: Object) -> Errors:
    taken: set[str] = set()
    for index, port in enumerate(container.get("ports", ())):
        at = f"{path}[{index}]"
        if port.get("name"):
            yield from _port_name(f"{at}.name", port["name"], taken)
        if not port["containerPort"]:
            yield required(f"{at}.containerPort")
        else:
            yield from port_number(f"{at}.containerPort", port["containerPort"])
        if port.get("hostPort"):
            yield from port_number(f"{at}.hostPort", port["hostPort"])
        yield from one_of(f"{at}.protocol", port["protocol"], _PROTOCOLS)


def _port_name(path: str, name: str, taken: set[str]) -> Errors:
    problems = port_name_problems(name)
    if problems:
        yield from words(path, name, problems)
    elif name in taken:
        yield duplicate(path, name)
    else:
        taken.add(name)


def _host_ports(path: str, listed: list[Object]) -> Errors:
    taken: set[str] = set()
    for index, container in enumerate(listed):
        for number, port in enumerate(container.get("ports", ())):
            if port.get("hostPort"):
                key = f"{port['protocol']}/{port.get('hostIP', '')}/{port['hostPort']}"
                if key in taken:
                    yield duplicate(f"{path}[{index}].ports[{number}].hostPort", key)
                taken.add(key)


def _resize(path: str, container: Object, restart_policy: str) -> Errors:
    taken: set[str] = set()
    for index, policy in enumerate(container.get("resizePolicy", ())):
        resource, restart = policy["resourceName"], policy["restartPolicy"]
        if resource in taken:
            yield duplicate(f"{path}[{index}]", resource)
        taken.add(resource)
        yield from one_of(path, resource, ("cpu", "memory"))
        yield from one_of(path, restart, ("NotRequired", "RestartContainer"))
        if restart_policy == "Never" and restart != "NotRequired":
            yield invalid(path, restart, "must be 'NotRequired' when `restartPolicy` is 'Never'")


def untrimmed_image(path: str, container: Object) -> Errors:
    """What a pod refuses and a template does not."""
    image = container.get("image", "")
    if image != image.strip():
        yield invalid(f"{path}.image", image, "must not have leading or trailing whitespace")
