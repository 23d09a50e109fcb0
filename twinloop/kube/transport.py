"""One HTTP exchange with the API server, and the only place that knows urllib3.

`client.py` says what to send; this module adds credentials and time-outs, counts the exchange, and gives back
a 2xx response or raises the error that `answers.py` chose. The sockets, TLS, proxies and their settings are the
kubernetes package's: its REST object builds the pool from the configuration that `config.py` loaded.

Nothing is retried here, with one exception: a 401 is answered with freshly loaded credentials, once. All
other back-off belongs to the queue of the caller, which knows what is worth another try; urllib3's own three
retries would hide failures from it and falsify every count of calls.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.parse import urlencode, urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from twinloop.errors import ConfigurationError, Unavailable
from twinloop.kube.answers import error_from_answer, shorten
from twinloop.kube.config import Configuration
from twinloop.kube.credentials import Credential
from twinloop.kube.metrics import observe

UNAUTHORIZED = 401

# What a broken exchange can raise: urllib3 wraps most of it, but a closed socket or a header that is no header still
# comes out of the layers below.
BROKEN = (HTTPError, HTTPException, OSError)


class Transport:
    """A pool of connections to one API server. Safe to use from any number of threads."""

    def __init__(
        self, configuration: Configuration, *, user_agent: str, pool_size: int, connect_timeout: float
    ) -> None:
        self.server = configuration.server.rstrip("/")
        self._host = urlsplit(self.server).netloc
        self._headers = {"User-Agent": user_agent, "Accept": "application/json"}
        self._connect_timeout = connect_timeout
        self._pool = _pool_manager(configuration, pool_size)
        self._credentials = configuration.credentials
        self._lock = threading.Lock()  # guards _version: the pool is emptied once a rotation, not once a thread
        self._version: int | None = None

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        content_type: str = "application/json",
        read_timeout: float,
        stream: bool = False,
    ) -> urllib3.BaseHTTPResponse:
        """The 2xx answer to one request; any other answer, or none, as an ApiError.

        `read_timeout` is the longest silence in seconds, not the longest answer. With `stream` the body is left
        unread, and the response must be closed by the caller.
        """
        url = self.server + path + (f"?{urlencode(query)}" if query else "")
        data = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        extra = {} if data is None else {"Content-Type": content_type}
        timeout = urllib3.Timeout(connect=self._connect_timeout, read=read_timeout)
        credential = self._credential()
        response = self._exchange(method, url, data, extra, credential, timeout, stream)
        # A 401 comes before the server does anything, so that even a POST may be sent again.
        if response.status == UNAUTHORIZED and self._credentials.renew(credential.version):
            response.close()
            response = self._exchange(method, url, data, extra, self._credential(), timeout, stream)
        if not 200 <= response.status < 300:
            raise self._refusal(response, f"{method} {path}")
        return response

    def close(self) -> None:
        """Close the idle connections; an open watch stays open until its holder closes it."""
        self._pool.clear()

    def _credential(self) -> Credential:
        credential = self._credentials.current()
        with self._lock:
            if credential.version != self._version:
                # A client certificate belongs to a connection, not to a request: idle connections still carry the
                # old one.
                self._pool.clear()
                self._version = credential.version
        return credential

    def _exchange(
        self,
        method: str,
        url: str,
        data: bytes | None,
        extra: Mapping[str, str],
        credential: Credential,
        timeout: urllib3.Timeout,
        stream: bool,
    ) -> urllib3.BaseHTTPResponse:
        headers = {**self._headers, **extra}
        if credential.authorization is not None:
            headers["Authorization"] = credential.authorization
        started, code = time.monotonic(), 0
        try:
            response = self._pool.urlopen(
                method,
                url,
                body=data,
                headers=headers,
                timeout=timeout,
                retries=False,  # neither after a failure nor along a redirect
                preload_content=not stream,
            )
            code = response.status
        except BROKEN as error:
            raise Unavailable(f"{method} {urlsplit(url).path} at {self._host}: {describe(error)}") from error
        finally:
            observe(method, self._host, code, time.monotonic() - started)
        return response

    def _refusal(self, response: urllib3.BaseHTTPResponse, where: str) -> Exception:
        try:
            body = response.data
        except BROKEN as error:  # only a stream's body is still unread here, and the code says more than its loss
            body = describe(error).encode()
        finally:
            response.close()
        return error_from_answer(response.status, response.headers, body or b"", where)


def describe(error: BaseException) -> str:
    """A urllib3 or socket error as one line, without the repr of the connection object that it starts with."""
    text = " ".join(str(part) for part in error.args) or type(error).__name__
    if text.startswith(("HTTP", "<urllib3")) and "): " in text:
        text = text.partition("): ")[2]
    return shorten(text)


def _pool_manager(configuration: Configuration, pool_size: int) -> urllib3.PoolManager:
    """The pool that the kubernetes package builds from its configuration: CA, certificate, SNI, proxies.

    The pool never blocks (urllib3's default): more requests than `pool_size` at once open connections that are
    closed after use. This is also why a watch, which keeps its connection for minutes, needs no pool of its own:
    it takes a connection away from the idle ones but never a place that a request would have to wait for.
    """
    from kubernetes.client.rest import RESTClientObject  # noqa: PLC0415 - 0.2 s and 22 MB: only who connects pays

    settings: Any = configuration.rest
    settings.retries = False
    settings.keep_alive = True  # TCP keepalive 30/15/9 s as client-go's, so that a dead peer ends a silent watch
    settings.connection_pool_maxsize = pool_size
    try:
        pool: urllib3.PoolManager = RESTClientObject(settings).pool_manager
    except (HTTPError, ImportError, ValueError) as error:
        raise ConfigurationError(
            f"the proxy {settings.proxy} cannot be used: {describe(error)}",
            hint="Check proxy-url in the kubeconfig and HTTPS_PROXY; a socks proxy needs the package PySocks.",
        ) from error
    return pool
