"""What is particular to a kind: defaults, validation, what a write may change, what a selector and a table may show.

`verbs/` do the same steps for every kind and ask a `Strategy` at each of them; the names follow apiserver's
rest.RESTCreateStrategy and RESTUpdateStrategy. This base class is right for a kind that needs nothing: it is stored as
it comes. `builtin/` and `schemas/custom.py` say more.

Objects are plain dicts. Steps that change an object do so in place, on a copy that is the request's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twinloop.apiserver import names
from twinloop.apiserver.fielderrors import FieldError

if TYPE_CHECKING:
    from twinloop.apiserver.patches.typed import Typed

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a Table: `path` is a JSONPath below the object, or `cell` in the strategy computes it by name."""

    name: str
    type: str = "string"
    format: str = ""
    description: str = ""
    priority: int = 0
    path: str = ""


@dataclass(frozen=True, slots=True)
class ScalePaths:
    """Where a kind keeps what its scale subresource shows: paths of keys below the object.

    `selector` leads to a string in custom resources and to a LabelSelector in workloads; empty: there is none.
    """

    replicas: tuple[str, ...]
    status: tuple[str, ...]
    selector: tuple[str, ...] = ()


class Strategy:
    """The defaults of a kind: no schema, no generation, no status, no table of its own."""

    columns: Sequence[Column] = ()
    allow_create_on_update = False  # leases and a few others: PUT may create
    allow_unconditional_update = True  # a PUT without resourceVersion overwrites; custom resources refuse it
    graceful = False  # whether `grace_period` means anything
    returns_deleted = False  # DELETE answers with the object that was removed (pods, services), not with a Status
    collected = True  # False: garbage collection leaves the kind alone, and DELETE never adds its finalizers (events)
    bare_finalizers_are_standard = True  # a finalizer without a slash must be Kubernetes' own; not so in apiextensions
    stored = True  # False: POST answers with the object as `prepare_create` leaves it and forgets it (reviews)
    metadata_is_checked_last = False  # a new object with other faults is not told those of its metadata (events)
    checks_metadata_again = False  # an update checks metadata in the kind's own rules too, and lists its faults twice
    create_status = 201  # what POST answers

    def decode(self, obj: Object) -> list[str]:
        """Check an object as it came off the wire and take out what the kind does not know.

        Returns the problems as field validation words them, such as `unknown field "spec.replica"`; raises `Failure`
        (400) when a value cannot be read at all. Called before `default`.
        """
        return []

    def decode_applied(self, obj: Object) -> list[str]:
        """The same for what a server-side apply has merged, which no decoder has seen."""
        return self.decode(obj)

    def default(self, obj: Object) -> None:
        """Fill in what was left out."""

    def prepare_create(self, obj: Object, now: float) -> None:
        """Reset what a client may not set on creation (status), set generation. Metadata is filled in by the caller."""

    def prepare_update(self, obj: Object, old: Object, subresource: str) -> None:
        """Put back what this write may not change (status on a plain update, spec on a status update); bump generation."""

    def prepare_delete(self, obj: Object, now: float) -> bool:
        """Mark an object as being deleted in the kind's own way, instead of the usual steps; False: it has none."""
        return False

    def is_held(self, obj: Object) -> bool:
        """Whether something besides metadata.finalizers keeps an object that is being deleted: spec.finalizers does."""
        return False

    def validate(self, obj: Object) -> list[FieldError]:
        """Check a new object (its metadata is checked by the caller)."""
        return []

    def validate_update(self, obj: Object, old: Object, subresource: str) -> list[FieldError]:
        """Check a changed object against what it was."""
        return self.validate(obj)

    def validate_name(self, name: str, *, prefix: bool) -> list[str]:
        """Why a name is not one, in apimachinery's words; `prefix` for generateName. The default is a DNS subdomain."""
        return names.dns_subdomain(name, prefix=prefix)

    def warnings(self, obj: Object, old: Object | None) -> list[str]:
        """What to tell the client although the object is accepted."""
        return []

    def to_storage(self, obj: Object) -> None:
        """Turn an object of this version into one of the stored version; kind and apiVersion are the caller's business."""

    def from_storage(self, obj: Object) -> None:
        """The way back."""

    def scale(self) -> ScalePaths | None:
        """Where the scale subresource finds its numbers; None: the kind has no scale."""
        return None

    def unknown_field(self, name: str) -> str:
        """What to say of a field selector that asks for a name which `selectable_names` lacks."""
        return f'"{name}" is not a known field selector: only "metadata.name", "metadata.namespace"'

    def selectable(self, obj: Mapping[str, Any]) -> dict[str, str]:
        """The values that a field selector may ask for, besides metadata.name and metadata.namespace."""
        return {}

    def selectable_names(self) -> frozenset[str]:
        """The names that `selectable` can return, so that a selector with another is refused."""
        return frozenset()

    def typed(self) -> Typed | None:
        """The schema that strategic merge patch, server-side apply and managedFields follow; None: deduced from values."""
        return None

    def reset_fields(self, subresource: str) -> dict[str, Any] | None:
        """The fields that a write cannot set, for `prepare_create` and `prepare_update` put them back: nobody owns them.

        Written as FieldsV1 writes sets. None: what is usual, the status, or the spec when it is the status that is written.
        """
        return None

    def merges_strategically(self) -> bool:
        """Whether strategic merge patch is supported: built-in kinds yes, custom resources 415."""
        return False

    def cells(self, obj: Object, now: float) -> list[Any]:
        """The values of `columns` for one object."""
        return []

    def row_conditions(self, obj: Object) -> Sequence[Object]:
        """What a Table says of an object's row beside its cells: a pod that has completed."""
        return ()

    def grace_period(self, obj: Object, asked: int | None) -> int | None:
        """Seconds between deletionTimestamp and removal; None: no graceful deletion for this kind."""
        return None
