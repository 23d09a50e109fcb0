"""Tables: columns, cells, ages, and the JSONPath that leads to cells.

The cells of `CELLS` are those that kube-apiserver v1.34.4 gave for the same columns over the same object; ages are the
table of apimachinery's own test of util/duration.

Left out: the columns of built-in kinds (test_pod_table.py and the tests of each kind), and the negotiation that leads
to a Table (test_media.py).
"""

from __future__ import annotations

import time
from typing import Any

import pytest

from twinloop.apiserver import codec
from twinloop.apiserver.history import Record
from twinloop.apiserver.kinds import Kind
from twinloop.apiserver.publish import ages, jsonpath
from twinloop.apiserver.publish.cells import AGE_COLUMN, NAME_COLUMN, json_cell
from twinloop.apiserver.publish.table import table
from twinloop.apiserver.schemas.custom import CustomStrategy
from twinloop.apiserver.storage import Storage
from twinloop.apiserver.strategy import Column, Strategy

Object = dict[str, Any]
NOW = 1_767_225_600.0  # 2026-01-01T00:00:00Z

OBJECT: Object = {
    "metadata": {"name": "x", "creationTimestamp": "2025-12-31T23:58:59Z", "labels": {"a.b/c": "d"}},
    "spec": {
        "i": 3, "n": 2.5, "big": 1000000.5, "s": "ab", "b": False, "nothing": None,
        "l": ["p", "q", "r"], "o": {"y": 1, "x": "<"}, "deep": {"deeper": {"w": "found"}},
        "lm": [{"k": "a", "v": 1}, {"k": "b", "v": 5}, {"k": "c"}], "t": "2025-12-31T22:00:00Z",
    },
    "status": {"conditions": [{"type": "Ready", "status": "True"}, {"type": "Stalled", "status": "False"}]},
}  # fmt: skip

# The type of a column, its path, and the cell.
CELLS: list[tuple[str, str, Any]] = [
    ("integer", ".spec.i", 3),
    ("integer", ".spec.n", 2),
    ("integer", ".spec.s", None),
    ("integer", ".spec.b", None),
    ("number", ".spec.n", 2.5),
    ("number", ".spec.i", 3),
    ("number", ".spec.s", None),
    ("boolean", ".spec.b", False),
    ("boolean", ".spec.i", None),
    ("string", ".spec.s", "ab"),
    ("string", ".spec.i", "3"),
    ("string", ".spec.n", "2.5"),
    ("string", ".spec.big", "1.0000005e+06"),
    ("string", ".spec.b", "false"),
    ("string", ".spec.nothing", "<no value>"),
    ("string", ".spec.none", None),
    ("string", ".spec.o", '{"x":"\\u003c","y":1}'),
    ("string", ".spec.l", '["p","q","r"]'),
    ("string", ".spec.l[0]", "p"),
    ("string", ".spec.l[-1]", "r"),
    ("string", ".spec.l[1:]", "q"),
    ("string", ".spec.l[*]", "p"),
    ("string", ".spec.l[9]", None),
    ("string", ".spec.o[0]", None),
    ("string", "..w", "found"),
    ("string", ".metadata.labels.a\\.b/c", "d"),
    ("string", ".metadata.labels['a\\.b/c']", "d"),
    ("string", '.status.conditions[?(@.type=="Ready")].status', "True"),
    ("string", ".status.conditions[?(@.type=='Stalled')].status", "False"),
    ("string", ".status.conditions[?(@.type!='Ready')].status", "False"),
    ("integer", '.spec.lm[?(@.k=="b")].v', 5),
    ("string", ".spec.lm[?(@.v>3)].k", "b"),
    ("string", ".spec.lm[?(@.v)].k", "a"),
    ("string", ".spec.lm[?(@.v>=1)].k", "a"),
    ("string", ".spec.lm[?(@.v==true)].k", None),
    ("string", ".spec.s[?(@.a==1)]", None),
    ("date", ".spec.t", "120m"),
    ("date", ".metadata.creationTimestamp", "61s"),
    ("date", ".spec.s", "<invalid>"),
    ("date", ".spec.i", None),
]


