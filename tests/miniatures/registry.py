"""All miniatures by name: the right one, and the bugs. The kill matrix goes through them, `__main__.py` picks one."""

from __future__ import annotations

import re
from types import ModuleType

from miniatures import loop_bugs, pod_bugs, status_bugs, write_bugs
from miniatures.base import Miniature

RIGHT = "right"


def _of(module: ModuleType) -> list[type[Miniature]]:
    found = (each for each in vars(module).values() if isinstance(each, type) and issubclass(each, Miniature))
    return [each for each in found if each.shown and each.__module__ == module.__name__]


def name_of(bug: type[Miniature]) -> str:
    """The class's name with dashes."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", bug.__name__).lower()


BUGS: dict[str, type[Miniature]] = {
    name_of(each): each for module in (loop_bugs, pod_bugs, write_bugs, status_bugs) for each in _of(module)
}
