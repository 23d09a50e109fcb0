"""Environment variables of a container: names, and where values come from.

`containers.py` calls `variables` and `sources`; `volumes.py` uses the downward API's rules too.
"""

from __future__ import annotations

from typing import Any

from twinloop.apiserver import names
from twinloop.apiserver.builtin import quantities
from twinloop.apiserver.builtin.checks import Errors, config_key_problems, qualified, words
from twinloop.apiserver.fielderrors import invalid, not_supported, required

Object = dict[str, Any]

ENV_FIELDS = (
    "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName",
    "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs",
)  # fmt: skip
VOLUME_FIELDS = ("metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid")
# What the downward API knows of a pod; a path outside is an error of another kind.
_KNOWN_FIELDS = {*ENV_FIELDS, *VOLUME_FIELDS, "spec.restartPolicy", "spec.schedulerName", "status.phase"}
RESOURCE_FIELDS = (
    "limits.cpu", "limits.ephemeral-storage", "limits.memory",
    "requests.cpu", "requests.ephemeral-storage", "requests.memory",
)  # fmt: skip
_HUGE_PAGES = ("requests.hugepages-", "limits.hugepages-")
_SIZES = ("1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei")
_SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
_ONE_SOURCE = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"
_NAME_MESSAGE = "a valid environment variable name must consist only of printable ASCII characters other than '='"


def name_problems(value: str) -> list[str]:
    """What is wrong with the name of a variable."""
    found = [] if value else ["environment variable name must be non-empty"]
    if not all(" " <= each <= "~" and each != "=" for each in value):
        found.append(_NAME_MESSAGE)
    return found


def variables(path: str, container: Object) -> Errors:
    """`env`."""
    for index, variable in enumerate(container.get("env", ())):
        at = f"{path}[{index}]"
        if not variable["name"]:
            yield required(f"{at}.name")
        else:
            yield from words(f"{at}.name", variable["name"], name_problems(variable["name"]))
        if "valueFrom" in variable:
            yield from _value_from(f"{at}.valueFrom", variable)


def _value_from(path: str, variable: Object) -> Errors:
    source = variable["valueFrom"]
    if "fieldRef" in source:
        yield from field_reference(f"{path}.fieldRef", source["fieldRef"], ENV_FIELDS)
    if "resourceFieldRef" in source:
        yield from resource_reference(f"{path}.resourceFieldRef", source["resourceFieldRef"], volume=False)
    for name in ("configMapKeyRef", "secretKeyRef"):
        if name in source:
            yield from _key_reference(f"{path}.{name}", source[name])
    count = sum(name in source for name in _SOURCES)
    if count == 0:
        yield invalid(path, "", _ONE_SOURCE)
    elif variable.get("value"):
        yield invalid(path, "", "may not be specified when `value` is not empty")
    elif count > 1:
        yield invalid(path, "", "may not have more than one field specified at a time")


def field_reference(path: str, reference: Object, supported: tuple[str, ...]) -> Errors:
    """A field of the pod: ObjectFieldSelector."""
    field = reference["fieldPath"]
    if not field:
        yield required(f"{path}.fieldPath")
        return
    name, subscript = _split_subscript(field)
    problem = _conversion_problem(reference, field, name, subscript)
    if problem:
        yield invalid(f"{path}.fieldPath", field, f"error converting fieldPath: {problem}")
    elif subscript is not None:
        yield from qualified(path, subscript.lower() if name == "metadata.annotations" else subscript)
    elif field not in supported:
        yield not_supported(f"{path}.fieldPath", field, supported)


def _conversion_problem(reference: Object, field: str, name: str, subscript: str | None) -> str:
    if reference.get("apiVersion") != "v1":
        return f"unsupported pod version: {reference.get('apiVersion')}"
    if subscript is not None:
        known = name in {"metadata.annotations", "metadata.labels"}
        return "" if known else f"field label does not support subscript: {field}"
    return "" if field in _KNOWN_FIELDS else f"field label not supported: {field}"


def _split_subscript(field: str) -> tuple[str, str | None]:
    if field.endswith("']") and "['" in field:
        name, _, rest = field.partition("['")
        return name, rest[:-2]
    return field, None


def resource_reference(path: str, reference: Object, *, volume: bool) -> Errors:
    """A request or limit of a container: ResourceFieldSelector."""
    resource = reference["resource"]
    if volume and not reference.get("containerName"):
        yield required(f"{path}.containerName")
    elif not resource:
        yield required(f"{path}.resource")
    elif resource not in RESOURCE_FIELDS and not resource.startswith(_HUGE_PAGES):
        yield not_supported(f"{path}.resource", resource, RESOURCE_FIELDS)
    yield from _divisor(f"{path}.divisor", resource, reference.get("divisor", "0"))


def _divisor(path: str, resource: str, divisor: str) -> Errors:
    if not quantities.amount(divisor):
        return
    kind = resource.partition(".")[2]
    if kind == "cpu" and divisor not in {"1m", "1"}:
        yield invalid(path, resource, "only divisor's values 1m and 1 are supported with the cpu resource")
    called = {"memory": "memory", "ephemeral-storage": "local ephemeral storage"}.get(kind)
    called = "hugepages" if kind.startswith("hugepages-") else called
    if called and divisor not in _SIZES:
        yield invalid(
            path, resource, f"only divisor's values {', '.join(_SIZES)} are supported with the {called} resource"
        )


def _key_reference(path: str, reference: Object) -> Errors:
    name = reference.get("name", "")
    yield from words(f"{path}.name", name, names.subdomain(name))
    if not reference["key"]:
        yield required(f"{path}.key")
    else:
        yield from words(f"{path}.key", reference["key"], config_key_problems(reference["key"]))


def sources(path: str, container: Object) -> Errors:
    """`envFrom`; the original reports a missing source at the list, not at its entry."""
    for index, source in enumerate(container.get("envFrom", ())):
        at = f"{path}[{index}]"
        if source.get("prefix"):
            yield from words(f"{at}.prefix", source["prefix"], name_problems(source["prefix"]))
        found = [name for name in ("configMapRef", "secretRef") if name in source]
        for name in found:
            yield from _source_name(f"{at}.{name}.name", source[name].get("name", ""))
        if not found:
            yield invalid(path, "", "must specify one of: `configMapRef` or `secretRef`")
        elif len(found) > 1:
            yield invalid(path, "", "may not have more than one field specified at a time")


def _source_name(path: str, name: str) -> Errors:
    if not name:
        yield required(path)
    else:
        yield from words(path, name, names.dns_subdomain(name, prefix=True))
