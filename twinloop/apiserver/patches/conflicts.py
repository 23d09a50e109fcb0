"""What an apply would take from others, and how that is told: the 409 that `apply.py` answers with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from twinloop.apiserver.failures import Failure
from twinloop.apiserver.patches import elements, fieldset
from twinloop.apiserver.patches.fieldset import Fields
from twinloop.apiserver.patches.managers import UPDATE, Manager


class Conflicts(Exception):
    """Fields by the manager that they would be taken from."""

    def __init__(self, touched: Mapping[Manager, Fields]) -> None:
        super().__init__("conflicts")
        self.touched = {manager: fields for manager, fields in touched.items() if fields}

    def without(self, allowed: Fields) -> Conflicts:
        """Only those that are not about some fields."""
        return Conflicts({manager: fieldset.difference(fields, allowed) for manager, fields in self.touched.items()})

    def failure(self) -> Failure:
        """409 with one cause for each field."""
        found = list(self._each())
        causes = [
            {"reason": "FieldManagerConflict", "message": f"conflict with {_told(manager)}", "field": path}
            for manager, path in found
        ]
        return Failure(409, "Conflict", self._message(found), details={"causes": causes})

    def _each(self) -> Iterator[tuple[Manager, str]]:
        for manager in sorted(self.touched):
            for path in fieldset.paths(self.touched[manager]):
                yield manager, "".join(map(elements.shown, path))

    def _message(self, found: list[tuple[Manager, str]]) -> str:
        if len(found) == 1:
            manager, path = found[0]
            return f"Apply failed with 1 conflict: conflict with {_told(manager)}: {path}"
        lines = []
        for manager in sorted(self.touched):
            lines += [f"conflicts with {_told(manager)}:", *(f"- {path}" for each, path in found if each == manager)]
        return f"Apply failed with {len(found)} conflicts: " + "\n".join(lines)


def _told(manager: Manager) -> str:
    told = f'"{manager.name}"' + (f' with subresource "{manager.subresource}"' if manager.subresource else "")
    return f"{told} using {manager.api_version}" if manager.operation == UPDATE else told
