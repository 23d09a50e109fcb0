"""For how long an error may be answered by simply trying again.

The reflector (`reflector.py`) asks here after an InternalError inside a watch. client-go: retry_with_deadline.go.
"""

from __future__ import annotations

from collections.abc import Callable

from handwritten.clock import Clock


class RetryWithDeadline:
    """Allows retries within a window that begins with the first of a row of errors. Not thread-safe."""

    def __init__(
        self,
        *,
        max_retry_seconds: float,
        min_reset_seconds: float,
        is_retryable: Callable[[Exception], bool],
        clock: Clock,
    ) -> None:
        """The window is `max_retry_seconds` long, 0 for no retry; a pause of `min_reset_seconds` ends a row."""
        self._max_retry_seconds = max_retry_seconds
        self._min_reset_seconds = min_reset_seconds
        self._is_retryable = is_retryable
        self._clock = clock
        self._first: float | None = None
        self._last: float | None = None

    def after(self, error: Exception) -> None:
        """Note that `error` has happened just now; one of another sort leaves the window as it is."""
        if not self._is_retryable(error):
            return
        now = self._clock.now()
        if self._last is None or self._first is None or now - self._last >= self._min_reset_seconds:
            self._first = now
        self._last = now

    def should_retry(self) -> bool:
        """Return whether the window is still open; when it is not, the next error opens a new one."""
        if self._max_retry_seconds <= 0 or self._first is None:
            return False
        if self._clock.now() - self._first <= self._max_retry_seconds:
            return True
        self._first = self._last = None
        return False
