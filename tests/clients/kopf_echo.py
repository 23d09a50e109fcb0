"""For `kopf run`: prints each event of ConfigMaps as kopf sees it. $KOPF_STREAMING=1 asks for the first state by watch."""

from __future__ import annotations

import os
from typing import Any

import kopf


@kopf.on.startup()
def configure(settings: kopf.OperatorSettings, **_: Any) -> None:
    settings.posting.enabled = False
    settings.watching.initial_streaming = os.environ.get("KOPF_STREAMING") == "1"


@kopf.on.event("", "v1", "configmaps", labels={"echo": "yes"})
async def echo(event: kopf.RawEvent, name: str | None, **_: Any) -> None:
    print(f"{event['type']} {name}", flush=True)
