"""From the name of a backend to the backend. The command line tool calls `backend`; nothing comes up before `open`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from twinloop.errors import ConfigurationError
from twinloop.harness.backends.backend import Backend


def _embedded(context: str) -> Backend:
    del context
    # Imported when asked for: only this one needs the embedded server and what it is made of.
    from twinloop.harness.backends.embedded import EmbeddedBackend  # noqa: PLC0415

    return EmbeddedBackend()


def _kind(context: str) -> Backend:
    del context
    from twinloop.harness.backends.kind import KindBackend  # noqa: PLC0415

    return KindBackend()


def _kwok(context: str) -> Backend:
    del context
    from twinloop.harness.backends.kwok import KwokBackend  # noqa: PLC0415

    return KwokBackend()


def _current(context: str) -> Backend:
    from twinloop.harness.backends.current import CurrentBackend  # noqa: PLC0415

    return CurrentBackend(context=context)


BACKENDS: Mapping[str, Callable[[str], Backend]] = {
    "embedded": _embedded,
    "kind": _kind,
    "kwok": _kwok,
    "current": _current,
}


def backend(name: str, context: str = "") -> Backend:
    """The backend of that name; `context` is for `current` only. Raises ConfigurationError."""
    if name not in BACKENDS:
        raise ConfigurationError(f"there is no backend {name!r}", hint=f"There are {', '.join(BACKENDS)}.")
    if context and name != "current":
        raise ConfigurationError(f"backend {name} takes no context", hint="Say --backend current, or leave it out.")
    return BACKENDS[name](context)
