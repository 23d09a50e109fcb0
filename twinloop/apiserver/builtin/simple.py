"""The kinds that hold data and little else: ConfigMaps, Secrets, ServiceAccounts, Leases.

`served.py` registers these strategies.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from twinloop.apiserver import codec
from twinloop.apiserver.builtin.base import BuiltinStrategy
from twinloop.apiserver.builtin.checks import NOT_NEGATIVE, Errors, config_key_problems, words
from twinloop.apiserver.fielderrors import FieldError, forbidden, invalid, required, too_long
from twinloop.apiserver.publish.ages import age_of
from twinloop.apiserver.strategy import Object

LARGEST = 1024 * 1024  # bytes of data in a ConfigMap or Secret
_FROZEN = "field is immutable when `immutable` is set"
_REDACTED = "<secret contents redacted>"


def age(obj: Object, now: float) -> str:
    """The Age cell."""
    return age_of(obj["metadata"].get("creationTimestamp") or "", now)


def frozen(obj: Object, old: Object, names: Sequence[str]) -> Errors:
    """What `immutable: true` forbids."""
    if not old.get("immutable"):
        return
    if not obj.get("immutable"):
        yield forbidden("immutable", _FROZEN)
    for name in names:
        if obj.get(name) != old.get(name):
            yield forbidden(name, _FROZEN)


class ConfigMapStrategy(BuiltinStrategy):
    """ConfigMaps."""

    checks_metadata_again = True

    def validate(self, obj: Object) -> list[FieldError]:
        """Keys and size."""
        return list(_config_map_errors(obj))

    def validate_update(self, obj: Object, old: Object, subresource: str) -> list[FieldError]:
        """And what is frozen."""
        del subresource
        return [*frozen(obj, old, ("data", "binaryData")), *self.validate(obj)]

    def cells(self, obj: Object, now: float) -> list[Any]:
        """Name, number of keys, age."""
        count = len(obj.get("data", ())) + len(obj.get("binaryData", ()))
        return [obj["metadata"]["name"], count, age(obj, now)]


def _config_map_errors(obj: Object) -> Errors:
    data, binary = obj.get("data", {}), obj.get("binaryData", {})
    for key in data:
        yield from words(f"data[{key}]", key, config_key_problems(key))
        if key in binary:
            yield invalid(f"data[{key}]", key, "duplicate of key present in binaryData")
    for key in binary:
        yield from words(f"binaryData[{key}]", key, config_key_problems(key))
    if sum(len(each.encode()) for each in data.values()) + sum(map(_decoded_size, binary.values())) > LARGEST:
        yield too_long("[]", LARGEST)  # the path of the whole object, as Go prints it


def _decoded_size(text: str) -> int:
    return len(text) // 4 * 3 - text.count("=", -2)


class SecretStrategy(BuiltinStrategy):
    """Secrets."""

    checks_metadata_again = True

    def default(self, obj: Object) -> None:
        """Type Opaque, and stringData moved into data."""
        obj.setdefault("type", "Opaque")
        plain = obj.pop("stringData", {})
        if plain:
            encoded = {key: base64.b64encode(value.encode()).decode() for key, value in plain.items()}
            obj["data"] = {**obj.get("data", {}), **encoded}

    def validate(self, obj: Object) -> list[FieldError]:
        """Keys, size, and what each type needs."""
        return [*_secret_data_errors(obj), *_secret_type_errors(obj)]

    def prepare_update(self, obj: Object, old: Object, subresource: str) -> None:
        """A missing type is the one it has: a client that leaves it out does not mean to change it."""
        del subresource
        if obj.get("type", "") in {"", "Opaque"} and not old.get("type"):
            obj["type"] = "Opaque"

    def validate_update(self, obj: Object, old: Object, subresource: str) -> list[FieldError]:
        """And what is frozen."""
        del subresource
        found = [invalid("type", obj["type"], "field is immutable")] if obj["type"] != old["type"] else []
        return [*found, *frozen(obj, old, ("data",)), *self.validate(obj)]

    def selectable(self, obj: Mapping[str, Any]) -> dict[str, str]:
        """The type."""
        return {"type": obj.get("type", "")}

    def selectable_names(self) -> frozenset[str]:
        """The type."""
        return frozenset({"type"})

    def unknown_field(self, name: str) -> str:
        """Kinds with fields of their own word this differently."""
        return f"field label not supported: {name}"

    def cells(self, obj: Object, now: float) -> list[Any]:
        """Name, type, number of keys, age."""
        return [obj["metadata"]["name"], obj.get("type", ""), len(obj.get("data", ())), age(obj, now)]


def _secret_data_errors(obj: Object) -> Errors:
    data = obj.get("data", {})
    for key in data:
        yield from words(f"data[{key}]", key, config_key_problems(key))
    if sum(_decoded_size(each or "") for each in data.values()) > LARGEST:
        yield too_long("data", LARGEST)


# Secret type -> the keys that it needs; one type is content with either of its keys.
_NEEDED = {
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/basic-auth": ("username", "password"),
}
_DOCKER = {"kubernetes.io/dockercfg": ".dockercfg", "kubernetes.io/dockerconfigjson": ".dockerconfigjson"}


def _secret_type_errors(obj: Object) -> Errors:
    kind, data = obj["type"], obj.get("data", {})
    if kind == "kubernetes.io/service-account-token":
        annotation = "kubernetes.io/service-account.name"
        if not obj["metadata"].get("annotations", {}).get(annotation):
            yield required(f"metadata.annotations[{annotation}]")
    elif kind in _DOCKER:
        yield from _docker_config(f"data[{_DOCKER[kind]}]", data.get(_DOCKER[kind]))
    elif kind == "kubernetes.io/basic-auth" and {"username", "password"} & data.keys():
        return
    else:
        for key in _NEEDED.get(kind, ()):
            if key not in data or (kind == "kubernetes.io/ssh-auth" and not data[key]):
                yield required(f"data[{key}]")


def _docker_config(path: str, value: str | None) -> Errors:
    if value is None:
        yield required(path)
        return
    try:
        parsed = codec.decode(base64.b64decode(value)).value
    except codec.Malformed as error:
        yield invalid(path, _REDACTED, str(error))
        return
    if not isinstance(parsed, dict | None):
        kind = {str: "string", list: "array", bool: "bool"}.get(type(parsed), "number")
        why = f"json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"
        yield invalid(path, _REDACTED, why)


class ServiceAccountStrategy(BuiltinStrategy):
    """ServiceAccounts."""

    returns_deleted = True
    checks_metadata_again = True

    def prepare_create(self, obj: Object, now: float) -> None:
        """Of the secrets only the names count."""
        del now
        _only_names(obj)

    def prepare_update(self, obj: Object, old: Object, subresource: str) -> None:
        """The same."""
        del old, subresource
        _only_names(obj)

    def cells(self, obj: Object, now: float) -> list[Any]:
        """Name, number of secrets, age."""
        return [obj["metadata"]["name"], len(obj.get("secrets", ())), age(obj, now)]


def _only_names(obj: Object) -> None:
    if "secrets" in obj:
        obj["secrets"] = [{"name": each["name"]} if each.get("name") else {} for each in obj["secrets"]]


class LeaseStrategy(BuiltinStrategy):
    """Leases, by which leaders are elected."""

    allow_create_on_update = True
    allow_unconditional_update = False

    def prepare_create(self, obj: Object, now: float) -> None:
        """Coordinated leader election is switched off, and its fields with it."""
        del now
        _drop_coordination(obj["spec"])

    def prepare_update(self, obj: Object, old: Object, subresource: str) -> None:
        """The same."""
        del old, subresource
        _drop_coordination(obj["spec"])

    def validate(self, obj: Object) -> list[FieldError]:
        """Durations and counts."""
        return list(_lease_errors(obj["spec"]))

    def cells(self, obj: Object, now: float) -> list[Any]:
        """Name, holder, age."""
        return [obj["metadata"]["name"], obj["spec"].get("holderIdentity", ""), age(obj, now)]


def _lease_errors(spec: Object) -> Errors:
    if spec.get("leaseDurationSeconds", 1) <= 0:
        yield invalid("spec.leaseDurationSeconds", spec["leaseDurationSeconds"], "must be greater than 0")
    if spec.get("leaseTransitions", 0) < 0:
        yield invalid("spec.leaseTransitions", spec["leaseTransitions"], NOT_NEGATIVE)


def _drop_coordination(spec: Object) -> None:
    for name in ("strategy", "preferredHolder"):
        spec.pop(name, None)
