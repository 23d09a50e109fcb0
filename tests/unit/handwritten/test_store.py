"""Covers the store: keys, the indexes through every kind of change, snapshots, errors that change nothing.

Names follow client-go's thread_safe_store_test.go, store_test.go and index_test.go. Left out: who may believe the
store's version (test_informer.py).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handwritten.store import (
    NAMESPACE_INDEX,
    Change,
    Indexer,
    IndexerConflict,
    IndexFunctionError,
    Object,
    ObjectKeyError,
    TransactionError,
    UnknownIndex,
    index_by_namespace,
    meta_namespace_key,
    split_meta_namespace_key,
)
from handwritten.watch_list import TemporaryStore

INDEX = "testIndex"


def thing(name: str, *values: str, namespace: str = "", version: str = "1") -> Object:
    """An object that `by_values` indexes under `values`."""
    metadata: dict[str, Any] = {"name": name, "resourceVersion": version}
    if namespace:
        metadata["namespace"] = namespace
    return {"metadata": metadata, "values": list(values)}


def by_values(obj: Object) -> Iterable[str]:
    return [str(value) for value in obj["values"]]


def indexed() -> Indexer:
    return Indexer({INDEX: by_values})


def names(objects: Iterable[Object]) -> set[str]:
    return {obj["metadata"]["name"] for obj in objects}


# ---------------------------------------------------------------------------------------------------- keys


@pytest.mark.statement("TS-1")
@pytest.mark.parametrize(
    ("obj", "key"),
    [(thing("web"), "web"), (thing("web", namespace="prod"), "prod/web"), ({"metadata": {"name": "a"}}, "a")],
)
def test_meta_namespace_key(obj: Object, key: str) -> None:
    assert meta_namespace_key(obj) == key


@pytest.mark.statement("TS-11")
@pytest.mark.parametrize(
    "obj",
    [
        {},
        None,
        [],
        {"metadata": None},
        {"metadata": {}},
        {"metadata": {"name": ""}},
        {"metadata": {"name": 7}},
        {"metadata": {"name": "web", "namespace": 7}},
    ],
)
def test_an_object_without_a_name_has_no_key_and_the_error_carries_it(obj: object) -> None:
    with pytest.raises(ObjectKeyError) as caught:
        meta_namespace_key(obj)
    assert caught.value.object is obj
    assert caught.value.hint
    missing = "a name" if isinstance(obj, dict) and isinstance(obj.get("metadata"), dict) else "metadata"
    assert str(caught.value) == f"an object without {missing} has no key"


@pytest.mark.statement("TS-1")
@pytest.mark.parametrize(("key", "parts"), [("web", ("", "web")), ("prod/web", ("prod", "web")), ("/web", ("", "web"))])
def test_split_meta_namespace_key(key: str, parts: tuple[str, str]) -> None:
    assert split_meta_namespace_key(key) == parts


@pytest.mark.statement("TS-1")
def test_split_meta_namespace_key_refuses_two_slashes() -> None:
    with pytest.raises(ValueError, match="a/b/c"):
        split_meta_namespace_key("a/b/c")


# --------------------------------------------------------------------------------------------------- store


def test_cache() -> None:
    store = Indexer()
    store.add(thing("a"))
    assert store.get_by_key("a") == thing("a")
    assert store.get(thing("a", "other content")) == thing("a")
    store.update(thing("a", version="2"))
    assert store.get_by_key("a") == thing("a", version="2")
    store.delete(thing("a"))
    assert store.get_by_key("a") is None
    store.delete(thing("a"))  # gone already: no error
    store.replace([thing("b"), thing("c")], "7")
    assert sorted(store.list_keys()) == ["b", "c"]
    assert names(store.list()) == {"b", "c"}
    assert store.resource_version == "7"


def test_an_object_without_a_key_is_refused_and_nothing_changes() -> None:
    store = indexed()
    store.replace([thing("a", "x")], "1")
    nameless: Object = {"metadata": {}}
    changes: list[Callable[[], None]] = [
        lambda: store.add(nameless),
        lambda: store.update(nameless),
        lambda: store.delete(nameless),
        lambda: store.replace([thing("b"), nameless], "2"),
    ]
    for change in changes:
        with pytest.raises(ObjectKeyError):
            change()
    assert store.list_keys() == ["a"]
    assert store.resource_version == "1"


@pytest.mark.statement("TS-11")
def test_key_error() -> None:
    """The error carries the object, and the cause where another error was it."""
    given: Object = {"metadata": None}

    def key(obj: Object) -> str:
        try:
            return str(obj["metadata"]["name"])
        except TypeError as error:
            raise ObjectKeyError("no key", obj) from error

    with pytest.raises(ObjectKeyError) as caught:
        Indexer(key_function=key).add(given)
    assert caught.value.object is given
    assert isinstance(caught.value.__cause__, TypeError)


def test_object_names() -> None:
    """A key is made of a name and taken apart again, with a namespace and without."""
    for namespace, name in (("default", "web"), ("", "node-1")):
        key = meta_namespace_key({"metadata": {"namespace": namespace, "name": name}})
        assert split_meta_namespace_key(key) == (namespace, name)


def test_cache_with_transformer() -> None:
    """A store that transforms on its way in, as the watch list's temporary one does."""
    store = TemporaryStore(lambda obj: obj | {"seen": True})
    store.add(thing("a"))
    store.update(thing("b"))
    store.delete(thing("a"))
    assert [(obj["metadata"]["name"], obj["seen"]) for obj in store.list()] == [("b", True)]


