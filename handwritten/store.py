"""The cache: every object that the last list and the watch since then have told of, and its indexes.

The informer is the only writer (`informer.py` applies deltas that `delta_fifo.py` hands out); everyone
else reads here instead of asking the API server. Counterpart of client-go's tools/cache/store.go,
thread_safe_store.go and index.go.

Objects are raw dicts as the API server sends them. What a read returns is shared by all readers: **never
change it**, copy it first. Nothing here checks that.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from twinloop.errors import TwinloopError

Object = dict[str, Any]
# Names for the two return types below: inside a class that has a method `list`, `list[...]` means that method.
Objects = list[Object]
Strings = list[str]

# Objects in, index values out; one object may have none, one or many.
IndexFunction = Callable[[Object], Iterable[str]]
Indexers = Mapping[str, IndexFunction]
KeyFunction = Callable[[Object], str]

NAMESPACE_INDEX = "namespace"


@dataclass(frozen=True, slots=True)
class Change:
    """One step of a transaction: put `obj`, or with `deleted` take it out; `key` stands in for a missing object."""

    obj: Object | None
    deleted: bool = False
    key: str = ""


class ObjectKeyError(TwinloopError):
    """An object that has no key: it carries no usable metadata.

    client-go's KeyError. `object` is what was given; the reason, if another error was it, is `__cause__`.
    """

    hint = "Objects need metadata.name; this one did not come from an API server, or was damaged on its way."

    def __init__(self, message: str, obj: object) -> None:
        super().__init__(message)
        self.object = obj


class IndexFunctionError(TwinloopError):
    """An index function raised: a bug in the program. The store is as it was before the call."""

    hint = "Index functions must accept every object of their kind; fix the one that is named."


class UnknownIndex(TwinloopError):
    """A read named an index that nobody has added."""


class IndexerConflict(TwinloopError):
    """`add_indexers` was given a name that is taken; nothing was added."""


class TransactionError(TwinloopError):
    """Some changes of a transaction were refused; the others were made.

    `errors` has the reason by the change's place in the transaction; every other place succeeded.
    """

    def __init__(self, errors: Mapping[int, Exception]) -> None:
        super().__init__(f"{len(errors)} changes were refused, first: {next(iter(errors.values()))}")
        self.errors = errors


class KnownObjects(Protocol):
    """The part of a store that `DeltaFIFO` reads, to know what would have to be deleted (KeyListerGetter)."""

    def list_keys(self) -> Strings:
        """Return the keys of all objects."""
        ...

    def get_by_key(self, key: str) -> Object | None:
        """Return the object, or None when there is none."""
        ...


def meta_namespace_key(obj: object) -> str:
    """Return "namespace/name", or "name" for an object without a namespace.

    Raises ObjectKeyError for anything else than a dict with a non-empty metadata.name.
    Source: MetaNamespaceKeyFunc.
    """
    metadata = obj.get("metadata") if isinstance(obj, dict) else None
    if not isinstance(metadata, dict):
        raise ObjectKeyError("an object without metadata has no key", obj)
    name, namespace = metadata.get("name"), metadata.get("namespace") or ""
    if not isinstance(name, str) or not name or not isinstance(namespace, str):
        raise ObjectKeyError("an object without a name has no key", obj)
    return f"{namespace}/{name}" if namespace else name


def split_meta_namespace_key(key: str) -> tuple[str, str]:
    """Return (namespace, name), the namespace "" when the key has none.

    Raises ValueError for more than one slash. Source: SplitMetaNamespaceKey.
    """
    namespace, _, name = key.rpartition("/")
    if "/" in namespace:
        raise ValueError(f"unexpected key format: {key!r}")
    return namespace, name


def index_by_namespace(obj: Object) -> Iterable[str]:
    """Index function for `NAMESPACE_INDEX` (MetaNamespaceIndexFunc)."""
    namespace = obj["metadata"].get("namespace")
    return (namespace,) if namespace else ()


class _Index:
    """One index: which keys each value has, and which values each key has.

    client-go keeps only the first half and calls the index function on the old object to find what to
    take out. Keeping both costs a tuple per object; in return, removal cannot raise, and a reader who
    broke the rule and changed a shared object cannot leave entries behind for ever.
    """

    def __init__(self, name: str, function: IndexFunction) -> None:
        self.name = name
        self.function = function
        # A dict serves as a set that keeps its order, so that equal runs list equally.
        self.keys: dict[str, dict[str, None]] = {}
        self._values: dict[str, tuple[str, ...]] = {}

    def values_of(self, key: str, obj: Object) -> tuple[str, ...]:
        """Return the values of `obj`, each once. Raises IndexFunctionError."""
        try:
            values = self.function(obj)
            if isinstance(values, str):  # would be taken for an iterable of its letters
                raise TypeError(f"an index function returns an iterable of strings, not {values!r}")
            return tuple(dict.fromkeys(values))
        except Exception as error:
            raise IndexFunctionError(f"index {self.name!r}: no values for object {key!r}: {error}") from error

    def put(self, key: str, values: tuple[str, ...]) -> None:
        """Make `values` the key's only ones; `()` takes the key out. Cannot fail."""
        before = self._values.pop(key, ())
        if values:
            self._values[key] = values
        if values == before:
            return
        for value in before:
            self._discard(value, key)
        for value in values:
            self.keys.setdefault(value, {})[key] = None

    def _discard(self, value: str, key: str) -> None:
        keys = self.keys[value]
        del keys[key]
        # An index over values that come and go (uids!) would otherwise grow for ever: kubernetes#84959.
        if not keys:
            del self.keys[value]


