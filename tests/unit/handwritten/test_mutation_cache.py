"""Reading one's own writes before the watch shows them (client-go: tools/cache/mutation_cache.go).

Left out: who feeds it (test_nginxpod_operator.py) and contention between threads.
"""

from __future__ import annotations

from handwritten.mutation_cache import MAX_GONE, MutationCache, Object
from handwritten.testing import FakeClock


def obj(version: int | str, *, name: str = "a", uid: str = "u", group: str = "g", **metadata: object) -> Object:
    return {
        "metadata": {"namespace": "n", "name": name, "uid": uid, "resourceVersion": str(version), **metadata},
        "group": group,
    }


def cache(clock: FakeClock | None = None) -> MutationCache:
    return MutationCache(lambda o: str(o["group"]), clock=clock or FakeClock(), ttl=30)


def test_an_object_that_the_cache_does_not_know_yet_is_added() -> None:
    own = cache()
    own.written(obj(5))
    assert own.overlay("g", []) == [obj(5)]


def test_the_newer_of_the_two_versions_wins_by_number() -> None:
    own = cache()
    own.written(obj(10))
    assert own.overlay("g", [obj(9)]) == [obj(10)]
    own.written(obj(10))
    assert own.overlay("g", [obj(100)]) == [obj(100)]


def test_versions_that_are_no_numbers_leave_the_cache_in_the_right() -> None:
    own = cache()
    own.written(obj("b"))
    assert own.overlay("g", [obj("a")]) == [obj("a")]


def test_groups_do_not_see_each_others_objects() -> None:
    own = cache()
    own.written(obj(5))
    assert own.overlay("other", []) == []


def test_an_event_with_our_version_or_a_later_one_ends_the_entry() -> None:
    for version in (5, 6):
        own = cache()
        own.written(obj(5))
        own.seen(obj(version))
        assert own.unconfirmed("g") is None


def test_an_event_from_before_our_write_does_not() -> None:
    own = cache()
    own.written(obj(5))
    own.seen(obj(4))
    assert own.overlay("g", [obj(4)]) == [obj(5)]


def test_an_entry_that_no_event_confirms_expires() -> None:
    clock = FakeClock()
    own = cache(clock)
    own.written(obj(5))
    clock.step(20)
    assert own.unconfirmed("g") == 10
    clock.step(10)
    assert own.overlay("g", []) == []
    assert own.unconfirmed("g") is None


def test_an_object_that_is_gone_is_hidden_until_the_cache_drops_it() -> None:
    own = cache()
    own.written(obj(5))
    own.removed(obj(5))
    assert own.overlay("g", [obj(5)]) == []
    assert own.overlay("g", [obj(7, uid="successor")]) == [obj(7, uid="successor")]


def test_an_answer_that_comes_after_the_deletion_event_is_not_put_back() -> None:
    own = cache()
    own.removed(obj(6))
    own.written(obj(5))
    assert own.overlay("g", []) == []


def test_a_successor_under_the_same_name_survives_its_predecessors_deletion_event() -> None:
    own = cache()
    own.written(obj(8, uid="successor"))
    own.removed(obj(7))
    assert own.overlay("g", []) == [obj(8, uid="successor")]


def test_an_entry_whose_event_came_before_the_answer_is_dropped_at_the_next_look() -> None:
    own = cache()
    own.seen(obj(5))
    own.written(obj(5))
    own.overlay("g", [obj(5)])
    assert own.unconfirmed("g") is None


def test_our_own_version_is_recognised_and_no_other() -> None:
    own = cache()
    own.written(obj(5))
    assert own.is_ours(obj(5))
    assert not own.is_ours(obj(6))
    assert not own.is_ours(obj(5, uid="other"))
    assert not own.is_ours(obj(5, name="b"))


def test_what_is_remembered_of_the_gone_is_bounded() -> None:
    own = cache()
    own.removed(obj(1, uid="first"))
    for number in range(MAX_GONE):
        own.removed(obj(1, uid=f"later-{number}"))
    assert own.overlay("g", [obj(1, uid="first")]) == [obj(1, uid="first")]
    assert own.overlay("g", [obj(1, uid="later-0")]) == []


def test_an_entry_whose_object_is_gone_under_another_group_is_dropped() -> None:
    own = cache()
    own.written(obj(5))
    own.removed(obj(6, group="other"))
    assert own.overlay("g", []) == []
