"""Which records a list, watch or deletecollection means: namespace, labels and fields together.

`read.py` asks it of each record, `watch.py` of the old and the new state of an object, since an update may move an
object into a selection or out of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.apiserver import failures
from twinloop.apiserver.history import Record
from twinloop.apiserver.kinds import Kind
from twinloop.apiserver.options import ListOptions
from twinloop.apiserver.selectors import FieldSelector, LabelSelector, parse_fields, parse_labels

_OF_METADATA = frozenset({"metadata.name", "metadata.namespace"})


@dataclass(frozen=True, slots=True)
class Selection:
    """What a request selects in one collection."""

    namespace: str
    labels: LabelSelector
    fields: FieldSelector

    @property
    def all(self) -> bool:
        """Whether every object of the namespace is meant."""
        return not self.labels and not self.fields

    @property
    def one(self) -> bool:
        """Whether one object of one namespace is meant, which is read by its key and never in pages."""
        return bool(self.namespace and self.fields.exact("metadata.name"))

    def matches(self, record: Record) -> bool:
        """Whether a record is meant."""
        if self.namespace and record.namespace != self.namespace:
            return False
        if self.labels and not self.labels.matches(record.labels):
            return False
        return not self.fields or self._fields_match(record)

    def _fields_match(self, record: Record) -> bool:
        own = {"metadata.name": record.name, "metadata.namespace": record.namespace}
        return self.fields.matches({**record.fields, **own})


def select(kind: Kind, namespace: str, name: str, options: ListOptions) -> Selection:
    """The selection of a request; `name` is that of a path, for a watch on one object. Raises 400."""
    labels = parse_labels(options.label_selector)
    known = kind.strategy.selectable_names() | _OF_METADATA
    fields = parse_fields(options.field_selector, known.__contains__, kind.strategy.unknown_field)
    if name and not fields:
        fields = FieldSelector((("metadata.name", True, name),))
    elif name and fields.exact("metadata.name") != name:
        raise failures.bad_request("fieldSelector metadata.name doesn't match requested name")
    return Selection(namespace, labels, fields)
