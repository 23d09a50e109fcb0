"""Where the Authorization header of a request comes from, and how it is renewed.

`config.py` picks one of these by what the kubeconfig says; `transport.py` asks for the current credential before each
request and for a new one after a 401. They are our own because the kubernetes package reads a tokenFile once
and for all, logs a failing exec plugin and goes on as anonymous, and knows nothing of a 401.
"""

from __future__ import annotations

import atexit
import logging
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from twinloop.errors import ConfigurationError, Unauthorized

log = logging.getLogger(__name__)

# client-go's period in transport.NewCachedFileTokenSource. A changed file is seen at once by its stat; the period is
# for file systems whose times do not tell.
TOKEN_PERIOD = 60.0


@dataclass(frozen=True)
class Credential:
    """What a request shows to the server. `version` changes whenever the credential does."""

    authorization: str | None
    version: int = 0

    def __repr__(self) -> str:
        return f"Credential(version={self.version})"  # a log line must never show a token


class Credentials(Protocol):
    """A source of credentials; called by many threads."""

    def current(self) -> Credential:
        """The credential to use now. Unauthorized when none can be had."""

    def renew(self, rejected: int) -> bool:
        """Told that the server refused version `rejected`: whether there is another one to try."""


class LibraryCredentials:
    """What the kubernetes package knows by itself: a token or a password in the file, the oidc and gcp providers."""

    def __init__(self, settings: Any) -> None:
        self._settings = settings
        self._lock = threading.Lock()  # the package's refresh hook writes to its configuration

    def current(self) -> Credential:
        """The package's header, which its own hook refreshes when an auth provider's token has expired."""
        try:
            with self._lock:
                value = self._settings.get_api_key_with_prefix("BearerToken")
        except Exception as error:  # an auth provider may raise anything from YAML to TLS errors
            raise Unauthorized(f"the auth provider gave no token: {error}") from error
        return Credential(value)

    def renew(self, rejected: int) -> bool:  # noqa: ARG002 - there is only one version
        """Never: the package refreshes by the clock alone."""
        return False


class TokenFile:
    """A bearer token in a file that somebody rotates: the kubelet in a pod, a login tool elsewhere."""

    def __init__(self, path: Path, *, now: Callable[[], float] = time.monotonic) -> None:
        """Read the file once, so that a missing one is a ConfigurationError at start and not a 401 later."""
        self._path = path
        self._now = now
        self._lock = threading.Lock()  # guards everything below: one thread reads, the others take what it read
        try:
            self._credential = Credential(bearer(path.read_text()))
            self._stamp = self._stat()
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"the token file {path} cannot be used: {error}") from error
        self._read_at = now()

    def current(self) -> Credential:
        """The token, read again when the file changed or a minute went by."""
        with self._lock:
            if self._stat() != self._stamp or self._now() - self._read_at >= TOKEN_PERIOD:
                self._read()
            return self._credential

    def renew(self, rejected: int) -> bool:
        """Read the file now. False when it still holds the refused token: sending that again is no use."""
        with self._lock:
            if self._credential.version == rejected:
                self._read()
            return self._credential.version != rejected

    def _read(self) -> None:
        # The stamp is taken first: a file that is replaced in between is then read again at the next request.
        stamp = self._stat()
        self._read_at = self._now()
        try:
            header = bearer(self._path.read_text())
        except (OSError, ValueError) as error:
            # As client-go does: the last good token may live longer than a rotation takes.
            log.warning("the token file %s cannot be read, keeping the last token: %s", self._path, error)
            return
        self._stamp = stamp
        if header != self._credential.authorization:
            self._credential = Credential(header, self._credential.version + 1)

    def _stat(self) -> tuple[int, int, int] | None:
        # The inode too: the kubelet swaps a symbolic link, and two files may well have one time and one size.
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_ino, status.st_size


class ExecPlugin:
    """An exec plugin of a kubeconfig: a command that prints an ExecCredential with a token or a certificate.

    `run` gives the ExecCredential's status. It is run at the start, when expirationTimestamp has passed and when the
    server refused what it gave. `certificate` is the PEM file (certificate and key) for the connections, or
    None; it is rewritten in place, and connections opened later read it again.
    """

    def __init__(
        self,
        run: Callable[[], Mapping[str, Any]],
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Run the plugin; whatever goes wrong is left to the caller, who knows the name of the command."""
        self._run = run
        self._now = now
        self._lock = threading.Lock()  # held while the plugin runs: a hundred refused requests start it once
        self.certificate: Path | None = None
        self._expires: datetime | None = None
        self._credential = Credential(None)
        self._load()

    def current(self) -> Credential:
        """The plugin's credential; Unauthorized when it has expired and the plugin gives no other."""
        with self._lock:
            if self._expires is not None and self._now() >= self._expires:
                self._reload()
            return self._credential

    def renew(self, rejected: int) -> bool:
        """Run the plugin, unless another thread has done so since. False when it gives the same again."""
        with self._lock:
            if self._credential.version == rejected:
                self._reload()
            return self._credential.version != rejected

    def _reload(self) -> None:
        try:
            self._load()
        except Exception as error:  # the kubernetes package lets any error of the command through
            raise Unauthorized(f"the credential plugin failed: {_one_line(error)}") from error

    def _load(self) -> None:
        status = self._run()
        expires = status.get("expirationTimestamp")
        header = bearer(status["token"]) if status.get("token") else None
        certificate = _certificate(status)
        if header is None and certificate is None:
            raise ValueError("it printed neither a token nor a certificate with its key")
        changed = header != self._credential.authorization
        if certificate is not None:
            changed |= self._write(certificate)
        # RFC 3339 without a zone does not exist, but a plugin that forgets it means UTC.
        expiry = datetime.fromisoformat(expires) if isinstance(expires, str) else None
        self._expires = expiry.replace(tzinfo=UTC) if expiry is not None and expiry.tzinfo is None else expiry
        if changed:
            self._credential = Credential(header, self._credential.version + 1)

    def _write(self, certificate: str) -> bool:
        """Whether the PEM file changed. One file for both halves, replaced at once: they always fit together."""
        if self.certificate is None:
            directory = Path(tempfile.mkdtemp(prefix="twinloop-"))
            atexit.register(shutil.rmtree, directory, ignore_errors=True)
            self.certificate = directory / "client.pem"
        elif self.certificate.read_text() == certificate:
            return False
        draft = self.certificate.with_suffix(".new")
        draft.touch(mode=0o600)
        draft.write_text(certificate)
        draft.replace(self.certificate)
        return True


def bearer(token: object) -> str:
    """The Authorization header for a token; ValueError when it is empty or could break out of a header line."""
    text = token.strip() if isinstance(token, str) else ""
    if not text:
        raise ValueError("the token is empty")
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("the token holds characters that no token has")
    return f"Bearer {text}"


def _certificate(status: Mapping[str, Any]) -> str | None:
    certificate, key = status.get("clientCertificateData"), status.get("clientKeyData")
    return f"{certificate.rstrip()}\n{key}" if isinstance(certificate, str) and isinstance(key, str) else None


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
