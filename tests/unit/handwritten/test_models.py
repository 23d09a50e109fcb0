"""State machines: store and RealFIFO against models written down without regard to cost.

The work queue's, the delaying queue's and DeltaFIFO's models are in their own test files. Left out: threads
(test_race_hammer.py).
"""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from handwritten.fifo import DeletedFinalStateUnknown, Delta, Deltas, DeltaType
from handwritten.store import Change, Indexer, Object
from handwritten.the_real_fifo import RealFIFO
from support.cache import Known, obj

NAMES = st.sampled_from("abcd")
VALUES = st.lists(st.sampled_from("xyz"), max_size=3)
VERSIONS = st.sampled_from(["", "1", "2", "3"])


def thing(name: str, values: list[str], version: str) -> Object:
    return {"metadata": {"name": name, "resourceVersion": version}, "values": values}


class IndexerMachine(RuleBasedStateMachine):
    """A dictionary of objects, and the version of what came last; an index is computed anew at each look."""

    def __init__(self) -> None:
        super().__init__()
        self.store = Indexer()
        self.model: dict[str, Object] = {}
        self.version = ""
        self.indexed = False

    @rule(name=NAMES, values=VALUES, version=VERSIONS, update=st.booleans())
    def put(self, name: str, values: list[str], version: str, update: bool) -> None:
        made = thing(name, values, version)
        (self.store.update if update else self.store.add)(made)
        self.model[name] = made
        self.version = version or self.version

    @rule(name=NAMES, version=VERSIONS)
    def delete(self, name: str, version: str) -> None:
        self.store.delete(thing(name, [], version))
        self.model.pop(name, None)
        self.version = version or self.version

    @rule(name=NAMES)
    def delete_by_key(self, name: str) -> None:
        self.store.delete_by_key(name)
        self.model.pop(name, None)

    @rule(objects=st.dictionaries(NAMES, VALUES), version=VERSIONS)
    def replace(self, objects: dict[str, list[str]], version: str) -> None:
        self.model = {name: thing(name, values, "9") for name, values in objects.items()}
        self.store.replace([*self.model.values()], version)
        self.version = version

    @rule(steps=st.lists(st.tuples(NAMES, VALUES, VERSIONS, st.booleans()), max_size=4))
    def transaction(self, steps: list[tuple[str, list[str], str, bool]]) -> None:
        self.store.transaction([Change(thing(name, values, version), gone) for name, values, version, gone in steps])
        for name, values, version, gone in steps:
            self.model.pop(name, None)
            if not gone:
                self.model[name] = thing(name, values, version)
        if steps:
            self.version = steps[-1][2] or self.version

    @rule(version=st.sampled_from(["7", "8"]))
    def bookmark(self, version: str) -> None:
        self.store.bookmark(version)
        self.version = version

    @precondition(lambda self: not self.indexed)
    @rule()
    def add_index(self) -> None:
        self.store.add_indexers({"values": lambda obj: obj["values"]})
        self.indexed = True

    @invariant()
    def same_objects(self) -> None:
        assert {key: self.store.get_by_key(key) for key in self.store.list_keys()} == self.model
        assert sorted(map(repr, self.store.list())) == sorted(map(repr, self.model.values()))
        assert self.store.resource_version == self.version

    @invariant()
    def same_index(self) -> None:
        if not self.indexed:
            return
        values = {value for each in self.model.values() for value in each["values"]}
        assert set(self.store.list_index_func_values("values")) == values
        for value in "xyz":
            keys = sorted(name for name, each in self.model.items() if value in each["values"])
            assert self.store.index_keys("values", value) == keys
            assert sorted(each["metadata"]["name"] for each in self.store.by_index("values", value)) == keys


class RealFIFOMachine(RuleBasedStateMachine):
    """A list of deltas, taken apart on entry; of a batch the model knows only what it must not be."""

    def __init__(self) -> None:
        super().__init__()
        self.known = Known()
        self.fifo = RealFIFO(atomic=False, known_objects=self.known, batch_size=3)
        self.queued: Deltas = []
        self.store: dict[str, Object] = {}
        self.populated = False
        self.initial = 0

    @rule(name=NAMES, value=st.integers(0, 9), verb=st.sampled_from(["add", "update", "delete"]))
    def change(self, name: str, value: int, verb: str) -> None:
        getattr(self.fifo, verb)(obj(name, value))
        kind = {"add": DeltaType.ADDED, "update": DeltaType.UPDATED, "delete": DeltaType.DELETED}[verb]
        self.queued.append(Delta(kind, obj(name, value)))
        self.populated = True

    @rule(names=st.lists(NAMES, max_size=4), value=st.integers(0, 9))
    def replace(self, names: list[str], value: int) -> None:
        self.fifo.replace([obj(name, value) for name in names])
        newest = {self.fifo.key_of(delta.object): delta for delta in self.queued}
        for name, delta in newest.items():
            if name not in names and delta.type is not DeltaType.DELETED:
                assert isinstance(delta.object, dict)
                self.queued.append(Delta(DeltaType.DELETED, DeletedFinalStateUnknown(name, delta.object)))
        for name, stored in self.store.items():
            if name not in names and name not in newest:
                self.queued.append(Delta(DeltaType.DELETED, DeletedFinalStateUnknown(name, stored)))
        self.queued += [Delta(DeltaType.REPLACED, obj(name, value)) for name in names]
        if not self.populated:
            self.populated, self.initial = True, len(self.queued)

    @rule()
    def resync(self) -> None:
        self.fifo.resync()
        queued = {self.fifo.key_of(delta.object) for delta in self.queued}
        self.queued += [Delta(DeltaType.SYNC, each) for name, each in self.store.items() if name not in queued]

    @precondition(lambda self: self.queued)
    @rule(batch=st.booleans())
    def pop(self, batch: bool) -> None:
        heard: list[bool] = []

        def process(deltas: Deltas, initial: bool) -> None:
            heard.append(initial)

        popped = self.fifo.pop_batch(process, process) if batch else self.fifo.pop(process)
        assert heard == [self.initial > 0]
        assert popped == self.queued[: len(popped)]
        keys = [self.fifo.key_of(delta.object) for delta in popped]
        assert len(keys) == len(set(keys)) <= (3 if batch else 1)
        assert not self.initial or len(popped) <= self.initial
        del self.queued[: len(popped)]
        self.initial = max(self.initial - len(popped), 0)
        for key, delta in zip(keys, popped, strict=True):
            self.apply(key, delta)

    def apply(self, key: str, delta: Delta) -> None:
        self.store.pop(key, None)
        if delta.type is not DeltaType.DELETED:
            assert isinstance(delta.object, dict)
            self.store[key] = delta.object
        self.known._objects = dict(self.store)

    @invariant()
    def synced(self) -> None:
        assert self.fifo.has_synced() is (self.populated and self.initial == 0)
        assert len(self.fifo) == len(self.queued)


TestIndexerAgainstModel = IndexerMachine.TestCase
TestIndexerAgainstModel.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
TestRealFIFOAgainstModel = RealFIFOMachine.TestCase
TestRealFIFOAgainstModel.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
