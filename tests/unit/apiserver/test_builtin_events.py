"""Events in both versions: rules, translation, selectable fields, their rows in a Table.

Messages are those of kube-apiserver v1.34.4. Left out: how the versions share a storage (test_create, test_read).
"""

from __future__ import annotations

from typing import Any

import pytest

from support.builtin_kinds import NOW, create_errors, created, kind_of, listed, update_errors

CORE, NEW = kind_of("Event"), kind_of("Event", "events.k8s.io")
SEEN = "2023-11-14T22:13:19.000000Z"


def core(namespace: Any = "team", about: Any = "team", **fields: Any) -> Any:
    involved = {"kind": "Pod", "name": "web", **({"namespace": about} if about else {})}
    meta = {"name": "x", **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": "v1", "kind": "Event", "metadata": meta, "involvedObject": involved, **fields}


def new(**fields: Any) -> Any:
    usual = {
        "eventTime": SEEN,
        "reportingController": "example.com/c",
        "reportingInstance": "c-1",
        "action": "Acting",
        "reason": "Because",
        "type": "Normal",
        "regarding": {"kind": "Pod", "name": "web", "namespace": "team"},
    }
    meta = {"name": "x", "namespace": "team"}
    return {"apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": meta, **usual, **fields}


ELSEWHERE = "involvedObject.namespace: Invalid value: {0}: does not match event.namespace"


@pytest.mark.parametrize(
    ("namespace", "about", "expected"),
    [
        ("team", "team", []),
        ("default", "", []),
        ("team", "", [ELSEWHERE.format('""')]),
        ("team", "other", [ELSEWHERE.format('"other"')]),
        ("default", "other", [ELSEWHERE.format('"other"')]),
    ],
)
def test_an_event_stands_where_its_object_does(namespace: Any, about: Any, expected: Any) -> None:
    assert create_errors(CORE, core(namespace, about)) == expected


@pytest.mark.parametrize(("namespace", "right"), [("default", True), ("kube-system", True), ("team", False)])
def test_an_event_with_a_time_about_something_without_a_namespace(namespace: Any, right: Any) -> None:
    body = core(namespace, "", eventTime=SEEN, reportingComponent="c", reportingInstance="i", action="a", reason="r")
    assert create_errors(CORE, body) == ([] if right else [ELSEWHERE.format('""')])


def test_an_event_with_a_time_says_who_reports_it() -> None:
    found = create_errors(CORE, core(eventTime=SEEN))
    assert [each.partition(":")[0] for each in found] == [
        "reportingComponent",
        "reportingComponent",
        "reportingComponent",
        "reportingInstance",
        "action",
        "reason",
    ]


@pytest.mark.parametrize(
    ("field", "most"), [("reportingInstance", 128), ("action", 128), ("reason", 128), ("message", 1024)]
)
def test_texts_of_an_event_with_a_time_are_short(field: Any, most: Any) -> None:
    usual = {"eventTime": SEEN, "reportingComponent": "c", "reportingInstance": "i", "action": "a", "reason": "r"}
    assert create_errors(CORE, core(**{**usual, field: "x" * most})) == []
    found = create_errors(CORE, core(**{**usual, field: "x" * (most + 1)}))
    assert found == [f'{field}: Invalid value: "": can have at most {most} characters']


def test_an_event_of_the_new_version_is_right() -> None:
    assert create_errors(NEW, new()) == []


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"eventTime": None}, ["eventTime: Required value"]),
        ({"type": "Odd"}, ['type: Invalid value: "": has invalid value: Odd']),
        ({"deprecatedCount": 1}, ['count: Invalid value: "": needs to be unset']),
        ({"deprecatedSource": {"component": "c"}}, ['source: Invalid value: "": needs to be unset']),
        (
            {"deprecatedFirstTimestamp": "2024-01-01T00:00:00Z"},
            ['firstTimestamp: Invalid value: "": needs to be unset'],
        ),
        (
            {"series": {"count": 1}},
            ['series.count: Invalid value: "": should be at least 2', "series.lastObservedTime: Required value"],
        ),
        ({"reportingController": ""}, ["reportingController: Required value"]),
    ],
)
def test_the_new_version_is_strict(fields: Any, expected: Any) -> None:
    found = create_errors(NEW, new(**fields))
    assert found[: len(expected)] == expected


