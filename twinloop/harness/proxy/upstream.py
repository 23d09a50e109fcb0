"""The proxy's client: the one connection pool of a trial to the API server, with the harness's own credentials.

`exchange.py` forwards through it, `proxy.py` fetches lists. Bodies pass as they come: nothing is decompressed, decoded or
retried, but for a 401 that fresh credentials may heal, which is no affair of the operator.
"""

from __future__ import annotations

import asyncio
import io
import ssl
import time
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from twinloop.errors import TwinloopError, Unauthorized
from twinloop.harness.proxy.answer import Answer, passed_on
from twinloop.harness.proxy.limits import HEADER
from twinloop.kube import Configuration
from twinloop.kube.credentials import Credential

Headers = tuple[tuple[str, str], ...]

# What aiohttp would add of its own: the operator's headers stand alone.
_AUTOMATIC = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")

# Below the 90 s after which an API server closes an idle connection, so that no request meets one that is closing.
_KEEP = 30.0

# Seconds for which a credential is taken as it is: to ask the kubernetes package costs as much as half a request.
_CREDENTIAL = 1.0

# From here on aiohttp warns of bytes: they would be sent in one piece.
_LARGE = 1 << 20


class UpstreamLostError(TwinloopError):
    """The API server could not be reached, or hung up before its answer was complete."""


@dataclass(frozen=True)
class OpenAnswer:
    """An answer whose body has not been read."""

    response: aiohttp.ClientResponse
    sent: float
    # How long the server took to begin.
    seconds: float

    async def whole(self) -> Answer:
        """Read it to the end. `seconds` count from the moment when the request was on the wire."""
        try:
            body = await self.response.read()
        except (aiohttp.ClientError, OSError) as error:
            raise UpstreamLostError(f"the API server hung up: {error}") from error
        headers = passed_on(self.response.headers.items())
        return Answer(self.response.status, headers, body, time.monotonic() - self.sent)

    def close(self) -> None:
        """Give it up; the connection goes with it unless the body was read."""
        self.response.close()


class Upstream:
    """Made and used on one loop."""

    def __init__(self, configuration: Configuration) -> None:
        self._server = configuration.server.rstrip("/")
        self._credentials = configuration.credentials
        self._credential: Credential | None = None
        self._ask_again = 0.0
        self._settings: Any = configuration.rest
        self._session = aiohttp.ClientSession(
            # No limit: a request must not wait for a watch to end.
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP, ssl=_tls(configuration)),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=_AUTOMATIC,
            # A watch is silent for as long as it likes; the operator has its own patience.
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=5),
            trace_configs=[_when_sent()],
            # Header lines that an API server accepts are ours to pass on.
            max_line_size=HEADER,
            max_field_size=HEADER,
        )
        self._proxy = _proxy(self._settings, self._server)

    async def send(self, method: str, target: str, headers: Headers = (), body: bytes = b"") -> Answer:
        """The whole answer to a request. Raises UpstreamLostError."""
        answer = await self.open(method, target, headers, body)
        try:
            return await answer.whole()
        finally:
            answer.close()

    async def open(self, method: str, target: str, headers: Headers = (), body: bytes = b"") -> OpenAnswer:
        """The beginning of the answer. The caller closes it. Raises UpstreamLostError."""
        credential = self._current()
        answer = await self._exchange(method, target, headers, body, credential.authorization)
        # The plugin or the file may take a while: not on the loop.
        if answer.response.status == 401 and await asyncio.to_thread(self._credentials.renew, credential.version):
            answer.close()
            self._credential = None
            answer = await self._exchange(method, target, headers, body, self._current().authorization)
        return answer

    async def _exchange(
        self, method: str, target: str, headers: Headers, body: bytes, authorization: str | None
    ) -> OpenAnswer:
        own = (("Authorization", authorization),) if authorization else ()
        clock = SimpleNamespace(sent=time.monotonic())
        try:
            response = await self._session.request(
                method,
                # As the operator wrote it: what is escaped stays escaped.
                URL(self._server + target, encoded=True),
                headers=headers + own,
                data=_data(method, body),
                allow_redirects=False,
                proxy=self._proxy,
                server_hostname=self._settings.tls_server_name or None,
                trace_request_ctx=clock,
            )
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise UpstreamLostError(f"no answer from the API server: {error}") from error
        return OpenAnswer(response, clock.sent, time.monotonic() - clock.sent)

    def _current(self) -> Credential:
        now = time.monotonic()
        if self._credential is None or now >= self._ask_again:
            try:
                self._credential = self._credentials.current()
            except Unauthorized as error:
                raise UpstreamLostError(f"no credentials for the API server: {error}") from error
            self._ask_again = now + _CREDENTIAL
        return self._credential

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()


def _data(method: str, body: bytes) -> bytes | io.BytesIO | None:
    """The body as aiohttp wants it: nothing is not the same as empty, and large bytes come from a file."""
    if not body:
        return b"" if method in {"POST", "PUT", "PATCH"} else None
    return body if len(body) < _LARGE else io.BytesIO(body)


def _when_sent() -> aiohttp.TraceConfig:
    """Notes when a request goes out: what aiohttp does before that is the proxy's time and not the server's."""

    async def note(_session: object, context: SimpleNamespace, _parameters: object) -> None:
        context.trace_request_ctx.sent = time.monotonic()

    trace = aiohttp.TraceConfig()
    trace.on_request_headers_sent.append(note)
    return trace


def _tls(configuration: Configuration) -> ssl.SSLContext | bool:
    """The context that the configuration describes, by the settings that the kubernetes package reads too."""
    settings: Any = configuration.rest
    if not configuration.server.startswith("https:"):
        return True
    context = ssl.create_default_context(cafile=settings.ssl_ca_cert or None)
    # Newer Pythons ask for extensions that clusters' own authorities often lack; no other client does.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if not settings.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if settings.cert_file:
        context.load_cert_chain(settings.cert_file, settings.key_file or None)
    return context


def _proxy(settings: Any, server: str) -> str | None:
    """The HTTP proxy on the way to the server, unless the server is one of those that need none."""
    host = urlsplit(server).hostname or ""
    bypassed = any(host == each or host.endswith("." + each.lstrip(".")) for each in _words(settings.no_proxy))
    return None if bypassed or host in {"127.0.0.1", "localhost"} else settings.proxy


def _words(text: str | None) -> list[str]:
    return [each.strip() for each in (text or "").split(",") if each.strip()]