@pytest.mark.statement("TS-9")
def test_a_list_is_a_snapshot() -> None:
    store = Indexer()
    store.add(thing("a"))
    before = store.list()
    store.add(thing("b"))
    store.delete(thing("a"))
    assert names(before) == {"a"}


@pytest.mark.statement("TS-9")
def test_reads_while_others_write_see_each_object_whole() -> None:
    """Every object is under both its values or under none of them, whenever one looks."""
    store = indexed()
    stop = threading.Event()

    def write() -> None:
        for turn in range(300):
            store.replace([thing(f"o{i}", f"v{turn}") for i in range(5)], str(turn))
        stop.set()

    writer = threading.Thread(target=write)
    writer.start()
    torn = []
    while not stop.is_set():
        values = {value for obj in store.list() for value in by_values(obj)}
        if len(values) > 1:
            torn.append(values)
    writer.join()
    assert torn == []


# ------------------------------------------------------------------------------------------------- indexes


@pytest.mark.statement("TS-3")
def test_thread_safe_store_delete_removes_empty_sets_from_index() -> None:
    store = indexed()
    store.add(thing("a", "x"))
    assert store.list_index_func_values(INDEX) == ["x"]
    store.delete(thing("a"))
    assert store.list_index_func_values(INDEX) == []
    assert store._indexes[INDEX].keys == {}


@pytest.mark.statement("TS-3")
def test_thread_safe_store_add_keeps_non_empty_set_post_delete_from_index() -> None:
    store = indexed()
    store.add(thing("a", "x"))
    store.add(thing("b", "x"))
    store.delete(thing("a"))
    assert store.index_keys(INDEX, "x") == ["b"]


@pytest.mark.statement("TS-2", "TS-4")
def test_thread_safe_store_indexing_functions_with_multiple_values() -> None:
    """The steps of client-go's table: each changes one object and looks at all sets."""
    store = indexed()

    def sets() -> dict[str, set[str]]:
        return {value: set(store.index_keys(INDEX, value)) for value in store.list_index_func_values(INDEX)}

    store.add(thing("key1", "foo"))
    assert sets() == {"foo": {"key1"}}
    store.update(thing("key1", "foo"))
    assert sets() == {"foo": {"key1"}}
    store.update(thing("key1", "foo", "bar"))
    assert sets() == {"foo": {"key1"}, "bar": {"key1"}}
    store.add(thing("key2", "foo", "bar"))
    assert sets() == {"foo": {"key1", "key2"}, "bar": {"key1", "key2"}}
    store.update(thing("key1", "bar"))
    assert sets() == {"foo": {"key2"}, "bar": {"key1", "key2"}}
    store.update(thing("key1"))
    assert sets() == {"foo": {"key2"}, "bar": {"key2"}}
    store.update(thing("key2", "baz"))
    assert sets() == {"baz": {"key2"}}
    store.delete(thing("key2"))
    assert sets() == {}
    store.replace([thing("key3", "foo"), thing("key4", "foo", "bar")])
    assert sets() == {"foo": {"key3", "key4"}, "bar": {"key4"}}
    store.replace([])
    assert sets() == {}


