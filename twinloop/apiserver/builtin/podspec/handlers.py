"""Probes and lifecycle hooks of a container.

`containers.py` calls `probes` and `lifecycle`.
"""

from __future__ import annotations

import re
from typing import Any

from twinloop.apiserver.builtin.checks import Errors, not_negative, one_of, port_number, port_number_or_name
from twinloop.apiserver.fielderrors import forbidden, invalid, required

Object = dict[str, Any]

PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_ACTIONS = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")
_COUNTS = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
_HEADER = re.compile(r"[-A-Za-z0-9]+").fullmatch
_HEADER_MESSAGE = (
    "a valid HTTP header must consist of alphanumeric characters or '-' "
    "(e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')"
)


def probes(path: str, container: Object, grace: int | None) -> Errors:
    """The three probes."""
    for name in PROBES:
        if name in container:
            yield from _probe(f"{path}.{name}", name, container[name], grace)


def _probe(path: str, name: str, probe: Object, grace: int | None) -> Errors:
    yield from handler(path, probe, grace)
    for field in _COUNTS:
        yield from not_negative(f"{path}.{field}", probe.get(field, 0))
    seconds = probe.get("terminationGracePeriodSeconds")
    if seconds is not None and seconds <= 0:
        yield invalid(f"{path}.terminationGracePeriodSeconds", seconds, "must be greater than 0")
    if name == "readinessProbe":
        if seconds is not None:
            yield invalid(f"{path}.terminationGracePeriodSeconds", seconds, "must not be set for readinessProbes")
    elif probe["successThreshold"] != 1:
        yield invalid(f"{path}.successThreshold", probe["successThreshold"], "must be 1")


def lifecycle(path: str, container: Object, grace: int | None, system: str) -> Errors:
    """The hooks after start and before stop, and the signal to stop with."""
    hooks = container.get("lifecycle", {})
    for name in ("postStart", "preStop"):
        if name in hooks:
            yield from handler(f"{path}.lifecycle.{name}", hooks[name], grace)
    if "stopSignal" in hooks and not system:
        yield forbidden(f"{path}.lifecycle.stopSignal", "may not be set for containers with empty `spec.os.name`")


def handler(path: str, found: Object, grace: int | None) -> Errors:
    """Exactly one way to act."""
    actions = [name for name in _ACTIONS if name in found]
    if not actions:
        yield required(path, "must specify a handler type")
        return
    yield from _action(f"{path}.{actions[0]}", actions[0], found[actions[0]], grace)
    for name in actions[1:]:
        yield forbidden(f"{path}.{name}", "may not specify more than 1 handler type")


def _action(path: str, name: str, action: Object, grace: int | None) -> Errors:
    if name == "exec":
        if not action.get("command"):
            yield required(f"{path}.command")
    elif name == "httpGet":
        yield from _http(path, action)
    elif name == "tcpSocket":
        yield from port_number_or_name(f"{path}.port", action["port"])
    elif name == "grpc":
        yield from port_number(f"{path}.port", action["port"])
    elif grace is not None and not 0 <= action["seconds"] <= grace:
        yield invalid(
            path, action["seconds"], f"must be non-negative and less than terminationGracePeriodSeconds ({grace})"
        )


def _http(path: str, action: Object) -> Errors:
    yield from port_number_or_name(f"{path}.port", action["port"])
    yield from one_of(f"{path}.scheme", action["scheme"], ("HTTP", "HTTPS"))
    for header in action.get("httpHeaders", ()):
        if not _HEADER(header["name"]):
            yield invalid(f"{path}.httpHeaders", header["name"], _HEADER_MESSAGE)