class Indexer:
    """Objects by key, with indexes. Thread-safe.

    Each read is one consistent snapshot, and costs as much as what it returns: `by_index` does not look
    at other objects. Index functions run under the lock: they must be quick and must not call the store.
    """

    def __init__(self, indexers: Indexers | None = None, *, key_function: KeyFunction = meta_namespace_key) -> None:
        """Begin empty. `indexers` are index functions by name; `key_function` gives an object's key."""
        self._key = key_function
        # A plain lock: Python has no reader-writer lock, and no read holds this one for longer than a copy.
        self._lock = threading.Lock()
        self._items: dict[str, Object] = {}
        self._indexes: dict[str, _Index] = {}
        self._resource_version = ""
        self.add_indexers(indexers or {})

    def add(self, obj: Object) -> None:
        """Put `obj` in the place of whatever has its key. Raises ObjectKeyError, IndexFunctionError."""
        key = self._key(obj)
        with self._lock:
            self._put(key, obj)
            self._note_version(obj)

    def update(self, obj: Object) -> None:
        """Do the same as `add`: a store does not ask whether the object is new."""
        self.add(obj)

    def delete(self, obj: Object) -> None:
        """Take out what has the key of `obj`, if there is such a thing. Raises ObjectKeyError.

        The version of `obj`, which for a deletion that was watched is the deletion's own, becomes the store's.
        """
        key = self._key(obj)
        with self._lock:
            self._take_out(key)
            self._note_version(obj)

    def delete_by_key(self, key: str) -> None:
        """Take out the object with this key, if there is one. The store's version stays: nobody said when it went."""
        with self._lock:
            self._take_out(key)

    def transaction(self, changes: Sequence[Change], resource_version: str = "") -> None:
        """Make all `changes` in one step for every reader.

        A change that is refused does not stop the others; TransactionError says which were. The store's version becomes
        `resource_version`, or else that of the last object, where it has one.
        """
        errors: dict[int, Exception] = {}
        with self._lock:
            for place, change in enumerate(changes):
                try:
                    self._make(change)
                except TwinloopError as error:
                    errors[place] = error
            if resource_version:
                self._resource_version = resource_version
            elif changes:
                self._note_version(changes[-1].obj)
        if errors:
            raise TransactionError(errors)

    def bookmark(self, resource_version: str) -> None:
        """Learn that the store is what the server had at `resource_version`."""
        with self._lock:
            self._resource_version = resource_version

    def replace(self, objects: Iterable[Object], resource_version: str = "") -> None:
        """Hold exactly `objects`, seen at `resource_version`; the indexes are built anew.

        Raises ObjectKeyError or IndexFunctionError, and then keeps what it had.
        """
        items = {self._key(obj): obj for obj in objects}
        with self._lock:
            self._indexes = {name: _build(name, index.function, items) for name, index in self._indexes.items()}
            self._items = items
            self._resource_version = resource_version

    def get(self, obj: Object) -> Object | None:
        """Return the stored object with the key of `obj`, or None. Raises ObjectKeyError."""
        return self.get_by_key(self._key(obj))

    def get_by_key(self, key: str) -> Object | None:
        """Return the object with this key, or None."""
        with self._lock:
            return self._items.get(key)

    def list(self) -> Objects:
        """Return all objects, in no promised order."""
        with self._lock:
            return [*self._items.values()]

    def list_keys(self) -> Strings:
        """Return all keys, in no promised order."""
        with self._lock:
            return [*self._items]

    def index(self, index_name: str, obj: Object) -> Objects:
        """Return the objects that share at least one value of this index with `obj`, each once.

        `obj` itself need not be stored. Raises UnknownIndex, IndexFunctionError.
        """
        with self._lock:
            index = self._index(index_name)
            values = index.values_of("", obj)
            keys = dict.fromkeys(key for value in values for key in index.keys.get(value, ()))
            return [self._items[key] for key in keys]

    def by_index(self, index_name: str, value: str) -> Objects:
        """Return the objects that have this value in the index. Raises UnknownIndex."""
        with self._lock:
            return [self._items[key] for key in self._index(index_name).keys.get(value, ())]

    def index_keys(self, index_name: str, value: str) -> Strings:
        """Return the keys of the objects that have this value in the index, sorted. Raises UnknownIndex."""
        with self._lock:
            return sorted(self._index(index_name).keys.get(value, ()))

    def list_index_func_values(self, index_name: str) -> Strings:
        """Return the values that some object has in the index; nothing when there is no such index."""
        with self._lock:
            index = self._indexes.get(index_name)
            return [*index.keys] if index is not None else []

    def add_indexers(self, indexers: Indexers) -> None:
        """Add indexes by name; objects that are already here are indexed at once.

        Raises IndexerConflict when a name is taken, IndexFunctionError when an object cannot be indexed;
        nothing is added then.
        """
        with self._lock:
            taken = sorted(self._indexes.keys() & indexers.keys())
            if taken:
                raise IndexerConflict(f"there are indexes of these names already: {', '.join(taken)}")
            self._indexes |= {name: _build(name, function, self._items) for name, function in indexers.items()}

    @property
    def index_names(self) -> Strings:
        """The names of all indexes (client-go: GetIndexers)."""
        with self._lock:
            return [*self._indexes]

    @property
    def resource_version(self) -> str:
        """The version of the last object, list or bookmark that came in: opaque, "" before the first.

        Whether everything up to it is here depends on who fills the store: see `SharedInformer`.
        """
        with self._lock:
            return self._resource_version

    # What follows is called with the lock held.

    def _make(self, change: Change) -> None:
        obj = change.obj
        if change.deleted or obj is None:
            self._take_out(change.key or self._key(obj or {}))
        else:
            self._put(self._key(obj), obj)

    def _put(self, key: str, obj: Object) -> None:
        # All values first, then the change: an index function that raises leaves store and indexes in step.
        values = [(index, index.values_of(key, obj)) for index in self._indexes.values()]
        self._items[key] = obj
        for index, found in values:
            index.put(key, found)

    def _take_out(self, key: str) -> None:
        if self._items.pop(key, None) is not None:
            for index in self._indexes.values():
                index.put(key, ())

    def _note_version(self, obj: object) -> None:
        metadata = obj.get("metadata") if isinstance(obj, dict) else None
        version = metadata.get("resourceVersion") if isinstance(metadata, dict) else None
        if isinstance(version, str) and version:
            self._resource_version = version

    def _index(self, name: str) -> _Index:
        try:
            return self._indexes[name]
        except KeyError:
            raise UnknownIndex(f"there is no index {name!r}") from None


def _build(name: str, function: IndexFunction, items: Mapping[str, Object]) -> _Index:
    """Return a new index over `items`. Raises IndexFunctionError."""
    index = _Index(name, function)
    for key, obj in items.items():
        index.put(key, index.values_of(key, obj))
    return index
