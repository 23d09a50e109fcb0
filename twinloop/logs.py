"""What an operator says on stderr: one JSON object a line, short lines for people, or lines in klog's format.

Called once, first thing in a main program. From then on every line is of that form, uncaught exceptions and
warnings included, so that whoever collects the lines never meets half a traceback. The severity words are those of
kopf's JSON logs: the lines of both variants can be read by one filter.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal, TextIO

# What every record has by itself; all else came by `extra=`.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "fields"}

_SEVERITIES = ((logging.DEBUG, "debug"), (logging.INFO, "info"), (logging.WARNING, "warn"), (logging.ERROR, "error"))


def configure(level: str = "info", fmt: Literal["json", "text", "klog"] = "json", stream: TextIO | None = None) -> None:
    """Send all log records of the process to `stream` (stderr) from `level` on; may be called again.

    A JSON line has timestamp (RFC 3339, UTC), severity, logger, message, the fields that were given, and with an
    exception its traceback in `exception`.
    """
    handler = _Handler(stream or sys.stderr)
    handler.setFormatter({"json": JsonFormatter, "text": TextFormatter, "klog": KlogFormatter}[fmt]())
    root = logging.getLogger()
    # Ours of an earlier call, and the one that logging installs by itself when something logs before us. Others, such
    # as a test's, stay.
    for old in root.handlers[:]:
        if isinstance(old, _Handler) or type(old) is logging.StreamHandler:
            root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    # Its debug lines repeat every request, and ours say more about the failed ones.
    logging.getLogger("urllib3").setLevel(logging.WARNING)
    logging.captureWarnings(True)
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread


def fields(**values: Any) -> dict[str, dict[str, Any]]:
    """The `extra=` of a log call for fields of any name: `log.info("...", extra=fields(namespace=ns, name=name))`.

    Needed because logging itself refuses `extra={"name": ...}`: the name of a record is its logger's.
    """
    return {"fields": values}


class JsonFormatter(logging.Formatter):
    """One record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Never raises and never breaks the line: an unfit value is written as its repr."""
        line: dict[str, Any] = {
            "timestamp": _time(record).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "severity": _severity(record.levelno),
            "logger": record.name,
            "message": _message(record),
        }
        # A field never takes the place of one of the four above.
        line |= {(f"{key}_" if key in line else str(key)): value for key, value in _extra(record).items()}
        if record.exc_info and record.exc_info[0]:
            line["exception"] = self.formatException(record.exc_info)
        try:
            return json.dumps(line, default=repr)
        except (TypeError, ValueError):  # keys that are no text, a circle
            return json.dumps({key: value if isinstance(value, str) else repr(value) for key, value in line.items()})


class TextFormatter(logging.Formatter):
    """One record as a short line, an exception's traceback below it."""

    def format(self, record: logging.LogRecord) -> str:
        """Time, severity, message and fields; the logger is left out, as the message says what it is about."""
        pairs = "".join(f" {key}={value}" for key, value in _extra(record).items())
        line = f"{self.header(record)} {_message(record)}{pairs}"
        if record.exc_info and record.exc_info[0]:
            line += "\n" + self.formatException(record.exc_info)
        return line

    def header(self, record: logging.LogRecord) -> str:
        """What comes before the message."""
        return f"{_time(record):%H:%M:%S} {_severity(record.levelno).upper():5}"


class KlogFormatter(TextFormatter):
    """One record as Go's klog writes it: `I0720 17:07:22.161942   32371 podwatch.py:95] message`."""

    def header(self, record: logging.LogRecord) -> str:
        """Severity's letter, mmdd and local time, thread id, file and line.

        klog calls the number a thread id and prints the process's (`pid` in klog.go, 7 wide): so do we.
        """
        letter = _severity(record.levelno)[0].upper().replace("D", "I")  # to klog, debug is a verbose I
        return (
            f"{letter}{_time(record).astimezone():%m%d %H:%M:%S.%f} {record.process or 0:7d} "
            f"{record.filename}:{record.lineno}]"
        )


class _Handler(logging.StreamHandler[TextIO]):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Lose the line: the base class prints a traceback to the same stderr that has just failed."""


def _time(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


def _severity(level: int) -> str:
    return next((word for bound, word in _SEVERITIES if level <= bound), "fatal")


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - arguments that do not fit the text, or whose str fails
        return f"{record.msg!r} with {len(record.args or ())} arguments that do not fit"


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    loose = {key: value for key, value in vars(record).items() if key not in _STANDARD}
    return {**loose, **getattr(record, "fields", {})}


def _log_uncaught(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):  # Ctrl-C is an order, not a defect
        return
    logging.getLogger("twinloop").critical("uncaught exception", exc_info=(kind, error, traceback))


def _log_uncaught_in_thread(arguments: threading.ExceptHookArgs) -> None:
    if arguments.exc_value is not None:
        name = arguments.thread.name if arguments.thread else "unknown"
        logging.getLogger("twinloop").critical(
            "uncaught exception in thread %s",
            name,
            exc_info=(arguments.exc_type, arguments.exc_value, arguments.exc_traceback),
        )
