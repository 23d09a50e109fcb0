"""The strategy of the kind CustomResourceDefinition: defaults, what a write may change, how a deletion begins.

`definition_checks.py` judges a definition, `definitions.py` gives it names and serves what it defines. The rules follow
apiextensions' registry/customresourcedefinition.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from twinloop.apiserver import codec
from twinloop.apiserver.builtin import decode, documents
from twinloop.apiserver.clock import timestamp
from twinloop.apiserver.fielderrors import FieldError
from twinloop.apiserver.kinds import Kind
from twinloop.apiserver.schemas import acceptance, formats
from twinloop.apiserver.strategy import Strategy

if TYPE_CHECKING:
    from twinloop.apiserver.patches.typed import Typed

Object = dict[str, Any]

GROUP, KIND, PLURAL = "apiextensions.k8s.io", "CustomResourceDefinition", "customresourcedefinitions"
CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
_DELETION_PENDING = "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon"


class DefinitionStrategy(Strategy):
    """What is particular to CustomResourceDefinitions."""

    allow_unconditional_update = False
    bare_finalizers_are_standard = False

    def decode(self, obj: Object) -> list[str]:
        """As Go does."""
        return decode.decode_object(GROUP, KIND, obj)

    def default(self, obj: Object) -> None:
        """Names that follow from the kind, no conversion, the stored versions."""
        spec = obj["spec"]
        names = spec["names"]
        if not names.get("singular"):
            names["singular"] = names["kind"].lower()
        if not names.get("listKind") and names["kind"]:
            names["listKind"] = f"{names['kind']}List"
        spec.setdefault("conversion", {"strategy": "None"})
        status = obj.setdefault("status", {})
        if not status.get("storedVersions"):
            _add_stored_version(obj)

    def prepare_create(self, obj: Object, now: float) -> None:
        """A new definition has no names yet; `definitions.py` gives it some."""
        del now
        obj["status"] = {"conditions": None, "acceptedNames": {"plural": "", "kind": ""}, "storedVersions": None}
        _add_stored_version(obj)
        obj["metadata"]["generation"] = 1

    def prepare_update(self, obj: Object, old: Object, subresource: str) -> None:
        """Keep spec and status apart; a changed spec is a new generation, its storage version is remembered."""
        if subresource == "status":
            obj["spec"] = codec.copy(old["spec"])
            return
        obj["status"] = codec.copy(old["status"])
        before = old["metadata"].get("generation", 0)
        obj["metadata"]["generation"] = before + (obj["spec"] != old["spec"])
        _add_stored_version(obj)

    def prepare_delete(self, obj: Object, now: float) -> bool:
        """A definition outlives its objects: the first delete only marks it."""
        metadata = obj["metadata"]
        if metadata.get("deletionTimestamp"):
            return False
        metadata["deletionTimestamp"] = timestamp(now)
        if CLEANUP not in (metadata.get("finalizers") or ()):
            metadata["finalizers"] = [*(metadata.get("finalizers") or ()), CLEANUP]
        acceptance.set_condition(obj, "Terminating", "True", "InstanceDeletionPending", _DELETION_PENDING, now)
        return True

    def validate(self, obj: Object) -> list[FieldError]:
        """Everything that is wrong with a new definition."""
        from twinloop.apiserver.schemas import definition_checks  # noqa: PLC0415 - a server without CRDs does without

        return definition_checks.check(obj)

    def validate_update(self, obj: Object, old: Object, subresource: str) -> list[FieldError]:
        """Everything that is wrong with a changed one; the status by itself is hardly looked at."""
        from twinloop.apiserver.schemas import definition_checks  # noqa: PLC0415 - see above

        if subresource == "status":
            return definition_checks.check_status(obj)
        return definition_checks.check_update(obj, old)

    def warnings(self, obj: Object, old: Object | None) -> list[str]:
        """Formats that nothing will check."""
        before = set(_unknown_formats(old)) if old else set()
        return [f'unrecognized format "{each}"' for each in _unknown_formats(obj) if each not in before]

    def reset_fields(self, subresource: str) -> Object | None:
        """A status update touches nothing else, not even metadata."""
        return {"f:metadata": {}, "f:spec": {}} if subresource == "status" else None

    def typed(self) -> Typed:
        """The schema that Kubernetes publishes."""
        return documents.typed(GROUP, KIND)

    def merges_strategically(self) -> bool:
        """As all kinds that Go types describe."""
        return True


def definition_kind() -> Kind:
    """CustomResourceDefinition as it is registered."""
    return Kind(
        GROUP,
        "v1",
        KIND,
        PLURAL,
        DefinitionStrategy(),
        namespaced=False,
        singular="customresourcedefinition",
        short_names=("crd", "crds"),
        categories=("api-extensions",),
        subresources=("status",),
    )


def _add_stored_version(obj: Object) -> None:
    name = next((each["name"] for each in obj["spec"].get("versions") or () if each.get("storage")), None)
    stored = obj["status"].get("storedVersions") or []
    if name is not None and name not in stored:
        obj["status"]["storedVersions"] = [*stored, name]


def _unknown_formats(obj: Object) -> list[str]:
    schemas = [(each.get("schema") or {}).get("openAPIV3Schema") for each in obj["spec"].get("versions") or ()]
    return [each for schema in schemas for each in _formats_below(schema)]


def _formats_below(schema: Any) -> Iterator[str]:
    if not isinstance(schema, dict):
        return
    name = schema.get("format")
    if name and schema.get("type") == "string" and formats.check(name) is None:
        yield name
    for key in ("items", "not", "additionalProperties"):
        yield from _formats_below(schema.get(key))
    for key in ("allOf", "anyOf", "oneOf"):
        for each in schema.get(key) or ():
            yield from _formats_below(each)
    for each in (schema.get("properties") or {}).values():
        yield from _formats_below(each)
