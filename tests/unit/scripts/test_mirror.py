"""What kopf's events and a list of our own make of one kind, in every order in which they may come.

Left out: kopf, threads, and what is done about a change (tests/variants, test_nginxpod_operator.py).
"""

from __future__ import annotations

from typing import Any

import pytest
from mirror import Mirror

from handwritten.fifo import DeletedFinalStateUnknown
from handwritten.store import Indexer
from support.builders import NAMESPACE
from twinloop.errors import Unavailable
from twinloop.kube import Object


def thing(name: str, version: int | str, uid: str = "") -> Object:
    metadata = {"name": name, "namespace": NAMESPACE, "uid": uid or f"uid-{name}", "resourceVersion": str(version)}
    return {"metadata": metadata}


def listed(version: int, *items: Object) -> Object:
    return {"metadata": {"resourceVersion": str(version)}, "items": [*items]}


class Heard:
    """A handler that writes down what it hears."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def on_add(self, obj: Object, is_in_initial_list: bool) -> None:
        self.words.append(f"add {shown(obj)}{' at first' if is_in_initial_list else ''}")

    def on_update(self, old: Object, new: Object) -> None:
        self.words.append(f"update {shown(old)} to {shown(new)}")

    def on_delete(self, obj: Object | DeletedFinalStateUnknown) -> None:
        if isinstance(obj, DeletedFinalStateUnknown):
            self.words.append(f"vanished {obj.key}")
        else:
            self.words.append(f"delete {shown(obj)}")


def shown(obj: Object) -> str:
    return f"{obj['metadata']['name']}@{obj['metadata']['resourceVersion']}"


class Case:
    """A mirror, what its handler heard, and what it holds."""

    def __init__(self, **indexers: Any) -> None:
        self.heard = Heard()
        self.indexer = Indexer(indexers)
        self.mirror = Mirror(self.indexer, self.heard)

    @property
    def holds(self) -> list[str]:
        return sorted(shown(obj) for obj in self.indexer.list())

    def refresh(self, answer: Object) -> None:
        self.mirror.refresh(lambda: answer)


@pytest.fixture
def case() -> Case:
    return Case()


def test_events_are_kept_and_told(case: Case) -> None:
    case.mirror.apply("ADDED", thing("a", 1))
    case.mirror.apply("MODIFIED", thing("a", 2))
    case.mirror.apply("DELETED", thing("a", 3))
    assert case.holds == []
    assert case.heard.words == ["add a@1", "update a@1 to a@2", "delete a@3"]


def test_an_object_that_kopf_lists_comes_without_a_type(case: Case) -> None:
    case.mirror.apply(None, thing("a", 1))
    assert case.holds == ["a@1"]


def test_it_is_synced_by_a_list_and_not_by_events(case: Case) -> None:
    case.mirror.apply("ADDED", thing("a", 1))
    before = case.mirror.synced
    case.refresh(listed(5, thing("a", 1), thing("b", 2)))
    assert (before, case.mirror.synced) == (False, True)
    assert case.heard.words == ["add a@1", "add b@2 at first"]


def test_what_vanished_is_found_by_the_next_list(case: Case) -> None:
    case.refresh(listed(5, thing("a", 1), thing("b", 2)))
    case.refresh(listed(9, thing("b", 2)))
    assert case.holds == ["b@2"]
    assert case.heard.words[-1] == f"vanished {NAMESPACE}/a"


def test_the_same_version_again_is_no_news(case: Case) -> None:
    case.refresh(listed(5, thing("a", 1)))
    case.mirror.apply(None, thing("a", 1))
    case.refresh(listed(6, thing("a", 1)))
    assert case.heard.words == ["add a@1 at first"]


def test_an_event_that_is_older_than_the_list_changes_nothing(case: Case) -> None:
    case.refresh(listed(9, thing("a", 8)))
    case.mirror.apply("MODIFIED", thing("a", 7))
    assert case.holds == ["a@8"]


@pytest.mark.parametrize("version", [7, 9])
@pytest.mark.parametrize("kind", ["ADDED", "MODIFIED", None])
def test_an_event_brings_nothing_back_that_a_list_no_older_than_it_did_not_show(
    case: Case, kind: str | None, version: int
) -> None:
    case.refresh(listed(5, thing("a", 4)))
    case.refresh(listed(9))
    case.mirror.apply(kind, thing("a", version))
    assert case.holds == []
    assert case.heard.words == ["add a@4 at first", f"vanished {NAMESPACE}/a"]


def test_an_event_may_bring_back_the_name_of_what_a_list_did_not_show(case: Case) -> None:
    case.refresh(listed(5, thing("a", 4)))
    case.refresh(listed(9))
    # As text, 10 would come before 9.
    case.mirror.apply("ADDED", thing("a", 10, uid="another"))
    assert case.holds == ["a@10"]


def test_an_event_that_cannot_be_ordered_against_the_list_is_taken(case: Case) -> None:
    case.refresh({"metadata": {"resourceVersion": "x"}, "items": []})
    case.mirror.apply("ADDED", thing("a", "b"))
    case.mirror.apply("ADDED", thing("c", 1))
    assert case.holds == ["a@b", "c@1"]


def test_only_a_list_that_was_read_outdates_events(case: Case) -> None:
    case.refresh(listed(5))

    def read() -> Object:
        raise Unavailable("away")

    with pytest.raises(Unavailable):
        case.mirror.refresh(read)
    case.mirror.apply("ADDED", thing("a", 6))
    assert case.holds == ["a@6"]


def test_a_list_that_is_older_than_an_event_changes_nothing(case: Case) -> None:
    case.mirror.apply("ADDED", thing("a", 10))
    case.mirror.apply("ADDED", thing("b", 11))
    case.refresh(listed(9, thing("a", 8)))
    assert case.holds == ["a@10", "b@11"]


def test_what_was_deleted_while_the_list_was_read_does_not_come_back(case: Case) -> None:
    case.mirror.apply("ADDED", thing("a", 1))

    def read() -> Object:
        case.mirror.apply("DELETED", thing("a", 6))
        return listed(5, thing("a", 1))

    case.mirror.refresh(read)
    assert case.holds == []


def test_a_deletion_before_the_list_was_asked_for_is_the_list_s_business(case: Case) -> None:
    case.mirror.apply("DELETED", thing("a", 3))
    case.refresh(listed(5, thing("a", 4, uid="another")))
    assert case.holds == ["a@4"]


def test_versions_are_compared_as_numbers(case: Case) -> None:
    case.mirror.apply("ADDED", thing("a", 9))
    case.mirror.apply("MODIFIED", thing("a", 10))
    assert case.holds == ["a@10"]


def test_versions_that_are_no_numbers_are_taken_as_they_come(case: Case) -> None:
    case.mirror.apply("ADDED", thing("a", "x"))
    case.mirror.apply("MODIFIED", thing("a", "b"))
    assert case.holds == ["a@b"]


def test_the_late_deletion_of_a_predecessor_leaves_the_successor_alone(case: Case) -> None:
    case.mirror.apply("ADDED", thing("a", 1, uid="first"))
    case.mirror.apply("ADDED", thing("a", 4, uid="second"))
    case.mirror.apply("DELETED", thing("a", 3, uid="first"))
    assert case.holds == ["a@4"]
    assert case.heard.words == ["add a@1", "update a@1 to a@4"]


def test_a_list_that_cannot_be_read_leaves_everything_as_it_was(case: Case) -> None:
    case.refresh(listed(5, thing("a", 1)))

    def read() -> Object:
        raise Unavailable("away")

    with pytest.raises(Unavailable):
        case.mirror.refresh(read)
    assert case.holds == ["a@1"]
    assert case.mirror.synced


def test_deletions_are_kept_only_while_a_list_is_read(case: Case) -> None:
    def read() -> Object:
        raise Unavailable("away")

    with pytest.raises(Unavailable):
        case.mirror.refresh(read)
    case.mirror.apply("ADDED", thing("a", 1))
    case.mirror.apply("DELETED", thing("a", 2))
    # For ever would be a leak: a busy cluster deletes pods all day.
    assert case.mirror._deleted is None


def test_an_object_that_cannot_be_indexed_costs_that_object_alone(caplog: pytest.LogCaptureFixture) -> None:
    def strict(obj: Object) -> list[str]:
        if obj["metadata"]["name"] == "bad":
            raise ValueError("strange")
        return []

    case = Case(strict=strict)
    case.refresh(listed(5, thing("bad", 1), thing("good", 2)))
    assert case.holds == ["good@2"]
    assert case.mirror.synced
    assert "cannot be kept" in caplog.text
