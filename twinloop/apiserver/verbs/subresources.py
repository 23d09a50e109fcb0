"""What stands behind an object's name in a path, besides its status: scale, and the effects of pods and others.

An `Effect` is registered in `EFFECTS` under (group, plural, subresource, method); `builtin/` and `controllers/` add
theirs when they are imported. `scale.py` serves every kind whose strategy says where its numbers are.
"""

from __future__ import annotations

from collections.abc import Callable

from twinloop.apiserver.answer import Answer, WatchAnswer
from twinloop.apiserver.request import Request, Target
from twinloop.apiserver.verbs.call import Call

# What a subresource does with a request for it; it raises a Failure like any verb.
Effect = Callable[[Call, Request], Answer | WatchAnswer]

# (group, plural, subresource, method); a plural of "*" serves all kinds that have such a subresource.
EFFECTS: dict[tuple[str, str, str, str], Effect] = {}

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def routes(target: Target) -> dict[str, tuple[str, Effect]]:
    """What each method does on a subresource."""
    kind = target.kind
    found = {}
    for method in _METHODS:
        own = EFFECTS.get((kind.group, kind.plural, target.subresource, method))
        effect = own or EFFECTS.get(("*", "*", target.subresource, method))
        if effect is not None:
            found[method] = (target.subresource, effect)
    return found
