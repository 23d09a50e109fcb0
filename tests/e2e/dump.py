"""What a person needs to understand a failed case, written to results/<case>/ before its namespace goes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from e2e.audit import Request
from e2e.case import Case
from e2e.cluster import CommandFailed
from e2e.deployment import Deployment


def write(case: Case, folder: Path, requests: Iterable[Request] | None) -> None:
    """The namespace's objects and events, the operator's log of the time, the record and the operator's requests."""
    folder.mkdir(parents=True, exist_ok=True)
    for file, command in {
        "nginxpods.yaml": ["get", "nginxpods", "-o", "yaml"],
        "pods.yaml": ["get", "pods", "-o", "yaml"],
        "events.txt": ["get", "events", "--sort-by=.lastTimestamp"],
    }.items():
        (folder / file).write_text(_output_of(case, *command))
    (folder / "record.jsonl").write_text("".join(f"{line}\n" for line in _record_lines(case)))
    (folder / "requests.txt").write_text("".join(f"{r} {r.name} -> {r.code}\n" for r in requests or []))
    if case.operator:
        write_log(case.operator, folder, case.started)


def write_log(operator: Deployment, folder: Path, since: datetime | None = None) -> None:
    """The operator's log since then; all of it without a time."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "operator.log").write_text(operator.logs(since))


def _output_of(case: Case, *command: str) -> str:
    try:
        return case.kubectl(*command)
    except CommandFailed as error:
        return str(error)


def _record_lines(case: Case) -> Iterable[str]:
    for entry in case.record().entries:
        obj = dict(entry.object)
        if obj:
            obj["metadata"] = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
        yield json.dumps({"at": round(entry.at, 3), "resource": entry.resource, "type": entry.type, "object": obj})
