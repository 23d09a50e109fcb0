"""The server's certificate: made anew for every server, in a process of its own, and known to nobody but its kubeconfig.

kubectl and every other client-go program send a bearer token over TLS only, so the server needs TLS. `process.py` has
`authority.py` run while it starts: the library for certificates would otherwise stay in the server's memory for its
whole life, and neither the authority nor a key is written to a place where it would stay.
"""

from __future__ import annotations

import ssl
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from types import TracebackType
from typing import Self


@dataclass(frozen=True, slots=True)
class Certificate:
    """PEM texts: the authority's certificate for clients, key and certificate for the server."""

    authority: bytes
    chain: bytes

    def context(self) -> ssl.SSLContext:
        """TLS as the server speaks it. HTTP/1.1 only."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        # The library reads files only. This one has mode 0600 and is gone at the end of the block.
        with tempfile.NamedTemporaryFile() as file:
            file.write(self.chain)
            file.flush()
            context.load_cert_chain(file.name)
        return context


class Maker:
    """Makes a certificate in a process of its own while the block lasts; `result` waits for it."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "twinloop.apiserver.http.authority"]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)  # noqa: S603

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.__exit__(exc_type, exc, traceback)  # closes the pipe and waits

    def result(self) -> Certificate:
        """What was made. Raises RuntimeError when the process failed; what it said is on standard error."""
        output, _ = self._process.communicate()
        if self._process.returncode:
            raise RuntimeError("no certificate could be made")
        authority, chain = output.split(b"\0")
        return Certificate(authority, chain)
