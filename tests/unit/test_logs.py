"""Log lines: the shape of the JSON, what can be said with fields, and that nothing else gets onto stderr.

Left out: kopf's own loggers, which the kopf variant configures (tests/variants look at its lines).
"""

import io
import json
import logging
import os
import re
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from twinloop import logs
from twinloop.logs import fields

log = logging.getLogger("twinloop.test")


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Put back what configure() changes for the whole process."""
    root, urllib3 = logging.getLogger(), logging.getLogger("urllib3")
    before = root.handlers[:], root.level, urllib3.level, sys.excepthook, threading.excepthook
    yield
    logging.captureWarnings(False)
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    urllib3.setLevel(before[2])
    sys.excepthook, threading.excepthook = before[3], before[4]


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def json_logs(stream: io.StringIO) -> io.StringIO:
    logs.configure(stream=stream)
    return stream


def only_line(stream: io.StringIO) -> dict[str, Any]:
    """The one line that was written, and its object."""
    (line,) = stream.getvalue().splitlines()
    decoded: dict[str, Any] = json.loads(line)
    return decoded


def test_a_line_has_the_four_keys_in_order(json_logs: io.StringIO) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    log.info("hello %s", "there")
    line = only_line(json_logs)
    assert list(line) == ["timestamp", "severity", "logger", "message"]
    assert (line["severity"], line["logger"], line["message"]) == ("info", "twinloop.test", "hello there")
    assert line["timestamp"].endswith("Z")
    assert before <= datetime.fromisoformat(line["timestamp"]) <= datetime.now(UTC)


@pytest.mark.parametrize(
    ("level", "word"),
    [(10, "debug"), (20, "info"), (30, "warn"), (40, "error"), (50, "fatal"), (25, "warn"), (5, "debug")],
)
def test_severities_are_the_words_of_kopfs_json_logs(stream: io.StringIO, level: int, word: str) -> None:
    logs.configure("debug", stream=stream)
    logging.getLogger().setLevel(1)
    log.log(level, "x")
    assert only_line(stream)["severity"] == word


def test_fields_come_after_the_message_under_any_name(json_logs: io.StringIO) -> None:
    log.info("created", extra=fields(namespace="shop", name="web", pods=3))
    line = only_line(json_logs)
    assert (line["namespace"], line["name"], line["pods"]) == ("shop", "web", 3)


def test_plain_extra_works_as_logging_has_it(json_logs: io.StringIO) -> None:
    log.info("created", extra={"namespace": "shop"})
    assert only_line(json_logs)["namespace"] == "shop"


def test_a_field_never_takes_the_place_of_the_message(json_logs: io.StringIO) -> None:
    log.info("the message", extra=fields(message="another", timestamp="never"))
    line = only_line(json_logs)
    assert (line["message"], line["message_"], line["timestamp_"]) == ("the message", "another", "never")


def test_an_exception_is_one_field_of_one_line(json_logs: io.StringIO) -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError:
        log.exception("failed")
    line = only_line(json_logs)
    assert (line["severity"], line["message"]) == ("error", "failed")
    assert line["exception"].startswith("Traceback")
    assert "ValueError: two\nlines" in line["exception"]


def test_exc_info_without_an_exception_adds_nothing(json_logs: io.StringIO) -> None:
    log.info("calm", exc_info=True)  # noqa: LOG014 - the very thing that is tested
    assert "exception" not in only_line(json_logs)


class Nasty:
    def __repr__(self) -> str:
        return "Nasty()"

    def __str__(self) -> str:
        raise RuntimeError("no text")


def test_what_is_no_json_is_written_as_its_repr(json_logs: io.StringIO) -> None:
    log.info("a", extra=fields(thing=Nasty(), many=[{1}]))
    line = only_line(json_logs)
    assert (line["message"], line["thing"], line["many"]) == ("a", "Nasty()", ["{1}"])


def test_what_json_cannot_even_walk_through_does_not_lose_the_line(json_logs: io.StringIO) -> None:
    circle: list[Any] = []
    circle.append(circle)
    log.info("a", extra=fields(circle=circle, key={("a", 1): 2}))
    line = only_line(json_logs)
    assert (line["message"], line["circle"], line["key"]) == ("a", "[[...]]", "{('a', 1): 2}")


@pytest.mark.parametrize("arguments", [("a", "b"), (Nasty(),)])
def test_a_message_that_does_not_fit_its_arguments_is_still_one_line(
    json_logs: io.StringIO, arguments: tuple[object, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    # Through the handler alone: pytest's own handlers would raise on such a record.
    record = logging.LogRecord("x", logging.INFO, "f", 1, "one %s", arguments, None)
    handler = next(h for h in logging.getLogger().handlers if isinstance(h, logs._Handler))
    handler.handle(record)
    assert "one %s" in only_line(json_logs)["message"]
    assert capsys.readouterr().err == ""


def test_text_outside_ascii_and_lone_surrogates_do_not_break_the_line(json_logs: io.StringIO) -> None:
    log.info("ü \ud800 \u2028 \n end")
    assert only_line(json_logs)["message"] == "ü \ud800 \u2028 \n end"


def test_text_is_short_and_ends_with_the_fields(stream: io.StringIO) -> None:
    logs.configure("debug", "text", stream)
    log.warning("pod is gone", extra=fields(namespace="shop", name="web"))
    line = stream.getvalue()
    assert line[8:] == " WARN  pod is gone namespace=shop name=web\n"


def test_text_shows_a_traceback_below_the_line(stream: io.StringIO) -> None:
    logs.configure(fmt="text", stream=stream)
    try:
        raise ValueError("bad")
    except ValueError:
        log.exception("failed")
    assert "ERROR failed\nTraceback" in stream.getvalue()
    assert stream.getvalue().endswith("ValueError: bad\n")


def test_the_default_level_is_info(json_logs: io.StringIO) -> None:
    log.debug("hidden")
    logging.getLogger("urllib3.connectionpool").info("hidden too")
    assert json_logs.getvalue() == ""


def test_a_level_that_does_not_exist_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="CHATTY"):
        logs.configure("chatty")


def test_configuring_again_replaces_the_first_and_leaves_foreign_handlers(stream: io.StringIO) -> None:
    foreign = logging.NullHandler()
    logging.getLogger().addHandler(foreign)
    first = io.StringIO()
    logs.configure(stream=first)
    logs.configure(stream=stream)
    log.info("once")
    assert first.getvalue() == ""
    assert only_line(stream)["message"] == "once"
    assert foreign in logging.getLogger().handlers


def test_a_warning_is_a_log_line(json_logs: io.StringIO) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logs.configure(stream=json_logs)
        warnings.warn("old thing", DeprecationWarning, stacklevel=1)
    line = only_line(json_logs)
    assert line["logger"] == "py.warnings"
    assert "old thing" in line["message"]


def test_a_stream_that_is_gone_costs_the_line_and_nothing_else(
    stream: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(stream=stream)
    stream.close()
    log.info("lost")
    assert capsys.readouterr().err == ""


def test_uncaught_exceptions_of_any_thread_are_json_lines() -> None:
    program = (
        "import threading; from twinloop import logs; logs.configure()\n"
        "thread = threading.Thread(target=lambda: 1 / 0, name='worker-3'); thread.start(); thread.join()\n"
        "raise KeyError('main')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    first, second = [json.loads(line) for line in done.stderr.splitlines()]
    assert done.returncode == 1
    assert first["message"] == "uncaught exception in thread worker-3"
    assert "ZeroDivisionError" in first["exception"]
    assert (second["severity"], second["message"]) == ("fatal", "uncaught exception")
    assert "KeyError: 'main'" in second["exception"]


def test_an_interrupt_from_the_keyboard_is_no_line(json_logs: io.StringIO) -> None:
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert json_logs.getvalue() == ""


# --- klog's format ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("level", "letter"),
    [(10, "I"), (20, "I"), (30, "W"), (40, "E"), (50, "F")],
    ids=["debug", "info", "warn", "error", "fatal"],
)
def test_klog_lines_have_klogs_header(stream: io.StringIO, level: int, letter: str) -> None:
    logs.configure("debug", "klog", stream)
    before = datetime.now().astimezone()
    log.log(level, "Starting %s controller", "Pod")
    (line,) = stream.getvalue().splitlines()
    match = re.fullmatch(
        r"([IWEF])(\d{4} \d\d:\d\d:\d\d\.\d{6}) +(\d+) test_logs\.py:\d+\] Starting Pod controller", line
    )
    assert match
    assert (match[1], match[3]) == (letter, str(os.getpid()))
    written = datetime.strptime(f"{before.year}{match[2]}", "%Y%m%d %H:%M:%S.%f").astimezone()
    assert abs((written - before).total_seconds()) < 60


def test_klog_pads_the_thread_id_to_seven(stream: io.StringIO) -> None:
    """As in klog's own: `I0720 17:07:22.161942   32371 main.go:303] ...`."""
    record = logging.LogRecord("x", logging.INFO, "/src/main.py", 303, "hello", (), None)
    record.process = 32371
    assert re.search(r"\.\d{6}   32371 main\.py:303\] hello$", logs.KlogFormatter().format(record))


def test_klog_lines_carry_fields_and_the_traceback_below(stream: io.StringIO) -> None:
    logs.configure("info", "klog", stream)
    try:
        raise KeyError("metadata")
    except KeyError:
        log.exception("failed", extra={"key": "nginx/web"})
    first, *rest = stream.getvalue().splitlines()
    assert first.endswith("] failed key=nginx/web")
    assert rest[0] == "Traceback (most recent call last):"
    assert rest[-1] == "KeyError: 'metadata'"
