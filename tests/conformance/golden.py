"""The real server's normalised answers, kept in `golden/`: one file a group, one line a case.

`make conformance GOLDEN=1` writes them, `test_embedded.py` compares the embedded server with them, so that the whole set
runs where there is no real server. A live comparison does not read them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).parent / "golden"


def read(folder: Path = GOLDEN) -> dict[str, Any]:
    """Transcripts by the case's name."""
    found: dict[str, Any] = {}
    for path in sorted(folder.glob("*.json")):
        for name, transcript in json.loads(path.read_text()).items():
            found[f"{path.stem}/{name}"] = transcript
    return found


def write(transcripts: Mapping[str, Any], folder: Path = GOLDEN) -> None:
    """Replace all files by these; a group without a case loses its file."""
    groups: dict[str, dict[str, Any]] = {}
    for name, transcript in transcripts.items():
        group, _, rest = name.partition("/")
        groups.setdefault(group, {})[rest] = transcript
    folder.mkdir(exist_ok=True)
    for stale in folder.glob("*.json"):
        stale.unlink()
    for group, cases in groups.items():
        (folder / f"{group}.json").write_text(_text(cases))


def _text(cases: Mapping[str, Any]) -> str:
    lines = (f"{json.dumps(name)}:{json.dumps(each, separators=(',', ':'))}" for name, each in cases.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"
