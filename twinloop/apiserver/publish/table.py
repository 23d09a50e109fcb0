"""Tables: lists as kubectl asks for them, with columns that the server chooses and cells that it words.

`render.py` calls `table` when a client accepts `application/json;as=Table`, for a page of a list, for one object and
for each event of a watch. The columns and cells are the strategy's; a kind without any gets a name and a date.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from twinloop.apiserver.history import Record
from twinloop.apiserver.kinds import Kind
from twinloop.apiserver.publish.cells import CREATED_COLUMN, NAME_COLUMN
from twinloop.apiserver.strategy import Column
from twinloop.apiserver.verbs.call import load

Object = dict[str, Any]


def table(kind: Kind, records: list[Record], include_object: str, now: float, *, headers: bool = True) -> Object:
    """A Table of records; `include_object` is None, Metadata or Object and says what each row carries besides cells.

    Without `headers` the columns are left out, as after the first event of a watch. The metadata is that of a single
    object: a list's caller puts the list's own in its place.
    """
    rows = [_row(kind, record, include_object, now) for record in records]
    version = str(records[0].revision) if len(records) == 1 else ""
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": version} if version else {},
        "columnDefinitions": _definitions(tuple(kind.strategy.columns)) if headers else None,
        "rows": rows,
    }


def _row(kind: Kind, record: Record, include_object: str, now: float) -> Object:
    obj = load(kind, record)
    cells = kind.strategy.cells(obj, now) if kind.strategy.columns else _default_cells(obj)
    conditions = kind.strategy.row_conditions(obj)
    marked = {"conditions": list(conditions)} if conditions else {}
    return {"cells": cells, **marked, "object": _carried(obj, include_object)}


def _default_cells(obj: Object) -> list[Any]:
    return [obj["metadata"].get("name", ""), obj["metadata"].get("creationTimestamp")]


def _carried(obj: Object, include_object: str) -> Object | None:
    if include_object == "Object":
        return obj
    if include_object == "None":
        return None
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}


@lru_cache(maxsize=256)
def _definitions(columns: tuple[Column, ...]) -> list[Object]:
    return [_definition(column) for column in columns or (NAME_COLUMN, CREATED_COLUMN)]


def _definition(column: Column) -> Object:
    return {
        "name": column.name,
        "type": column.type,
        "format": column.format,
        "description": column.description,
        "priority": column.priority,
    }