@pytest.mark.statement("TS-4")
def test_index() -> None:
    """`index` gives the union over the values of the object asked for, each object once."""
    store = indexed()
    for obj in (thing("a", "x"), thing("b", "y"), thing("c", "x", "y"), thing("d", "z")):
        store.add(obj)
    found = store.index(INDEX, thing("not stored", "x", "y"))
    assert sorted(obj["metadata"]["name"] for obj in found) == ["a", "b", "c"]
    assert names(store.by_index(INDEX, "y")) == {"b", "c"}
    assert store.by_index(INDEX, "nobody") == []


@pytest.mark.statement("TS-5")
def test_get_index_func_values() -> None:
    store = indexed()
    store.add(thing("a", "x", "x", "y"))
    assert sorted(store.list_index_func_values(INDEX)) == ["x", "y"]
    assert names(store.by_index(INDEX, "x")) == {"a"}
    assert store.list_index_func_values("unknown") == []


@pytest.mark.statement("TS-5")
def test_multi_index_keys() -> None:
    store = Indexer({INDEX: by_values, NAMESPACE_INDEX: index_by_namespace})
    store.add(thing("b", "x", namespace="prod"))
    store.add(thing("a", "x", namespace="prod"))
    store.add(thing("c", "x", namespace="test"))
    store.add(thing("node", "x"))
    assert store.index_keys(INDEX, "x") == ["node", "prod/a", "prod/b", "test/c"]
    assert store.index_keys(NAMESPACE_INDEX, "prod") == ["prod/a", "prod/b"]
    store.delete(thing("a", namespace="prod"))
    assert store.index_keys(INDEX, "x") == ["node", "prod/b", "test/c"]
    assert store.index_keys(NAMESPACE_INDEX, "prod") == ["prod/b"]


@pytest.mark.statement("TS-5")
def test_an_unknown_index_is_an_error() -> None:
    store = indexed()
    for read in (
        lambda: store.by_index("owner", "x"),
        lambda: store.index_keys("owner", "x"),
        lambda: store.index("owner", thing("a")),
    ):
        with pytest.raises(UnknownIndex, match="owner"):
            read()


@pytest.mark.statement("TS-6")
def test_add_indexers_indexes_what_is_there() -> None:
    store = Indexer()
    store.add(thing("a", "x", namespace="prod"))
    store.add_indexers({INDEX: by_values, NAMESPACE_INDEX: index_by_namespace})
    assert names(store.by_index(INDEX, "x")) == {"a"}
    assert store.index_keys(NAMESPACE_INDEX, "prod") == ["prod/a"]
    assert store.index_names == [INDEX, NAMESPACE_INDEX]


@pytest.mark.statement("TS-6")
def test_indexes_that_are_added_later_leave_the_earlier_ones() -> None:
    store = indexed()
    store.add(thing("a", "x", namespace="prod"))
    store.add_indexers({NAMESPACE_INDEX: index_by_namespace})
    assert store.index_keys(INDEX, "x") == ["prod/a"]
    assert store.index_keys(NAMESPACE_INDEX, "prod") == ["prod/a"]


def test_an_object_without_a_namespace_is_not_in_the_index_of_namespaces() -> None:
    store = Indexer({NAMESPACE_INDEX: index_by_namespace})
    store.add(thing("node-1"))
    assert store.list_index_func_values(NAMESPACE_INDEX) == []


@pytest.mark.statement("TS-4")
def test_a_value_that_no_object_has_gives_nothing() -> None:
    store = indexed()
    store.add(thing("a", "x"))
    assert store.index_keys(INDEX, "y") == []
    assert store.by_index(INDEX, "y") == []
    assert store.index(INDEX, thing("b", "y")) == []


def test_a_delete_by_key_takes_that_object_out_of_store_and_indexes() -> None:
    store = indexed()
    for name in ("a", "b"):
        store.add(thing(name, "x"))
    store.delete_by_key("a")
    store.delete_by_key("nobody")
    assert store.list_keys() == store.index_keys(INDEX, "x") == ["b"]