def test_nothing_but_the_series_may_change() -> None:
    old = created(NEW, new())
    assert update_errors(NEW, old, new(series={"count": 2, "lastObservedTime": SEEN})) == []
    assert update_errors(NEW, old, new(note="other", action="Other")) == [
        'message: Invalid value: "other": field is immutable',
        'action: Invalid value: "Other": field is immutable',
    ]
    assert update_errors(NEW, old, new(series={"count": 1, "lastObservedTime": SEEN})) == [
        'series.count: Invalid value: "": should be at least 2'
    ]


def test_the_old_version_may_change() -> None:
    old = created(CORE, core(count=1))
    assert update_errors(CORE, old, core(count=2, message="other")) == []


def test_the_versions_are_two_names_for_one_thing() -> None:
    obj = created(NEW, new(note="text"))
    stored = dict(obj)
    NEW.strategy.to_storage(stored)
    assert stored["involvedObject"] == {"kind": "Pod", "name": "web", "namespace": "team"}
    assert (stored["message"], stored["reportingComponent"]) == ("text", "example.com/c")
    assert not stored.keys() & {"regarding", "note", "reportingController", "deprecatedCount"}
    back = dict(stored)
    NEW.strategy.from_storage(back)
    assert back == obj


def test_an_old_event_is_shown_in_the_new_version() -> None:
    obj = created(CORE, core(count=3, source={"component": "c"}, firstTimestamp="2024-01-01T00:00:00Z"))
    NEW.strategy.from_storage(obj)
    assert (obj["deprecatedCount"], obj["deprecatedSource"]) == (3, {"component": "c"})
    assert obj["deprecatedFirstTimestamp"] == "2024-01-01T00:00:00Z"
    assert not obj.keys() & {"reportingController", "reportingInstance"}


def test_a_selector_asks_in_the_words_of_its_version() -> None:
    found = CORE.strategy.selectable(created(CORE, core(reason="r", type="Normal", source={"component": "c"})))
    assert CORE.strategy.selectable_names() <= found.keys()
    assert NEW.strategy.selectable_names() <= found.keys()
    assert (found["involvedObject.name"], found["regarding.name"], found["source"]) == ("web", "web", "c")
    assert "source" not in NEW.strategy.selectable_names()
    assert "regarding.name" not in CORE.strategy.selectable_names()
    assert CORE.strategy.unknown_field("x") == "field label not supported: x"


def test_the_reporter_is_the_source_where_there_is_none() -> None:
    assert CORE.strategy.selectable(created(CORE, core(reportingComponent="c")))["source"] == "c"


def test_a_row_of_an_event() -> None:
    times = {"firstTimestamp": "2023-11-14T22:12:20Z", "lastTimestamp": "2023-11-14T22:13:10Z"}
    obj = created(
        CORE,
        core(
            **times,
            count=7,
            type="Warning",
            reason="BackOff",
            message=" text\n",
            source={"component": "c", "host": "h"},
        ),
    )
    assert listed(CORE, obj, NOW) == {
        "Last Seen": "10s",
        "Type": "Warning",
        "Reason": "BackOff",
        "Object": "pod/web",
        "Subobject": "",
        "Source": "c, h",
        "Message": "text",
        "First Seen": "60s",
        "Count": 7,
        "Name": "x",
    }


def test_a_row_of_an_event_of_the_new_version() -> None:
    cells = listed(NEW, created(NEW, new(note="text")), NOW)
    assert (cells["Last Seen"], cells["First Seen"], cells["Count"], cells["Source"]) == (
        "1s",
        "1s",
        1,
        "example.com/c, c-1",
    )
    series = {"count": 5, "lastObservedTime": "2023-11-14T22:13:15.000000Z"}
    cells = listed(NEW, created(NEW, new(series=series)), NOW)
    assert (cells["Last Seen"], cells["Count"]) == ("5s", 5)


def test_an_event_without_times_and_names() -> None:
    obj = created(CORE, core())
    obj["involvedObject"] = {"kind": "Node"}
    cells = listed(CORE, obj, NOW)
    assert (cells["Last Seen"], cells["Object"], cells["Count"], cells["Source"]) == ("<unknown>", "node", 1, "")


def test_events_are_not_collected_and_may_be_created_by_an_update() -> None:
    for kind in (CORE, NEW):
        assert not kind.strategy.collected
        assert kind.strategy.allow_create_on_update
