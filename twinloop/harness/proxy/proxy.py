"""The proxy of one trial, as the stage sees it: listeners, rules, and what can be told while it runs.

Its methods may be called from any thread; what they change is changed on the loop of `host.py`, between two requests, and
done when they return. Requests themselves are `exchange.py`'s.
"""

from __future__ import annotations

import asyncio
import functools
import json
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from twinloop.errors import TwinloopError
from twinloop.harness.faults import Armed, Rule
from twinloop.harness.proxy import kubeconfig
from twinloop.harness.proxy.context import Context
from twinloop.harness.proxy.exchange import handle
from twinloop.harness.proxy.hooks import Hooks
from twinloop.harness.proxy.listener import Listener
from twinloop.kube import Resource

__all__ = ["Hooks", "Proxy", "ProxyError"]

T = TypeVar("T")

# Nothing that is asked of the loop takes longer than a list from the API server.
_PATIENCE = 30.0
_LAST_WORDS = 2.0


class ProxyError(TwinloopError):
    """The proxy could not do what the stage asked for."""

    hint = "Is the API server still there?"


class Proxy:
    """Made by `ProxyHost.open`."""

    def __init__(self, loop: asyncio.AbstractEventLoop, thread: threading.Thread, context: Context) -> None:
        self._loop, self._thread, self._context = loop, thread, context
        self._listeners: dict[str, Listener] = {}
        self._is_away = False
        self.closed = False

    # ------------------------------------------------------------------ listeners

    def listen(self, replica: str) -> str:
        """The URL for a replica of the operator, the same for the whole trial."""
        return self._do(functools.partial(self._listen, replica))

    async def _listen(self, replica: str) -> str:
        if replica not in self._listeners:
            self._listeners[replica] = Listener(replica, functools.partial(handle, self._context))
            if not self._is_away:
                await self._listeners[replica].up()
        return self._listeners[replica].url

    def kubeconfig(self, replica: str, path: Path, namespace: str) -> None:
        """Write a kubeconfig for a replica."""
        kubeconfig.write(path, self.listen(replica), namespace)

    def away(self) -> None:
        """From now on nobody listens: connections are reset, new ones refused."""
        self._do(self._away)

    async def _away(self) -> None:
        self._is_away = True
        for listener in self._listeners.values():
            self._context.journal.listener("away", listener.replica)
            listener.down("away")

    def back(self) -> None:
        """Listen again, on the same ports. Nothing happens unless it was away."""
        self._do(self._back)

    async def _back(self) -> None:
        if not self._is_away:
            return
        self._is_away = False
        for listener in self._listeners.values():
            await listener.up()
            self._context.journal.listener("back", listener.replica)

    # ------------------------------------------------------------------ faults

    def arm(self, *rules: Rule) -> None:
        """Add rules; they count from here on. Raises BadRuleError."""
        self._now(lambda: self._context.arm(*rules))

    def disarm(self, *ids: str) -> None:
        """Take rules away, all when none is named. Raises BadRuleError for an id that was never armed."""
        self._now(lambda: self._context.disarm(*ids))

    def begin_story(self) -> None:
        """From now on rules with since="story" count."""
        self._now(self._context.book.begin_story)

    def remember(self, resource: Resource, namespace: str | None = None) -> None:
        """Keep the list as it is now for rules with Act.STALE. Raises ProxyError."""
        self._do(functools.partial(self._remember, resource, namespace))

    async def _remember(self, resource: Resource, namespace: str | None) -> None:
        headers = (("Accept", "application/json"),)
        answer = await self._context.upstream.send("GET", resource.path(namespace), headers)
        if answer.code != 200:
            raise ProxyError(f"the list of {resource} cannot be remembered: {answer.code}")
        self._context.lists[str(resource)] = json.loads(answer.body)

    def armed(self) -> list[Armed]:
        """Every rule of the trial, at work or done, with its counts."""
        return self._context.book.all()

    def unfired(self) -> list[str]:
        """The ids of rules that never hit anything."""
        return self._context.book.unfired()

    # ------------------------------------------------------------------ what can be told

    def quiet_for(self) -> float:
        """Seconds since the last write of an operator was answered; 0 while one is in flight."""
        return self._context.journal.quiet_for()

    def open_streams(self) -> list[tuple[str, str]]:
        """Replica and resource of every open watch."""
        return self._context.journal.open_streams()

    def added(self) -> list[float]:
        """The seconds that the proxy took on top of each request that no rule touched."""
        return list(self._context.journal.added)

    # ------------------------------------------------------------------ the end

    def close(self) -> None:
        """Cut everything and give the ports back. What can be told can still be told."""
        if not self.closed:
            self.closed = True
            self._do(self._close)

    async def _close(self) -> None:
        self._context.disarm()
        for listener in self._listeners.values():
            listener.close()
        await self._context.upstream.close()
        # What is under way ends by this and writes so; whatever does not has had its chance.
        await self._context.last_words(_LAST_WORDS)
        self._context.journal.close()

    # ------------------------------------------------------------------ the way onto the loop

    def _now(self, act: Callable[[], T]) -> T:
        """Call a function on the loop. From the loop itself, as a recorder's listener would, at once."""
        if threading.current_thread() is self._thread:
            return act()

        async def called() -> T:
            return act()

        return self._do(called)

    def _do(self, act: Callable[[], Coroutine[Any, Any, T]]) -> T:
        return asyncio.run_coroutine_threadsafe(act(), self._loop).result(_PATIENCE)