@pytest.mark.parametrize(("kind", "path", "expected"), CELLS)
def test_a_cell_is_what_a_real_server_shows(kind: str, path: str, expected: Any) -> None:
    values = jsonpath.compiled(path).values(OBJECT)
    assert (json_cell(kind, values[0], NOW) if values else None) == expected


# ------------------------------------------------------------------ JSONPath


@pytest.mark.parametrize(
    ("path", "values"),
    [
        (".spec.l[0,2]", ["p", "r"]),
        (".spec.l[0:2]", ["p", "q"]),
        (".spec.l[::2]", ["p", "r"]),
        (".spec.l[-2:]", ["q", "r"]),
        (".spec.l[2:1]", []),
        (".spec.l[1:1]", []),
        (".spec.lm[*].k", ["a", "b", "c"]),
        (".spec.lm.*", OBJECT["spec"]["lm"]),
        (".spec.o.*", [1, "<"]),
        (".spec['s']", ["ab"]),
        ("$.spec.s", ["ab"]),
        ("@.spec.s", ["ab"]),
        (".spec.lm[?(@.k)].k", ["a", "b", "c"]),
        (".spec.lm[?(@.v<5)].k", ["a"]),
        (".spec.lm[?(@.v<=5)].k", ["a", "b"]),
        (".nowhere.at.all", []),
        ("", [OBJECT]),
    ],
)
def test_a_path_leads_to_values(path: str, values: list[Any]) -> None:
    assert jsonpath.compiled(path).values(OBJECT) == values


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        (".spec[?(@.a", "unterminated filter"),
        (".spec[?(@.a)", "unclosed array"),
        (".spec[0", "unterminated array"),
        (".spec[a]", "invalid array index a"),
        (".spec[?(@.a=~1)]", "unrecognized"),
        (".spec[?(@.a==what)]", "unrecognized identifier what"),
        (".spec[?(@.a=='x)]", "unterminated"),
        (".spec[?(@.a==1.2.3)]", "cannot parse number 1.2.3"),
        ("}", "unrecognized character in action: U\\+007D '}'"),
    ],
)
def test_what_is_no_path_is_refused(path: str, problem: str) -> None:
    with pytest.raises(jsonpath.BadPath, match=problem):
        jsonpath.compiled(path)


def test_a_parenthesis_in_quotes_does_not_end_a_filter() -> None:
    found = jsonpath.compiled(".a[?(@.n=='(b)')].v").values({"a": [{"n": "(b)", "v": 1}]})
    assert found == [1]


# ------------------------------------------------------------------ ages


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.9, "0s"), (1, "1s"), (70, "70s"), (119, "119s"), (120, "2m"), (190, "3m10s"), (599, "9m59s"), (600, "10m"),
        (47 * 60 + 30, "47m"), (179 * 60, "179m"), (180 * 60, "3h"), (185 * 60, "3h5m"), (479 * 60, "7h59m"), (480 * 60, "8h"),
        (25 * 3600, "25h"), (47 * 3600 + 3599, "47h"), (48 * 3600, "2d"), (51 * 3600, "2d3h"), (191 * 3600, "7d23h"),
        (192 * 3600, "8d"), (20 * 86400, "20d"), (729 * 86400, "729d"), (730 * 86400, "2y"), (731 * 86400, "2y1d"),
        (365 * 8 * 86400 - 1, "7y364d"), (365 * 8 * 86400, "8y"), (-1, "0s"), (-1.9, "0s"), (-2, "<invalid>"), (-9, "<invalid>"),
    ],
)  # fmt: skip
def test_the_longer_ago_the_coarser(seconds: float, expected: str) -> None:
    assert ages.human_duration(seconds) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "<unknown>"),
        ("null", "<unknown>"),
        ("yesterday", "<invalid>"),
        ("2025-12-31", "<invalid>"),
        ("2025-02-30T00:00:00Z", "<invalid>"),
        ("2025-12-31T23:59:00Z", "60s"),
        ("2025-12-31T23:59:00.5Z", "59s"),
        ("2026-01-01T01:59:00+02:00", "60s"),
        ("2027-01-01T00:00:00Z", "<invalid>"),
    ],
)
def test_an_age_is_that_of_a_time_in_rfc_3339(text: str, expected: str) -> None:
    assert ages.age_of(text, NOW) == expected