@pytest.mark.statement("TS-7")
@pytest.mark.parametrize(
    "way",
    [
        lambda store: store.add(thing("bad")),
        lambda store: store.replace([thing("bad")]),
        lambda store: (store.replace([]), store.add(thing("bad"))),
        lambda store: store.add_indexers({"other": lambda obj: [obj["other"]]}),
    ],
    ids=["added", "listed", "added after a list", "indexed later"],
)
def test_the_error_of_an_index_function_names_index_and_object(way: Callable[[Indexer], object]) -> None:
    """Whichever way the object came in: who reads this has to find the function."""
    store = Indexer({"team": lambda obj: [obj["team"]]})
    store.add(thing("good") | {"team": "red"})
    with pytest.raises(IndexFunctionError, match=r"^index '(team|other)': no values for object '(bad|good)'"):
        way(store)


@pytest.mark.statement("TS-7")
def test_an_object_to_compare_with_needs_no_key() -> None:
    store = Indexer({"team": lambda obj: [obj["team"]]})
    with pytest.raises(IndexFunctionError, match=r"^index 'team': no values for object ''"):
        store.index("team", {})


@pytest.mark.statement("TS-6")
def test_add_indexers_with_a_name_that_is_taken_adds_nothing() -> None:
    store = indexed()
    with pytest.raises(IndexerConflict, match=INDEX):
        store.add_indexers({NAMESPACE_INDEX: index_by_namespace, INDEX: by_values})
    assert store.index_names == [INDEX]
    store.add_indexers({"b": by_values})
    with pytest.raises(IndexerConflict, match=f": b, {INDEX}$"):
        store.add_indexers({INDEX: by_values, "b": by_values})


@pytest.mark.statement("TS-7")
def test_an_index_function_that_raises_leaves_store_and_indexes_as_they_were() -> None:
    def picky(obj: Object) -> Iterable[str]:
        return [obj["team"]]

    store = Indexer({INDEX: by_values, "team": picky})
    store.add(thing("a", "x") | {"team": "red"})
    changes: list[Callable[[], None]] = [
        lambda: store.update(thing("a", "y")),
        lambda: store.add(thing("b", "y")),
        lambda: store.replace([thing("c", "y")], "9"),
        lambda: store.add_indexers({"colour": lambda obj: [obj["colour"]]}),
    ]
    for change in changes:
        with pytest.raises(IndexFunctionError) as caught:
            change()
        assert isinstance(caught.value.__cause__, KeyError)
    assert store.list_index_func_values(INDEX) == ["x"]
    assert names(store.by_index("team", "red")) == {"a"}
    assert store.list_keys() == ["a"]
    assert store.index_names == [INDEX, "team"]


def test_an_index_function_that_returns_one_string_is_refused() -> None:
    """Else every letter of it would be a value."""
    store = Indexer({INDEX: lambda obj: str(obj["metadata"]["name"])})
    with pytest.raises(IndexFunctionError, match="iterable of strings"):
        store.add(thing("web"))


def test_an_object_that_a_reader_changed_leaves_no_index_entry_behind() -> None:
    store = indexed()
    obj = thing("a", "x")
    store.add(obj)
    obj["values"] = ["y"]
    store.delete(thing("a"))
    assert store.list_index_func_values(INDEX) == []


def test_by_index_does_not_look_at_other_objects() -> None:
    """The cost of `by_index` is that of its result: 20 000 other objects are not touched."""

    class Counting(dict[str, Object]):
        reads = 0

        def __getitem__(self, key: str) -> Object:
            Counting.reads += 1
            return super().__getitem__(key)

    store = indexed()
    store.replace([thing(f"o{i}", f"v{i // 2}") for i in range(20_000)])
    store._items = Counting(store._items)
    assert names(store.by_index(INDEX, "v7")) == {"o14", "o15"}
    assert Counting.reads == 2


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["add", "update", "delete", "replace"]),
            st.lists(
                st.tuples(st.sampled_from("abcd"), st.lists(st.sampled_from("xyz"), max_size=3)),
                min_size=1,
                max_size=4,
            ),
        ),
        max_size=30,
    )
)
def test_any_changes_leave_the_indexes_as_if_built_anew(changes: list[tuple[str, list[tuple[str, list[str]]]]]) -> None:
    store = indexed()
    model: dict[str, Object] = {}
    for verb, content in changes:
        objects = [thing(name, *values) for name, values in content]
        if verb == "replace":
            store.replace(objects)
            model = {obj["metadata"]["name"]: obj for obj in objects}
            continue
        name = objects[0]["metadata"]["name"]
        getattr(store, verb)(objects[0])
        model[name] = objects[0]
        if verb == "delete":
            del model[name]
    values = {value for obj in model.values() for value in by_values(obj)}
    assert {key: store.get_by_key(key) for key in store.list_keys()} == model
    assert set(store.list_index_func_values(INDEX)) == values
    for value in values:
        assert store.index_keys(INDEX, value) == sorted(k for k, obj in model.items() if value in obj["values"])


