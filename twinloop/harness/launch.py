"""From a variant to the process that it becomes: its command line, its environment, its addresses.

Pure but for the ports, which come in from outside. `keeper.py` starts what comes out; `variants.py` checks with
`unknown_words` what a person wrote. A variant learns where its API server is from {kubeconfig} or from KUBECONFIG.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from twinloop.harness.job import Variant

# The root of the clone: operator/ is a folder of scripts beside the package and never part of it.
SOURCES = Path(__file__).resolve().parents[2]

WORDS = ("kubeconfig", "namespace", "metrics_port", "health_port", "resync", "python", "sources")

_WORD = re.compile(r"\{([a-z_]+)\}")

# What of our own environment an operator must not see: another cluster, a proxy for what is all on loopback, and
# settings meant for another process.
_HIDDEN = re.compile(r"KUBE.*|TWINLOOP_.*|.*_PROXY", re.IGNORECASE)


@dataclass(frozen=True)
class Launch:
    """What is started. `ready` and `metrics` are URLs, "" for an operator that serves no such thing."""

    command: list[str]
    environment: dict[str, str]
    ready: str
    metrics: str


def unknown_words(text: str) -> list[str]:
    """Words in braces that nobody fills in. Other braces are the command's own business."""
    return [word for word in _WORD.findall(text) if word not in WORDS]


def launch(
    variant: Variant,
    *,
    kubeconfig: Path,
    namespace: str,
    metrics_port: int,
    health_port: int,
    resync: float,
    inherited: Mapping[str, str],
) -> Launch:
    """The process that runs `variant` for one namespace; `inherited` is the environment of this one."""
    values = {
        "kubeconfig": str(kubeconfig),
        "namespace": namespace,
        "metrics_port": str(metrics_port),
        "health_port": str(health_port),
        "resync": f"{resync:g}",
        "python": sys.executable,
        "sources": str(SOURCES),
    }
    used = _used(variant)
    return Launch(
        # Filled in after the split, so that a path may have blanks in it.
        command=[_filled(word, values) for word in shlex.split(variant.command)],
        environment={
            **{name: value for name, value in inherited.items() if not _HIDDEN.fullmatch(name)},
            "KUBECONFIG": str(kubeconfig),
            # The last words before a SIGKILL belong into the log.
            "PYTHONUNBUFFERED": "1",
            **{name: _filled(text, values) for name, text in variant.environment.items()},
        },
        ready=_filled(variant.ready, values) if set(_WORD.findall(variant.ready)) <= used else "",
        metrics=f"http://127.0.0.1:{metrics_port}/metrics" if "metrics_port" in used else "",
    )


def _filled(text: str, values: Mapping[str, str]) -> str:
    return _WORD.sub(lambda found: values.get(found[1], found[0]), text)


def _used(variant: Variant) -> set[str]:
    """The words that a variant was told: a port that it never heard of is none that it serves."""
    return {word for text in (variant.command, *variant.environment.values()) for word in _WORD.findall(text)}
