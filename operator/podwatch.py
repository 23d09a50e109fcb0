"""The article's example on kopf: print which pods of a namespace come, change and go.

    kopf run --standalone -n nginx operator/podwatch.py

The twin of `python -m handwritten.podwatch`, whose lines it prints where kopf can. It cannot where kopf has no such thing:

- kopf has no queue that a key waits in and no cache to look it up in. The sync runs at once, for each event and with
  that event's object: never one sync for several events, and "does not exists anymore" is said of a pod because its
  deletion was told, not because a look into a cache found nothing.
- kopf has no resync: nothing is said while nothing happens.
- kopf gives event handlers no old object, and no word for the pods that are listed: a list made again after the watch
  lost its history shows known pods as added once more, and pods that went meanwhile are not told as deleted.
- kopf never retries an event handler: nothing is put back and nothing dropped, an error is logged by kopf and that is all.
- stderr has kopf's own format, and kopf's own lines besides.

All events are kopf's to see, other programs' bookkeeping included: each change of status or annotations is an update.
"""

from __future__ import annotations

from typing import Any

import kopf


def say(line: str) -> None:
    """Print a line at once, also into a pipe."""
    print(line, flush=True)  # noqa: T201 - what this program is for


@kopf.on.startup()
async def start(settings: kopf.OperatorSettings, logger: kopf.Logger, **_: Any) -> None:
    """Watch the pods of the namespaces that were named, and nothing else: no namespaces, no definitions."""
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
