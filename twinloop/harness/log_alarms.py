"""What an operator's log says that it should not: tracebacks, and tasks or threads that died unheard.

`trial.py` calls `alarms` with the lines of a log when the operator has ended. Plain text and JSON lines are understood. An
error that an operator expected and says in one line is no alarm: that is how a good one speaks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from twinloop.harness.history import LogAlarm

# A report needs a glance, not a page.
LONGEST = 300

_TRACEBACK = "Traceback (most recent call last)"
# What Python, asyncio, aiohttp and Go say when something died and nobody asked.
_UNHEARD = re.compile(
    r"exception was never retrieved|Task was destroyed but it is pending|coroutine '.*' was never awaited"
    r"|Exception ignored in|Exception in thread|Unclosed (?:client session|connector|connection)"
    r"|\bunhandled\b|uncaught exception|^panic: |^fatal error: |Segmentation fault",
    re.IGNORECASE,
)
# One exception led to the next: their tracebacks are one alarm, named after the last.
_CHAINED = re.compile("During handling of the above exception|The above exception was the direct cause")


def alarms(replica: str, lines: Iterable[str]) -> list[LogAlarm]:
    """The alarms of a log, in order; a traceback is one, at its first line and with the name of its exception."""
    return [
        LogAlarm(replica=replica, line=number, text=text[:LONGEST])
        for number, chunk in _chunks(lines)
        if (text := _complaint(chunk))
    ]


def _chunks(lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """The lines, with what belongs to a traceback of plain text put to the line that it began with."""
    chunk: list[str] = []
    began = 0
    for number, line in enumerate(lines, 1):
        if chunk and _goes_on(chunk, line):
            chunk.append(line)
            continue
        if chunk:
            yield began, chunk
        chunk, began = [line], number
    if chunk:
        yield began, chunk


def _goes_on(chunk: list[str], line: str) -> bool:
    """Whether a line belongs to what came before it: a traceback, from its announcement to its last line."""
    if line.startswith(_TRACEBACK):
        # What died is said in the line before, or it is the next of a chain.
        return _UNHEARD.search(chunk[-1]) is not None or _CHAINED.match(_last_words(chunk)) is not None
    if not any(each.startswith(_TRACEBACK) for each in chunk):
        return False
    if _CHAINED.match(line) or not line.strip():
        return True
    # Indented lines are its frames; the first that is not names the exception and ends it.
    return line.startswith((" ", "\t", "|", "+")) or _last_words(chunk).startswith((" ", "\t", _TRACEBACK))


def _last_words(chunk: list[str]) -> str:
    return next((line for line in reversed(chunk) if line.strip()), "")


def _complaint(chunk: list[str]) -> str:
    """What is wrong about some lines, "" when nothing is."""
    if len(chunk) > 1 or chunk[0].startswith(_TRACEBACK):
        head = "" if chunk[0].startswith(_TRACEBACK) else f"{chunk[0].strip()}: "
        last = _last_words(chunk)
        return head + ("a traceback that was cut off" if last.startswith((" ", "\t", _TRACEBACK)) else last.strip())
    fields = _fields(chunk[0])
    return _complaint_of_fields(fields) if fields is not None else _complaint_of_text(chunk[0])


def _fields(line: str) -> dict[str, Any] | None:
    """The fields of a JSON line, None for any other."""
    if not line.startswith("{"):
        return None
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _complaint_of_fields(fields: dict[str, Any]) -> str:
    message = str(fields.get("message") or fields.get("msg") or "")
    # Python's formatters put a traceback into a field of its own, each under another name.
    for value in fields.values():
        if isinstance(value, str) and _TRACEBACK in value:
            last = _last_words(value.splitlines()).strip()
            head = message.partition("\n")[0].strip()
            return last if value is message or not head else f"{head}: {last}"
    return message.strip() if _UNHEARD.search(message) else ""


def _complaint_of_text(line: str) -> str:
    return line.strip() if _UNHEARD.search(line) else ""