# ------------------------------------------------------------------ tables


class Named(Strategy):
    """A kind with a column of its own."""

    columns = (NAME_COLUMN, Column("Twice", "integer", "int32", "Two times n.", 1))

    def cells(self, obj: Object, now: float) -> list[Any]:
        return [obj["metadata"]["name"], 2 * obj["n"]]


def kind_of(strategy: Strategy) -> Kind:
    return Kind("test.dev", "v1", "Thing", "things", strategy)


def stored(kind: Kind, count: int = 1, **fields: Any) -> list[Record]:
    storage = Storage()
    for index in range(count):
        metadata = {"name": f"x{index}", "creationTimestamp": "2025-12-31T23:58:59Z"}
        obj = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata, **codec.copy(fields)}
        storage.create(kind.storage, obj, {})
    return storage.list(kind.storage)


def test_a_table_has_the_columns_and_cells_of_its_kind() -> None:
    kind = kind_of(Named())
    records = stored(kind, n=4)
    found = table(kind, records, "None", NOW)
    assert (found["kind"], found["apiVersion"]) == ("Table", "meta.k8s.io/v1")
    assert found["columnDefinitions"][1] == {
        "name": "Twice",
        "type": "integer",
        "format": "int32",
        "description": "Two times n.",
        "priority": 1,
    }
    assert found["rows"] == [{"cells": ["x0", 8], "object": None}]
    assert found["metadata"] == {"resourceVersion": str(records[0].revision)}


def test_rows_carry_as_much_of_the_object_as_was_asked_for() -> None:
    kind = kind_of(Named())
    records = stored(kind, n=4)
    whole = records[0].object()
    (metadata,) = table(kind, records, "Metadata", NOW)["rows"]
    assert metadata["object"] == {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": whole["metadata"],
    }
    (everything,) = table(kind, records, "Object", NOW)["rows"]
    assert everything["object"] == whole


def test_a_kind_without_columns_shows_its_name_and_when_it_was_created() -> None:
    kind = kind_of(Strategy())
    found = table(kind, stored(kind), "None", NOW)
    assert [column["name"] for column in found["columnDefinitions"]] == ["Name", "Created At"]
    assert found["rows"][0]["cells"] == ["x0", "2025-12-31T23:58:59Z"]


def test_a_custom_resource_without_columns_shows_its_age() -> None:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    kind = kind_of(CustomStrategy("Thing", "test.dev/v1", {"schema": {"openAPIV3Schema": schema}}))
    found = table(kind, stored(kind), "None", NOW)
    assert [column["name"] for column in found["columnDefinitions"]] == ["Name", "Age"]
    assert found["columnDefinitions"][1]["type"] == AGE_COLUMN.type == "date"
    assert found["rows"][0]["cells"] == ["x0", "61s"]


def test_columns_can_be_left_out() -> None:
    kind = kind_of(Named())
    assert table(kind, stored(kind, n=1), "None", NOW, headers=False)["columnDefinitions"] is None


def test_a_list_of_none_or_several_leaves_its_version_to_the_caller() -> None:
    kind = kind_of(Named())
    assert table(kind, [], "None", NOW)["metadata"] == {}
    assert table(kind, stored(kind, 2, n=1), "None", NOW)["metadata"] == {}


def test_five_thousand_rows_take_a_fraction_of_a_second() -> None:
    columns = [
        {"name": name, "type": kind, "jsonPath": path}
        for name, kind, path in (
            ("I", "integer", ".spec.i"),
            ("Status", "string", '.status.conditions[?(@.type=="Ready")].status'),
            ("Age", "date", ".metadata.creationTimestamp"),
        )
    ]
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"schema": {"openAPIV3Schema": schema}, "additionalPrinterColumns": columns}
    kind = kind_of(CustomStrategy("Thing", "test.dev/v1", version))
    records = stored(kind, 5000, spec=OBJECT["spec"], status=OBJECT["status"])
    started = time.perf_counter()
    found = table(kind, records, "Metadata", NOW)
    assert time.perf_counter() - started < 1.5, "0.15 s on an idle machine"
    assert len(found["rows"]) == 5000
    assert found["rows"][-1]["cells"][1:] == [3, "True", "61s"]
