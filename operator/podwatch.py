"""The article's example on kopf: print which pods of a namespace come, change and go.

    kopf run --standalone -n nginx operator/podwatch.py

The twin of `python -m handwritten.podwatch`, whose lines it prints where kopf can. Where it cannot:

- There is no queue that a key waits in, and no cache that it is looked up in. The sync runs at once, for each event and
  with that event's object: never one sync for several events, and "does not exists anymore" is said because a deletion
  was told, not because a look found nothing. (kopf's index follows the same events: it would find the same.)
- There is no resync: nothing is said while nothing happens.
- An event has no old object, and a listed pod has no type. When kopf has to list again because the watch lost its
  history, known pods are shown as added once more, and those that went meanwhile are never shown as deleted.
- An event handler is never retried: kopf logs its error, and nothing is put back or dropped.
- stderr has kopf's format, and kopf's own lines besides. An API server that answers 5xx for a minute ends the process.

An update is whatever changes a pod: the bookkeeping of kubelets, controllers and other operators too. This one writes
nothing, as kopf keeps notes on an object only for the handlers that it retries.
"""

from __future__ import annotations

import sys
from typing import Any

import kopf

from twinloop.errors import EXIT_CONFIGURATION, ConfigurationError
from twinloop.kube import load_configuration

try:
    # Only a look: the login is kopf's own, and it would answer an unusable kubeconfig with pages of tracebacks.
    load_configuration()
except ConfigurationError as unusable:
    sys.stderr.write(unusable.for_a_person() + "\n")
    sys.exit(EXIT_CONFIGURATION)


def say(line: str) -> None:
    """Print a line at once, also into a pipe."""
    print(line, flush=True)  # noqa: T201 - what this program is for


@kopf.on.startup()
async def start(settings: kopf.OperatorSettings, logger: kopf.Logger, **_: Any) -> None:
    """Say that it starts, and watch nothing but pods: kopf would watch namespaces and definitions of kinds too."""
    settings.scanning.disabled = True
    say("start controller")
    logger.info("Starting Pod controller")


@kopf.on.cleanup()
async def stop(logger: kopf.Logger, **_: Any) -> None:
    """Say goodbye."""
    logger.info("Stopping Pod controller")


@kopf.on.event("", "v1", "pods")
async def on_pod(event: kopf.RawEvent, namespace: str | None, name: str | None, **_: Any) -> None:
    """Say what happened, and then what a sync would say."""
    key = f"{namespace}/{name}"
    if event["type"] == "DELETED":
        say(f"delete pod:  {key}")
        say(f"Pod {key} does not exists anymore")
    else:
        # A pod that is listed comes without a type.
        say(f"{'update' if event['type'] == 'MODIFIED' else 'add'} pod:  {key}")
        say(f"Sync/Add/Update for Pod {name}")
