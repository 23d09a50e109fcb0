"""What can be chosen about a server process, in one place for the command line, `python -m` and tests.

`twinloop.cli` and `local.py` make `Settings`, `process.py` obeys them.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from twinloop.apiserver.storage import HISTORY
from twinloop.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Settings:
    """`controllers`: the names of those that run, None for all. `delays`: seconds by name, see the kubelet's `Delays`."""

    port: int = 0
    kubeconfig: str = ""  # where to write it; empty: a file of our own, removed at the end
    controllers: tuple[str, ...] | None = None
    delays: dict[str, float] = field(default_factory=dict)
    history: int = HISTORY
    seed: int | None = None  # of uids and generated names; None: different ones each time
    token: str = ""  # the bearer token; empty: a random one
    manual_clock: bool = False  # time passes only when the control endpoint says so
    with_parent: bool = False  # end when standard input ends, that is with whoever started us
    log_level: str = "warning"

    def to_json(self) -> str:
        """As an argument of `python -m twinloop.apiserver`."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The reverse of `to_json`; raises ConfigurationError."""
        try:
            given: dict[str, Any] = json.loads(text)
            if given.get("controllers") is not None:
                given["controllers"] = tuple(given["controllers"])
            return cls(**given)
        except (ValueError, TypeError, AttributeError) as error:
            raise ConfigurationError(f"these settings make no sense: {error}", hint="Give one JSON object.") from None
