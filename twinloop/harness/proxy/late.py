"""Lines that come late: a first-in-first-out delay for one stream, as behind a slow watch cache.

`stream.py` makes one when a rule with Act.HOLD hits. Reading from the server goes on meanwhile; only delivery waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from twinloop.harness.proxy.lines import LineInfo


class LateDelivery:
    """Delivers each line `seconds` after it came, in order. `pause` waits so long, or until the fault is `over`."""

    def __init__(
        self,
        send: Callable[[bytes, LineInfo | None], Awaitable[None]],
        seconds: float,
        *,
        pause: Callable[[float], Awaitable[None]],
        over: Callable[[], bool],
    ) -> None:
        self._send, self._seconds, self._pause = send, seconds, pause
        self.over = over
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[tuple[float, bytes, LineInfo | None]] = asyncio.Queue()
        self._task = self._loop.create_task(self._deliver())

    def put(self, line: bytes, info: LineInfo | None) -> None:
        """Take a line that has come now."""
        self._queue.put_nowait((self._loop.time() + self._seconds, line, info))

    async def drained(self) -> None:
        """Wait until everything has been delivered."""
        await self._queue.join()

    def close(self) -> None:
        """Forget what is left: the stream is gone."""
        self._task.cancel()

    async def _deliver(self) -> None:
        while True:
            due, line, info = await self._queue.get()
            await self._pause(max(0.0, due - self._loop.time()))
            try:
                await self._send(line, info)
            except ConnectionError:  # the operator has hung up, which the stream itself notices
                return
            finally:
                self._queue.task_done()
