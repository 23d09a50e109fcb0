"""What all built-in kinds share: decoding by Go type, schemas from the published OpenAPI, strategic merges.

`kinds.py` names the strategy of each kind; the modules named after kinds derive from `BuiltinStrategy` here.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from twinloop.apiserver.builtin import decode, documents
from twinloop.apiserver.strategy import Column, Object, Strategy

if TYPE_CHECKING:
    from twinloop.apiserver.patches.typed import Typed


class BuiltinStrategy(Strategy):
    """A built-in kind that is stored as it comes."""

    def __init__(self, group: str, kind: str, plural: str = "") -> None:
        self.group, self.kind = group, kind
        self._path = f"apis/{group}/v1" if group else "api/v1"
        self._plural = plural or f"{kind.lower()}s"

    @property
    def columns(self) -> Sequence[Column]:  # type: ignore[override]  # read when they are first asked for
        """The columns that the real server gives the kind's Table."""
        return _columns(f"{self._path}/{self._plural}")

    def decode(self, obj: Object) -> list[str]:
        """As Go does: see `decode.py`."""
        return decode.decode_object(self.group, self.kind, obj)

    def typed(self) -> Typed:
        """The schema that Kubernetes publishes."""
        return documents.typed(self.group, self.kind)

    def merges_strategically(self) -> bool:
        """Every built-in kind does."""
        return True


@cache
def _columns(path: str) -> tuple[Column, ...]:
    return tuple(Column(**each) for each in documents.columns(path))


class SpecStatusStrategy(BuiltinStrategy):
    """A kind with a status that only its own subresource writes, and a generation when the real one has it."""

    generation = True

    def empty_status(self) -> dict[str, Any]:
        """The status of a new object."""
        return {}

    def prepare_create(self, obj: Object, now: float) -> None:
        """A client may not say how an object is doing."""
        del now
        obj["status"] = self.empty_status()
        if self.generation:
            obj["metadata"]["generation"] = 1

    def prepare_update(self, obj: Object, old: Object, subresource: str) -> None:
        """Keep spec and status apart; a changed spec is a new generation."""
        if subresource == "status":
            self.restore_spec(obj, old)
        else:
            restore(obj, old, "status")
        if self.generation:
            self.count_generation(obj, old)

    def restore_spec(self, obj: Object, old: Object) -> None:
        """Put back what a status update may not change."""
        restore(obj, old, "spec")

    def count_generation(self, obj: Object, old: Object) -> None:
        """One more when the spec differs."""
        before = old["metadata"].get("generation", 0)
        obj["metadata"]["generation"] = before + (obj.get("spec") != old.get("spec"))


def restore(obj: Object, old: Object, name: str) -> None:
    """Put a field back to what it was, also to not being there."""
    if name in old:
        obj[name] = old[name]
    else:
        obj.pop(name, None)
