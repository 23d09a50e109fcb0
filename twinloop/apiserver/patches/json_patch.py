"""JSON patch (RFC 6902): a list of operations on paths, all of which succeed or none is done.

`verbs/patch.py` calls `apply` for application/json-patch+json. kube-apiserver's library (evanphx/json-patch v4) is
followed where it is laxer than the RFC: `replace` adds a missing name, `copy` and `test` take a missing name for null,
a missing value is null, indices may be negative. Whatever cannot be done is one and the same 422, without a reason
that would tell why; so clients know it, and so it is here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from twinloop.apiserver.failures import Failure
from twinloop.apiserver.patches.compare import same

Object = dict[str, Any]
Operation = Mapping[str, Any]
Container = dict[str, Any] | list[Any]

# apiserver's maxJSONPatchOperations.
MOST_OPERATIONS = 10_000
_MISSING: Any = object()


class CannotApplyError(Exception):
    """An operation does not fit the document."""


def apply(doc: Object, patch: Sequence[Operation]) -> Any:
    """The document after the patch; `doc` is not changed, and the result shares nothing that changed with it.

    Raises `Failure`: 413 for too many operations, 422 when one cannot be done or a test fails. Replacing the whole
    document by something else than an object gives just that.
    """
    if len(patch) > MOST_OPERATIONS:
        raise _too_many(len(patch))
    work = _Document(_copied(doc))
    try:
        for operation in patch:
            work.do(operation)
    except CannotApplyError:
        raise _refused() from None
    return work.root


def _refused() -> Failure:
    return Failure(422, "Invalid", "the server rejected our request due to an error in our request", details={})


def _too_many(count: int) -> Failure:
    limit = f"The allowed maximum operations in a JSON patch is {MOST_OPERATIONS}, got {count}"
    return Failure(413, "RequestEntityTooLarge", f"Request entity too large: {limit}")


class _Document:
    """The document while it is patched."""

    def __init__(self, root: Container) -> None:
        self.root: Container = root

    def do(self, operation: Operation) -> None:
        """Do one operation; CannotApplyError leaves the document half-done, for nobody will see it."""
        doing: dict[Any, Callable[[Operation], None]] = {
            "add": self._add,
            "remove": self._remove,
            "replace": self._replace,
            "move": self._move,
            "copy": self._copy,
            "test": self._test,
        }
        kind = operation.get("op")
        if not isinstance(kind, str) or kind not in doing:
            raise CannotApplyError
        doing[kind](operation)

    def _add(self, operation: Operation) -> None:
        _put(*self._find(_text(operation, "path")), _copied(operation.get("value")))

    def _remove(self, operation: Operation) -> None:
        _take(*self._find(_text(operation, "path")))

    def _replace(self, operation: Operation) -> None:
        path, value = _text(operation, "path"), _copied(operation.get("value"))
        if path:
            _set(*self._find(path), value)
        elif isinstance(value, dict | list):
            self.root = value
        else:
            raise CannotApplyError

    def _move(self, operation: Operation) -> None:
        source = self._find(_text(operation, "from"))
        value = _get(*source)
        _take(*source)
        _put(*self._find(_text(operation, "path")), value)

    def _copy(self, operation: Operation) -> None:
        value = _get(*self._find(_text(operation, "from")))
        _put(*self._find(_text(operation, "path")), _copied(value))

    def _test(self, operation: Operation) -> None:
        path = _text(operation, "path")
        found = _get(*self._find(path)) if path else self.root
        if "value" not in operation or not _equal(found, operation["value"]):
            raise CannotApplyError

    def _find(self, path: str) -> tuple[Container, str]:
        """What holds the last element of a path, and that element's key."""
        parts = path.split("/")
        if len(parts) == 1:
            raise CannotApplyError
        found: Any = self.root
        for part in parts[1:-1]:
            found = _get(found, _decoded(part))
            if not isinstance(found, dict | list):
                raise CannotApplyError
        return found, _decoded(parts[-1])


def _text(operation: Operation, name: str) -> str:
    value = operation.get(name)
    if not isinstance(value, str):
        raise CannotApplyError
    return value


def _decoded(part: str) -> str:
    return part.replace("~1", "/").replace("~0", "~")


def _get(container: Container, key: str) -> Any:
    """A value; an object's missing name is null."""
    if isinstance(container, dict):
        return container.get(key)
    return container[_index(key, len(container))]


def _set(container: Container, key: str, value: Any) -> None:
    if isinstance(container, dict):
        container[key] = value
    else:
        container[_index(key, len(container))] = value


def _put(container: Container, key: str, value: Any) -> None:
    if isinstance(container, dict):
        container[key] = value
    elif key == "-":
        container.append(value)
    else:
        container.insert(_index(key, len(container) + 1), value)


def _take(container: Container, key: str) -> None:
    if isinstance(container, dict):
        if container.pop(key, _MISSING) is _MISSING:
            raise CannotApplyError
    else:
        del container[_index(key, len(container))]


def _index(key: str, length: int) -> int:
    """A position, counted from the end when it is negative, as Go's strconv.Atoi reads it."""
    digits = key[1:] if key[:1] in {"+", "-"} else key
    if not (digits.isascii() and digits.isdigit()):
        raise CannotApplyError
    index = int(key)
    if not -length <= index < length:
        raise CannotApplyError
    return index % length


def _equal(one: Any, other: Any) -> bool:
    """Numbers are equal when they are written alike: 1 is not 1.0."""
    return same(one, other) and repr(one) == repr(other) if isinstance(one, int | float) else same(one, other)


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copied(each) for name, each in value.items()}
    return [_copied(each) for each in value] if isinstance(value, list) else value
