"""The strategy of custom resources: what a write may do to one, as its CustomResourceDefinition says.

`definitions.py` makes one `CustomStrategy` for each served version; `verbs/` ask it, after its `Schema`, as they ask
any other. The rules follow apiextensions' registry/customresource.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from twinloop.apiserver import codec, failures, gofmt, names
from twinloop.apiserver.failures import Failure
from twinloop.apiserver.fielderrors import FieldError
from twinloop.apiserver.metadata import FOREGROUND, ORPHAN
from twinloop.apiserver.patches import typed
from twinloop.apiserver.publish import jsonpath
from twinloop.apiserver.publish.cells import AGE_COLUMN, NAME_COLUMN, json_cell
from twinloop.apiserver.schemas import embedded, pruning
from twinloop.apiserver.schemas.scaling import Scale
from twinloop.apiserver.schemas.schema import Schema
from twinloop.apiserver.strategy import Column, ScalePaths, Strategy

if TYPE_CHECKING:
    from twinloop.apiserver.patches.typed import Typed

Object = dict[str, Any]
Version = Mapping[str, Any]  # an entry of spec.versions

_KUBERNETES_FINALIZERS = frozenset({ORPHAN, FOREGROUND, "kubernetes"})
_PREFER = "prefer a domain-qualified finalizer name{} to avoid accidental conflicts with other finalizer writers"


class CustomStrategy(Strategy):
    """One version of one custom resource.

    `stored` is the schema of the version that objects are stored in, where that is another one; `terminating`: its
    definition is being deleted, so none may be created.
    """

    allow_unconditional_update = False
    bare_finalizers_are_standard = False

    def __init__(
        self, kind: str, api_version: str, version: Version, *, stored: Schema | None = None, terminating: bool = False
    ) -> None:
        self._kind, self._api_version, self._terminating = kind, api_version, terminating
        self.schema = Schema(version["schema"]["openAPIV3Schema"])
        self._stored = stored
        subresources = version.get("subresources") or {}
        self._has_status = "status" in subresources
        self._scale = Scale(subresources["scale"]) if subresources.get("scale") else None
        self._paths = {
            each["jsonPath"].removeprefix("."): each["jsonPath"] for each in version.get("selectableFields") or ()
        }
        self.columns = _columns(version.get("additionalPrinterColumns") or ())
        self._cells = [(column.type, jsonpath.compiled(column.path)) for column in self.columns[1:]]
        self._typed: Typed | None = None

    def decode(self, obj: Object) -> list[str]:
        """Read metadata, drop unknown fields; a value that Go could not read is a 400."""
        try:
            unknown = embedded.read_metadata(obj)
            unknown += self.schema.prune(obj)
            unknown += self.schema.coerce(obj)
        except embedded.Malformed as error:
            raise self._unreadable(str(error)) from None
        return [f'unknown field "{path}"' for path in unknown]

    def decode_applied(self, obj: Object) -> list[str]:
        """A real server prunes it only as it stores it: nothing is reported, and a null stays for validation to refuse."""
        try:
            embedded.read_metadata(obj)
            pruning.prune(obj, self.schema.schema)
            self.schema.coerce(obj)
        except embedded.Malformed as error:
            raise self._unreadable(str(error)) from None
        return []

    def _unreadable(self, why: str) -> Failure:
        version = self._api_version.rpartition("/")[2]
        return failures.bad_request(f'{self._kind} in version "{version}" cannot be handled as a {self._kind}: {why}')

    def default(self, obj: Object) -> None:
        """Fill in the schema's defaults."""
        self.schema.default(obj)

    def prepare_create(self, obj: Object, now: float) -> None:
        """A status of its own is only written through its subresource; what the schema fills in for it stays."""
        del now
        if self._terminating:
            raise _no_create()
        if self._has_status and obj.pop("status", None) is not None:
            self.schema.default(obj)
        obj["metadata"]["generation"] = 1

    def prepare_update(self, obj: Object, old: Object, subresource: str) -> None:
        """Keep spec and status apart; anything that changes outside metadata is a new generation."""
        if subresource == "status":
            self._restore_all_but_status(obj, old)
            return
        if self._has_status:
            obj.pop("status", None)
            if "status" in old:
                obj["status"] = codec.copy(old["status"])
        before = old["metadata"].get("generation", 0)
        obj["metadata"]["generation"] = before + (_without_metadata(obj) != _without_metadata(old))

    def _restore_all_but_status(self, obj: Object, old: Object) -> None:
        """The metadata too is the old one, but for managedFields: not even a label can be set on the way."""
        metadata, given = obj["metadata"], {name: obj[name] for name in ("status",) if name in obj}
        managed = metadata.get("managedFields")
        metadata.clear()
        metadata.update(codec.copy(old["metadata"]))
        if managed is not None:
            metadata["managedFields"] = managed
        obj.clear()
        obj.update(codec.copy(_without_metadata(old)), metadata=metadata)
        obj.pop("status", None)
        obj.update(given)
        self.schema.default(obj)

    def validate(self, obj: Object) -> list[FieldError]:
        """The schema's verdict, and that of the scale subresource."""
        nameless = not obj["metadata"].get("name")
        return self.schema.validate(obj, scale=self._scale_errors(obj, ""), nameless=nameless)

    def validate_update(self, obj: Object, old: Object, subresource: str) -> list[FieldError]:
        """The same, held to what the update touched."""
        scale = self._scale_errors(obj, subresource)
        if subresource == "status":
            return self.schema.validate_status(obj, old, scale=scale)
        return self.schema.validate(obj, old, scale=scale)

    def _scale_errors(self, obj: Object, subresource: str) -> list[FieldError]:
        if self._scale is None:
            return []
        found = [] if subresource == "status" else list(self._scale.check_spec(obj))
        return [*found, *self._scale.check_status(obj)]

    def warnings(self, obj: Object, old: Object | None) -> list[str]:
        """Finalizers that were added and that another writer may choose too."""
        before = set((old or {"metadata": {}})["metadata"].get("finalizers") or ())
        added = sorted(set(obj["metadata"].get("finalizers") or ()) - before)
        return [warning for finalizer in added for warning in _finalizer_warnings(finalizer)]

    def to_storage(self, obj: Object) -> None:
        """Conversion None changes nothing, but the stored version drops what it does not know."""
        if self._stored:
            self._stored.prune(obj)
            self._stored.default(obj)

    def from_storage(self, obj: Object) -> None:
        """What this version does not know goes. Its defaults are for what is written through it, not for what is read."""
        self.schema.prune(obj)

    def scale(self) -> ScalePaths | None:
        """Where the scale subresource finds its numbers."""
        return self._scale.paths() if self._scale else None

    def unknown_field(self, name: str) -> str:
        """A real server words this differently for custom resources."""
        return f"field label not supported: {name}"

    def selectable(self, obj: Mapping[str, Any]) -> dict[str, str]:
        """The values of the definition's selectableFields."""
        found = {name: jsonpath.compiled(path).values(obj) for name, path in self._paths.items()}
        return {
            name: "" if not values or values[0] is None else gofmt.printed(values[0]) for name, values in found.items()
        }

    def selectable_names(self) -> frozenset[str]:
        """The definition's selectableFields without their leading dot."""
        return frozenset(self._paths)

    def reset_fields(self, subresource: str) -> Object | None:
        """Without a status subresource every write may set the status."""
        return None if self._has_status or subresource else {}

    def typed(self) -> Typed:
        """The schema as merges see it."""
        if self._typed is None:
            self._typed = typed.custom(self.schema.schema)
        return self._typed

    def cells(self, obj: Object, now: float) -> list[Any]:
        """The name, and what the columns' paths lead to."""
        row: list[Any] = [obj["metadata"].get("name", "")]
        for kind, path in self._cells:
            values = path.values(obj)
            row.append(json_cell(kind, values[0], now) if values else None)
        return row


def _columns(given: Iterable[Mapping[str, Any]]) -> Sequence[Column]:
    own = [
        Column(
            each["name"],
            each["type"],
            each.get("format", ""),
            each.get("description") or f"Custom resource definition column (in JSONPath format): {each['jsonPath']}",
            each.get("priority", 0),
            each["jsonPath"],
        )
        for each in given
    ]
    return (NAME_COLUMN, *(own or [AGE_COLUMN]))


def _without_metadata(obj: Object) -> Object:
    return {name: value for name, value in obj.items() if name != "metadata"}


def _no_create() -> Failure:
    message = "create not allowed while custom resource definition is terminating"
    return Failure(405, "MethodNotAllowed", message, details={})


def _finalizer_warnings(finalizer: str) -> list[str]:
    found = [f"metadata.finalizers: {gofmt.quote(finalizer)}: {each}" for each in names.qualified_name(finalizer)]
    if "/" not in finalizer and finalizer not in _KUBERNETES_FINALIZERS:
        what = _PREFER.format(" including a path (/)" if "." in finalizer else "")
        found.append(f"metadata.finalizers: {gofmt.quote(finalizer)}: {what}")
    return found
