"""What stands behind an object's name in a path: status, scale, and the effects of the kinds that have some.

`status` is the object itself, read and written with the strategy told which part may change. All others are an
`Effect` that is registered in `EFFECTS` under (group, plural, subresource, method): `builtin/` and `controllers/` add
theirs when the server is made.
"""

from __future__ import annotations

from collections.abc import Callable

from twinloop.apiserver.answer import Answer, WatchAnswer
from twinloop.apiserver.request import Request, Target
from twinloop.apiserver.verbs.call import Call

# What a subresource does with a request for it; it raises a Failure like any verb.
Effect = Callable[[Call, Request], Answer | WatchAnswer]

EFFECTS: dict[tuple[str, str, str, str], Effect] = {}


def verb(target: Target, method: str) -> tuple[str, Effect] | None:
    """The verb that a method means on a subresource, as (its name among the kind's verbs, what to do)."""
    from twinloop.apiserver import dispatch  # noqa: PLC0415 - it imports this module

    kind = target.kind
    if target.subresource == "status":
        return dispatch.ON_STATUS.get(method)
    effect = EFFECTS.get((kind.group, kind.plural, target.subresource, method))
    return ("get", effect) if effect else None
