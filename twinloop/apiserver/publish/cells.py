"""What stands in the cells of a Table: a JSON value in the type that its column promises, and the two usual columns.

`schemas/custom.py` makes the cells of custom resources here, `table.py` those of kinds without columns of their own;
built-in kinds compute theirs and share the columns.
"""

from __future__ import annotations

from typing import Any

from twinloop.apiserver import gofmt
from twinloop.apiserver.publish.ages import age_of
from twinloop.apiserver.strategy import Column

_NAME = (
    "Name must be unique within a namespace. Is required when creating resources, although some resources may allow a "
    "client to request the generation of an appropriate name automatically. Name is primarily intended for creation "
    "idempotence and configuration definition. Cannot be updated. More info: "
    "https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names"
)
_CREATED = (
    "CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to "
    "be set in happens-before order across separate operations. Clients may not set this value. It is represented in "
    "RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: "
    "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata"
)
NAME_COLUMN = Column("Name", "string", "name", _NAME)
AGE_COLUMN = Column("Age", "date", "", _CREATED, 0, ".metadata.creationTimestamp")
CREATED_COLUMN = Column("Created At", "date", "", _CREATED)


def json_cell(kind: str, value: Any, now: float) -> Any:
    """A value as a cell of a column of type `kind`; None where the two do not go together."""
    match kind:
        case "string":
            return _as_text(value)
        case "integer" if isinstance(value, int | float) and not isinstance(value, bool):
            return int(value)
        case "number" if isinstance(value, int | float) and not isinstance(value, bool):
            return value
        case "boolean" if isinstance(value, bool):
            return value
        case "date" if isinstance(value, str):
            return age_of(value, now)
    return None


def _as_text(value: Any) -> str:
    if value is None:
        return "<no value>"
    return gofmt.marshal(value) if isinstance(value, dict | list) else gofmt.printed(value)
