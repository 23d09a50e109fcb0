"""How kopf is set up, the same for both operators on it: settings, login, numbers from the environment, pages.

`nginxpod.py` and `nginxpod_level.py` import this and add what they differ in. Nothing here knows a NginxPod. A setting that
is changed says what the default is and why it does not do.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import math
import os
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar, cast

import kopf
from prometheus_client import disable_created_metrics

from twinloop.errors import EXIT_CONFIGURATION, ConfigurationError
from twinloop.kube import Configuration, load_configuration
from twinloop.serving import Server, metrics_answer, probe, serve
from twinloop.sync import RETRY_MAX

T = TypeVar("T")


class App(Protocol):
    """What an operator on kopf shares between its handlers."""

    def ready(self) -> bool | str:
        """For /readyz: True, or what it waits for."""


A = TypeVar("A", bound=App)


class EndlessBackoffs:
    """kopf's own back-offs up to the longest delay of either variant, and then that for ever."""

    def __iter__(self) -> Iterator[float]:
        """Start over for each request."""
        return itertools.chain((1, 1, 2, 3, 5, 8, 13), itertools.repeat(RETRY_MAX))


def configure(settings: kopf.OperatorSettings) -> None:
    """Settings that make kopf as fair a match as it can be; each says what it changes."""
    # One line for each event handler's success, of every pod in the cluster, says nothing; failures are still logged.
    # So are the visits, by the sync function itself, and the kubelet's probes are not.
    logging.getLogger("kopf.objects").addFilter(lambda record: record.levelno > logging.INFO)
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    # Default: True. Events come from the shared recorder, the same in both variants; kopf's would come on top.
    settings.posting.enabled = False
    # Default: 8 retries in 54 s, after which a watch that still gets 5xx or 403 ends the process. An outage or a missing
    # right is waited out instead, as client-go does.
    settings.networking.error_backoffs = EndlessBackoffs()
    # Default: 300 s and no limit. One request that hangs would hold up its NginxPod for minutes.
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 5


class Login:
    """Logs kopf in with what the kubeconfig or the service account says now; `log_in` is the handler.

    kopf calls it at the start and after every 401, so a rotated token is read again here. kopf gives up when a login
    returns what was refused before; an API server that has just started may well refuse a good token for a moment.
    Hence an `expiration` of its own for each login, and a pause when the last one was a moment ago.
    """

    def __init__(self) -> None:
        self._last = datetime.min.replace(tzinfo=UTC)

    async def log_in(self, **_: Any) -> kopf.ConnectionInfo:
        """Say how kopf reaches the API server."""
        if now() - self._last < timedelta(seconds=5):
            await asyncio.sleep(1)
        self._last = now()
        configuration = await in_thread(configured)
        rest, credential = configuration.rest, configuration.credentials.current()
        scheme, _space, token = (credential.authorization or "").partition(" ")
        return kopf.ConnectionInfo(
            server=configuration.server,
            ca_path=rest.ssl_ca_cert,
            insecure=not rest.verify_ssl,
            scheme=scheme or None,
            token=token or None,
            certificate_path=rest.cert_file,
            private_key_path=rest.key_file,
            proxy_url=rest.proxy,
            default_namespace=configuration.namespace,
            expiration=now() + timedelta(days=365),
        )


def opened(make: Callable[[], A]) -> tuple[A, Server]:
    """Make an operator and serve its pages, the same as the handwritten variant's.

    Everything that can be wrong with the configuration shows here: one line and exit 2, before kopf starts.
    """
    disable_created_metrics()  # type: ignore[no-untyped-call]
    try:
        app = make()
        address = os.environ.get("TWINLOOP_METRICS_ADDRESS", ":8080")
        return app, serve(address, {"/metrics": metrics_answer, "/readyz": probe(app.ready)})
    except ConfigurationError as error:
        sys.stderr.write(error.for_a_person() + "\n")
        sys.exit(EXIT_CONFIGURATION)


def configured() -> Configuration:
    """Which API server, as the environment says. Raises ConfigurationError."""
    return load_configuration(context=os.environ.get("TWINLOOP_CONTEXT") or None)


def number(variable: str, default: float, *, least: float) -> float:
    """A number from the environment. Raises ConfigurationError."""
    text = os.environ.get(variable) or str(default)
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not least <= value < math.inf:
        raise ConfigurationError(f"{variable} must be a number, at least {least:g}, not {text!r}", hint="")
    return value


def now() -> datetime:
    """The present time."""
    return datetime.now(UTC)


async def in_thread(call: Callable[[], T]) -> T:
    """Run a blocking call in a thread that nobody waits for at the end of the process.

    An executor's threads are joined when Python exits: one request that hangs would keep the process for as long as
    its time-out, past the grace period of its pod.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: Exception | None) -> None:
        if future.done():  # cancelled meanwhile
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(cast("T", result))

    def run() -> None:
        result, error = None, None
        try:
            result = call()
        except Exception as caught:  # noqa: BLE001 - handed to whoever awaits
            error = caught
        with contextlib.suppress(RuntimeError):  # the loop may be closed by now
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, name="blocking", daemon=True).start()
    return await future
