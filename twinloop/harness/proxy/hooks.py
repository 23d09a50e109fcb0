"""What the proxy asks of others: the supervisor's hand on the operator, somebody else's hand on an object."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from twinloop.kube import Resource


def _nothing(*_: object) -> None:
    """For a proxy that only records."""


@dataclass(frozen=True)
class Hooks:
    """All are called in a thread of their own and may block.

    `crash(replica)` kills the operator and returns when it is dead or will be; `signal(replica, "SIGTERM")`;
    `touch(resource, name)` changes an object in somebody else's name. What they raise is logged, and the rule has not fired.
    """

    crash: Callable[[str], None] = _nothing
    signal: Callable[[str, str], None] = _nothing
    touch: Callable[[Resource, str], None] = _nothing