# ------------------------------------------------------------------------------------- the store's version


@pytest.mark.statement("TS-10")
@pytest.mark.parametrize("verb", ["add", "update", "delete"])
def test_thread_safe_store_rv(verb: str) -> None:
    """The last object's, even where it is deleted; one without a version changes nothing."""
    store = Indexer()
    assert store.resource_version == ""
    getattr(store, verb)(thing("a", version="7"))
    assert store.resource_version == "7"
    bare = {"metadata": {"name": "b"}}
    getattr(store, verb)(bare)
    assert store.resource_version == "7"
    getattr(store, verb)(thing("a", version="3"))
    assert store.resource_version == "3"


@pytest.mark.statement("TS-8", "TS-10")
def test_the_version_of_a_list_and_of_a_bookmark_are_the_store_s() -> None:
    store = Indexer()
    store.replace([thing("a", version="1")], "20")
    assert store.resource_version == "20"
    store.delete_by_key("a")
    assert store.resource_version == "20"
    store.bookmark("30")
    assert store.resource_version == "30"


@pytest.mark.statement("TS-10")
def test_a_transaction_leaves_the_version_of_its_last_object() -> None:
    store = Indexer()
    store.transaction(
        [Change(thing("a", version="9")), Change(thing("c", version="2")), Change(thing("b", version="4"))]
    )
    assert store.resource_version == "4"
    store.transaction([Change(thing("a", version="5")), Change(None, deleted=True, key="b")])
    assert store.resource_version == "4"
    store.transaction([Change(thing("c", version="6"))], resource_version="8")
    assert store.resource_version == "8"
    store.transaction([])
    assert store.resource_version == "8"
    # A version that is no text is none; the API's are, whatever they look like.
    store.add({"metadata": {"name": "odd", "resourceVersion": 17}})
    assert store.resource_version == "8"
    store.replace([])
    assert store.resource_version == ""


# ------------------------------------------------------------------------------------------ transactions


@pytest.mark.statement("PD-3")
def test_cache_transaction_should_index_errors() -> None:
    """A change that is refused is named by its place, and costs no other."""
    store = Indexer({INDEX: lambda obj: [obj["must"]]})
    with pytest.raises(TransactionError) as caught:
        store.transaction(
            [
                Change({"metadata": {"name": "a"}, "must": "x"}),
                Change({"metadata": {"name": "b"}}),
                Change({"metadata": {}}),
                Change({"metadata": {"name": "c"}, "must": "x"}),
                Change(None),
            ]
        )
    assert {place: type(error) for place, error in caught.value.errors.items()} == {
        1: IndexFunctionError,
        2: ObjectKeyError,
        4: ObjectKeyError,
    }
    assert store.index_keys(INDEX, "x") == ["a", "c"]
    assert "3 changes were refused" in str(caught.value)


def test_a_transaction_takes_out_by_object_and_by_key() -> None:
    store = indexed()
    store.transaction([Change(thing("a", "x")), Change(thing("b", "x")), Change(thing("c", "x"))])
    store.transaction([Change(thing("a", "x"), deleted=True), Change(None, deleted=True, key="b")])
    assert store.index_keys(INDEX, "x") == ["c"]
    assert store.list_keys() == ["c"]


@pytest.mark.statement("TS-9")
def test_a_reader_sees_a_transaction_whole_or_not_at_all() -> None:
    store, seen, done = Indexer(), set[int](), threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.add(len(store.list()))

    reader = threading.Thread(target=read)
    reader.start()
    everything = [Change(thing(str(i))) for i in range(50)]
    for _ in range(50):
        store.transaction(everything)
        store.transaction([Change(each.obj, deleted=True) for each in everything])
    done.set()
    reader.join()
    assert seen <= {0, 50}
