"""The kubeconfig of a running server: the way in, and the only place where the token is written down.

`process.py` writes it once the server listens, so whoever sees the file can use it at once.
"""

from __future__ import annotations

import base64
import contextlib
import os
import tempfile
from pathlib import Path

from twinloop.errors import ConfigurationError

CONTEXT = "twinloop-embedded"


def text(url: str, authority: bytes, token: str) -> str:
    """The file's content; plain YAML that a person can read."""
    return f"""\
apiVersion: v1
kind: Config
clusters:
- name: {CONTEXT}
  cluster:
    server: {url}
    certificate-authority-data: {base64.b64encode(authority).decode()}
users:
- name: {CONTEXT}
  user:
    token: {token}
contexts:
- name: {CONTEXT}
  context:
    cluster: {CONTEXT}
    user: {CONTEXT}
    namespace: default
current-context: {CONTEXT}
"""


def write(path: Path, content: str) -> None:
    """Put the file there, mode 0600, whole or not at all. Raises ConfigurationError."""
    if path.is_dir():  # an empty --kubeconfig-out means the present one
        raise ConfigurationError(
            f"the kubeconfig cannot be written: {path} is a folder", hint="Name a file with --kubeconfig-out."
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # mkstemp makes files that only their owner may read.
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise _cannot(path, error) from error
    try:
        with os.fdopen(handle, "w") as file:
            file.write(content)
        Path(name).replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise _cannot(path, error) from error


def _cannot(path: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(f"cannot write {path}: {error.strerror}", hint="Choose another --kubeconfig-out.")
