"""What all requests of a trial share on the proxy's loop: the journal, the rules, the way to the API server.

`proxy.py` makes one and changes it when the story says so; `exchange.py`, `acts.py` and `stream.py` work with it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from twinloop.harness.faults import Armed, Rule
from twinloop.harness.proxy.hooks import Hooks
from twinloop.harness.proxy.journal import Journal
from twinloop.harness.proxy.rulebook import RuleBook
from twinloop.harness.proxy.upstream import Upstream

log = logging.getLogger(__name__)


@dataclass
class Context:
    """One trial's. Touched on the loop only, but for what `Journal` lets others read."""

    journal: Journal
    upstream: Upstream
    hooks: Hooks
    book: RuleBook = field(default_factory=RuleBook)
    # By resource, as `Request.resource` names it.
    lists: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    # Set while no request is under way, streams included.
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    _under_way: int = 0
    _over: dict[str, asyncio.Event] = field(default_factory=dict)

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """Around each request."""
        self._under_way += 1
        self.idle.clear()
        try:
            yield
        finally:
            self._under_way -= 1
            if not self._under_way:
                self.idle.set()

    def arm(self, *rules: Rule) -> None:
        """See RuleBook."""
        self.book.arm(*rules)
        self._over.update((rule.id, asyncio.Event()) for rule in rules)

    def disarm(self, *ids: str) -> None:
        """See RuleBook; whoever waits for the end of such a rule goes on."""
        for each in self.book.disarm(*ids):
            self._over[each].set()

    def is_over(self, rule: Rule) -> bool:
        """Whether a rule was disarmed."""
        return self._over[rule.id].is_set()

    async def until_over(self, rule: Rule, seconds: float | None = None) -> None:
        """Wait until a rule is disarmed, for so long at most."""
        try:
            async with asyncio.timeout(seconds):
                await self._over[rule.id].wait()
        except TimeoutError:
            return

    async def last_words(self, seconds: float) -> None:
        """Wait until nothing is under way, for so long at most."""
        if self._under_way:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.idle.wait(), seconds)

    async def call(self, armed: Armed, hook: Callable[..., None], *arguments: object) -> None:
        """Call a hook off the loop. When it fails the rule has hit nothing, and the trial will say so."""
        try:
            await asyncio.to_thread(hook, *arguments)
        except Exception:
            log.warning("rule %s could not act", armed.rule.id, exc_info=True)
            armed.chosen -= 1
