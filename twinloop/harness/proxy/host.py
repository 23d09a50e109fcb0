"""The thread that all proxies live in: one event loop for as long as a comparison lasts.

`compare.py` makes one, each trial opens a `Proxy` on it (`proxy.py`). One loop orders everything that operators say,
however many of them there are.
"""

from __future__ import annotations

import asyncio
import threading
from types import TracebackType
from typing import Self

from twinloop.harness.history import Recorder
from twinloop.harness.proxy.context import Context
from twinloop.harness.proxy.hooks import Hooks
from twinloop.harness.proxy.journal import Journal
from twinloop.harness.proxy.proxy import Proxy
from twinloop.harness.proxy.upstream import Upstream
from twinloop.kube import Configuration


class ProxyHost:
    """A context manager; proxies still open at its end are closed."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="proxies", daemon=True)
        self._open: list[Proxy] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for proxy in self._open:
            proxy.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def open(self, configuration: Configuration, recorder: Recorder, hooks: Hooks | None = None) -> Proxy:
        """A proxy for one trial, before the API server of `configuration`. It has no listener yet."""

        async def made() -> Context:
            return Context(Journal(recorder), Upstream(configuration), hooks or Hooks())

        context = asyncio.run_coroutine_threadsafe(made(), self._loop).result()
        proxy = Proxy(self._loop, self._thread, context)
        # What a closed one holds is not needed any more, and a comparison opens hundreds.
        self._open = [*(each for each in self._open if not each.closed), proxy]
        return proxy

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            _cancel_all(self._loop)
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
        finally:
            self._loop.close()


def _cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    """Let what still waits end: connections that were idle."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
