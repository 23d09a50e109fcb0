"""The normaliser: what is random gets a symbol, what means something stays, and no difference is lost on the way.

Covered: uids, versions and their order, lists and bookmarks, times, ages, generated names, names made up for a case;
and planted differences of each sort, which must still be there afterwards.

Left out: whether real transcripts are stable; `python -m conformance --twice` shows it on a real server.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from conformance.compare import differences
from conformance.normal import calm, normalised
from conformance.record import Transcript

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC).timestamp()
ONE = "11111111-aaaa-4aaa-8aaa-111111111111"
TWO = "22222222-bbbb-4bbb-8bbb-222222222222"


def transcript(*records: Any, generated: tuple[str, ...] = ()) -> Transcript:
    names = {"ns": "t0123abcd", "ns2": "u0123abcd", "group": "g0123abcd.example.com"}
    return Transcript(names, list(records), list(generated))


def shown(*records: Any, generated: tuple[str, ...] = ()) -> Any:
    return normalised(transcript(*records, generated=generated), now=NOW)


def obj(version: int | str, **more: Any) -> dict[str, Any]:
    return {"body": {"metadata": {"resourceVersion": str(version), **more}}}


def versions(result: Any) -> list[str]:
    return [record["body"]["metadata"]["resourceVersion"] for record in result if "body" in record]


# --- versions ---------------------------------------------------------------------------------------------------------


def test_versions_are_named_by_first_appearance_and_their_order_is_kept() -> None:
    result = shown(obj(900), obj(905), obj(900), obj(30))
    assert versions(result) == ["<rv 1>", "<rv 2>", "<rv 1>", "<rv 3>"]
    assert result[-1] == {"versions": "rv 3 < rv 1 < rv 2"}


def test_two_runs_with_other_numbers_are_equal() -> None:
    assert shown(obj(10), obj(12), obj(12)) == shown(obj(7001), obj(9000), obj(9000))


@pytest.mark.parametrize(
    "other",
    [(10, 12, 13), (10, 10, 12), (12, 10, 10)],
    ids=["an equality is lost", "another equality", "another order"],
)
def test_planted_a_version_that_moves_differently(other: tuple[int, ...]) -> None:
    assert shown(obj(10), obj(12), obj(12)) != shown(*map(obj, other))


def test_a_list_is_as_new_as_the_newest_object_it_may_hold() -> None:
    page = {"body": {"metadata": {"resourceVersion": "15"}, "items": []}}
    result = shown(obj(10), page, obj(20))
    assert versions(result) == ["<rv 1>", "<at rv 1>", "<rv 2>"]
    assert result[-1] == {"versions": "rv 1 < rv 2"}


@pytest.mark.parametrize(
    ("number", "symbol"), [("9", "<before all>"), ("10", "<at rv 1>"), ("19", "<at rv 1>"), ("21", "<at rv 2>")]
)
def test_planted_a_list_that_is_too_old_or_too_new(number: str, symbol: str) -> None:
    page = {"body": {"metadata": {"resourceVersion": number}, "items": []}}
    assert versions(shown(obj(10), obj(20), page))[-1] == symbol


def test_objects_in_a_list_keep_versions_of_their_own() -> None:
    page = {"body": {"metadata": {"resourceVersion": "15"}, "items": [{"metadata": {"resourceVersion": "11"}}]}}
    assert shown(page)[0]["body"]["items"][0]["metadata"]["resourceVersion"] == "<rv 1>"


def test_a_bookmark_counts_as_a_list() -> None:
    events = [
        {"type": "ADDED", "object": {"metadata": {"resourceVersion": "10"}}},
        {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "99"}}},
    ]
    found = shown({"read": "w", "events": events})
    assert [each["object"]["metadata"]["resourceVersion"] for each in found[0]["events"]] == ["<rv 1>", "<at rv 1>"]


def test_a_table_counts_as_a_list_and_its_rows_do_not() -> None:
    table = {
        "kind": "Table",
        "metadata": {"resourceVersion": "99"},
        "columnDefinitions": [],
        "rows": [{"cells": [], "object": {"metadata": {"resourceVersion": "5"}}}],
    }
    body = shown({"body": table})[0]["body"]
    assert body["metadata"]["resourceVersion"] == "<at rv 1>"
    assert body["rows"][0]["object"]["metadata"]["resourceVersion"] == "<rv 1>"


@pytest.mark.parametrize("word", ["", "abc", "0"])
def test_what_is_no_version_stays(word: str) -> None:
    assert versions(shown(obj(word), obj(5)))[0] == word


def test_a_version_within_a_message_is_the_same_as_outside() -> None:
    quoted = {"message": 'Invalid value: "{\\"resourceVersion\\":\\"77\\"}"'}
    assert shown(obj(77), quoted)[1] == {"message": 'Invalid value: "{\\"resourceVersion\\":\\"<rv 1>\\"}"'}


def test_a_picked_version_is_one_too() -> None:
    assert shown({"body": {"metadata.resourceVersion": "8"}})[0] == {"body": {"metadata.resourceVersion": "<rv 1>"}}


def test_a_continue_token_is_there_or_not() -> None:
    page = {"metadata": {"continue": "eyJ2Ijoi", "resourceVersion": ""}, "items": []}
    assert shown({"body": page})[0]["body"]["metadata"]["continue"] == "<continue>"
    assert not shown({"body": {"metadata": {"continue": ""}, "items": []}})[0]["body"]["metadata"]["continue"]


# --- uids, names, times -----------------------------------------------------------------------------------------------


def test_uids_are_named_by_first_appearance_also_within_text() -> None:
    result = shown({"uid": ONE}, {"message": f"of {TWO}, not {ONE}"})
    assert result == [{"uid": "<uid 1>"}, {"message": "of <uid 2>, not <uid 1>"}]


def test_planted_a_uid_that_should_have_stayed_the_same() -> None:
    assert shown({"uid": ONE}, {"uid": ONE}) != shown({"uid": ONE}, {"uid": TWO})


def test_what_was_made_up_for_a_case_is_named_in_keys_too() -> None:
    result = shown({"metadata": {"namespace": "t0123abcd", "t0123abcd/x": "things.g0123abcd.example.com"}})
    assert result == [{"metadata": {"namespace": "<ns>", "<ns>/x": "things.<group>"}}]


def test_generated_names_are_told_apart() -> None:
    records = [{"name": "made-bcdfg"}, {"name": "made-zzzzz"}, {"message": 'pods "made-bcdfg" not found'}]
    result = shown(*records, generated=("made-",))
    assert result == [
        {"name": "made-<random 1>"},
        {"name": "made-<random 2>"},
        {"message": 'pods "made-<random 1>" not found'},
    ]


@pytest.mark.parametrize("name", ["made-abc", "made-aeiou", "made-bcdfgh", "other-bcdfg"])
def test_planted_a_generated_name_of_the_wrong_shape(name: str) -> None:
    assert shown({"name": name}, generated=("made-",)) == [{"name": name}]


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("2030-01-01T11:59:58Z", "<time>"),
        ("2030-01-01T12:00:01.123456Z", "<microtime>"),
        ("2030-01-01T12:00:01.123456789Z", "<precise time>"),
        ("2030-01-01T14:00:00+02:00", "<time>"),
        ("2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z"),
        ("2030-99-01T00:00:00Z", "2030-99-01T00:00:00Z"),
    ],
)
def test_times_about_now_are_named_by_their_form(text: str, symbol: str) -> None:
    assert shown({"t": text}) == [{"t": symbol}]


def test_managers_are_sorted_because_the_server_sorts_them_by_the_second() -> None:
    one, two = {"manager": "b", "operation": "Update"}, {"manager": "a", "operation": "Update"}
    assert shown({"managedFields": [one, two]}) == shown({"managedFields": [two, one]})
    assert shown({"managedFields": [one, two]}) != shown({"managedFields": [one, one]})
    assert shown({"metadata.managedFields": [one, two]}) == shown({"metadata.managedFields": [two, one]}), "picked"


# --- Tables -----------------------------------------------------------------------------------------------------------


def table(cells: list[Any], columns: list[str] | None) -> dict[str, Any]:
    named = None if columns is None else [{"name": name} for name in columns]
    return {"body": {"kind": "Table", "columnDefinitions": named, "rows": [{"cells": cells}]}}


def cells(record: dict[str, Any]) -> Any:
    return shown(record)[0]["body"]["rows"][0]["cells"]


def test_an_age_is_named_and_its_neighbours_stay() -> None:
    assert cells(table(["p", "5s", "2m3s"], ["Name", "Size", "Age"])) == ["p", "5s", "<age>"]


def test_a_table_without_columns_names_all_that_looks_like_an_age() -> None:
    assert cells(table(["p", "5s", "0/1"], None)) == ["p", "<age>", "0/1"]


@pytest.mark.parametrize("age", ["<unknown>", "<invalid>", "", None, "5 s"])
def test_planted_an_age_that_is_none(age: Any) -> None:
    assert cells(table(["p", age], ["Name", "Age"]))[1] == age


# --- nothing else changes ---------------------------------------------------------------------------------------------


def test_the_transcript_itself_stays_as_it_is() -> None:
    record = {"body": {"metadata": {"resourceVersion": "5", "uid": ONE}}}
    shown(record)
    assert record == {"body": {"metadata": {"resourceVersion": "5", "uid": ONE}}}


@pytest.mark.parametrize(
    "planted",
    [
        {"code": 409},
        {"headers": {"warning": ["299 - x"]}},
        {"body": {"a": 2}},
        {"body": {"a": "1"}},
        {"body": {"a": 1, "b": None}},
        {"body": {}},
    ],
    ids=["code", "header", "value", "type", "field more", "field less"],
)
def test_planted_differences_survive(planted: dict[str, Any]) -> None:
    record = {"code": 200, "headers": {}, "body": {"a": 1}}
    assert len(differences("c", shown(record), shown({**record, **planted}))) == 1


def fault(*fields: str) -> dict[str, Any]:
    causes = [{"reason": "FieldValueInvalid", "message": f"Invalid value: {field}", "field": field} for field in fields]
    told = ", ".join(f"{each['field']}: {each['message']}" for each in causes)
    return {"reason": "Invalid", "message": f'Widget "c" is invalid: [{told}]', "details": {"causes": causes}}


def test_the_order_of_faults_means_nothing_and_the_faults_do() -> None:
    assert calm([{"body": fault("a", "b")}]) == calm([{"body": fault("b", "a")}])
    assert calm(fault("a", "b")) != calm(fault("a", "c"))
    assert calm(fault("a", "b")) != calm(fault("a"))
