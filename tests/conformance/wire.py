"""One API server as the cases see it: requests exactly as written, answers as they come, watches read line by line.

Between `play.py` and the network. The standard library's HTTP client and nothing above it: paths go out undecoded, no
header is added but Host, no answer is retried or redirected.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import queue
import socket
import ssl
import threading
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from twinloop.kube.config import Configuration

SECONDS = 20.0  # for one answer
WRONG_TOKEN = "Bearer nobody-gave-this-out"


@dataclass(frozen=True)
class Exchange:
    """An answer: `body` is what its JSON or YAML says, else text."""

    code: int
    headers: list[tuple[str, str]]
    body: Any

    @classmethod
    def of(cls, response: http.client.HTTPResponse) -> Exchange:
        """Read an answer to its end."""
        data, content = response.read(), response.getheader("Content-Type", "")
        return cls(response.status, response.getheaders(), decode(data, yaml_too="yaml" in content))

    def header(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for key, value in self.headers if key.lower() == name.lower()]


@dataclass
class Server:
    """Where an API server listens and how to be its administrator. `name` is what reports call it."""

    name: str
    configuration: Configuration
    # Whether its namespaces get a ConfigMap with the cluster's certificate, which a case must not meet by surprise.
    _contexts: dict[str, ssl.SSLContext] = field(default_factory=dict)

    def request(
        self, method: str, path: str, *, headers: Mapping[str, str], body: bytes | None, user: str = "admin"
    ) -> Exchange:
        """Send one request and read its answer to the end."""
        connection = self._connect(user)
        try:
            response = self._send(connection, method, path, headers, body, user)
            return Exchange.of(response)
        finally:
            connection.close()

    def watch(
        self, path: str, *, headers: Mapping[str, str], user: str = "admin", bookmarks: int = 0
    ) -> Exchange | Stream:
        """Open a watch: a stream when the server agrees, else its answer. For `bookmarks` see `Stream`."""
        connection = self._connect(user)
        response = self._send(connection, "GET", path, headers, None, user)
        if response.status == 200:
            return Stream(connection, response, bookmarks)
        answer = Exchange.of(response)
        connection.close()
        return answer

    def _send(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | None,
        user: str,
    ) -> http.client.HTTPResponse:
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in {**headers, **self._credentials(user)}.items():
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        # A server may refuse a body before it has read all of it: its answer is there all the same.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.endheaders(body)
        return connection.getresponse()

    def _credentials(self, user: str) -> dict[str, str]:
        if user == "admin":
            authorization = self.configuration.credentials.current().authorization
            return {"Authorization": authorization} if authorization else {}
        return {"Authorization": WRONG_TOKEN} if user == "wrong" else {}

    def _connect(self, user: str) -> http.client.HTTPConnection:
        where = urllib.parse.urlsplit(self.configuration.server)
        host, port = where.hostname or "", where.port
        if where.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=SECONDS)
        return http.client.HTTPSConnection(host, port, timeout=SECONDS, context=self._tls(user))

    def _tls(self, user: str) -> ssl.SSLContext:
        if user not in self._contexts:
            rest = self.configuration.rest
            context = ssl.create_default_context(cafile=rest.ssl_ca_cert)
            if user == "admin" and rest.cert_file:
                context.load_cert_chain(rest.cert_file, rest.key_file)
            self._contexts[user] = context
        return self._contexts[user]


class Stream:
    """An open watch; a thread of its own reads the lines, so that the server never waits for the case.

    The first `bookmarks` BOOKMARK events count, the one that ends the initial events; a server sends others when it likes.
    """

    def __init__(
        self, connection: http.client.HTTPConnection, response: http.client.HTTPResponse, bookmarks: int = 0
    ) -> None:
        self.code, self.headers = response.status, response.getheaders()
        self._bookmarks = bookmarks
        self._connection, self._response = connection, response
        self._lines: queue.Queue[bytes | None] = queue.Queue()
        self.ended = False
        # A quiet watch is not a broken one.
        self._socket = connection.sock
        self._socket.settimeout(None)
        threading.Thread(target=self._read, name="watch", daemon=True).start()

    def take(self, count: int, seconds: float) -> list[Any]:
        """The next events: at least `count` unless the time runs out or the stream ends, and what else is there."""
        found: list[Any] = []
        with contextlib.suppress(queue.Empty):
            while not self.ended:
                line = self._lines.get(timeout=seconds) if len(found) < count else self._lines.get_nowait()
                if line is None:
                    self.ended = True
                else:
                    found += self._counted(decode(line))
        return found

    def _counted(self, event: Any) -> list[Any]:
        if isinstance(event, dict) and event.get("type") == "BOOKMARK":
            self._bookmarks -= 1
            return [event] if self._bookmarks >= 0 else []
        return [event]

    def close(self) -> None:
        """End the watch from this side."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def _read(self) -> None:
        try:
            while line := self._response.readline():
                self._lines.put(line)
        except (OSError, http.client.HTTPException, ValueError):
            pass  # cut: the end, as far as the case is concerned
        finally:
            self._lines.put(None)
            self._connection.close()


def decode(data: bytes, *, yaml_too: bool = False) -> Any:
    """JSON (or YAML, whose quotes and order mean nothing), or text when it is neither."""
    with contextlib.suppress(ValueError):
        return json.loads(data)
    text = data.decode(errors="replace")
    with contextlib.suppress(yaml.YAMLError):
        return yaml.load(text, Loader=TextLoader) if yaml_too else text
    return text


class TextLoader(yaml.SafeLoader):
    """YAML as Kubernetes reads it: what looks like a time is text."""


TextLoader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
