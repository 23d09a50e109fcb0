"""The kubeconfig with which an operator finds its proxy instead of the API server."""

from __future__ import annotations

import os
from pathlib import Path

NAME = "twinloop-compare"

# Some clients refuse to speak without credentials. The proxy replaces this by its own.
_TOKEN = "nobody-checks-this"  # noqa: S105 - as it says


def text(url: str, namespace: str) -> str:
    """The file's content."""
    return f"""\
apiVersion: v1
kind: Config
clusters:
- name: {NAME}
  cluster:
    server: {url}
users:
- name: {NAME}
  user:
    token: {_TOKEN}
contexts:
- name: {NAME}
  context:
    cluster: {NAME}
    user: {NAME}
    namespace: {namespace}
current-context: {NAME}
"""


def write(path: Path, url: str, namespace: str) -> None:
    """Put the file there, for its owner alone: clients warn about anything else."""
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text(url, namespace))
