"""Which lines of a log are an alarm.

Left out: logs in other languages than Python's and Go's words for a crash.
"""

from __future__ import annotations

import json

import pytest

from twinloop.harness.log_alarms import LONGEST, alarms

TRACEBACK = """Traceback (most recent call last):
  File "x.py", line 1, in <module>
    work()
  File "x.py", line 2, in work
    raise ValueError("no")
ValueError: no"""


def said(text: str) -> list[tuple[int, str]]:
    return [(each.line, each.text) for each in alarms("a", text.split("\n"))]


def test_a_quiet_log_gives_none() -> None:
    assert said("") == []
    assert said("starting\nready\nstopping") == []


def test_an_expected_error_in_one_line_is_none() -> None:
    assert said("ERROR cannot list pods: 503 Service Unavailable, trying again in 2 s") == []
    assert said(json.dumps({"severity": "error", "message": "Request failed", "error": "409 Conflict"})) == []


def test_a_traceback_is_one_alarm_named_after_its_exception() -> None:
    assert said(f"before\n{TRACEBACK}\nafter") == [(2, "ValueError: no")]


def test_two_tracebacks_are_two_alarms() -> None:
    assert said(f"{TRACEBACK}\n{TRACEBACK}") == [(1, "ValueError: no"), (7, "ValueError: no")]


def test_a_chain_of_exceptions_is_one_alarm() -> None:
    chain = f"{TRACEBACK}\n\nDuring handling of the above exception, another exception occurred:\n\n"
    assert said(f"{chain}{TRACEBACK.replace('ValueError: no', 'KeyError: 1')}\nafter") == [(1, "KeyError: 1")]


def test_a_traceback_that_was_cut_off_is_an_alarm_too() -> None:
    assert said("\n".join(TRACEBACK.split("\n")[:3])) == [(1, "a traceback that was cut off")]


def test_what_follows_a_traceback_is_read_again() -> None:
    assert said(f"{TRACEBACK}\nTask was destroyed but it is pending!") == [
        (1, "ValueError: no"),
        (7, "Task was destroyed but it is pending!"),
    ]


def test_a_dead_thread_and_its_traceback_are_one_alarm() -> None:
    assert said(f"Exception in thread worker-1:\n{TRACEBACK}") == [(1, "Exception in thread worker-1:: ValueError: no")]


@pytest.mark.parametrize(
    "line",
    [
        "Task exception was never retrieved",
        "Future exception was never retrieved",
        "sys:1: RuntimeWarning: coroutine 'work' was never awaited",
        "Exception ignored in: <function Pool.__del__>",
        "Unclosed client session",
        "panic: runtime error: invalid memory address",
        "fatal error: concurrent map writes",
        "E1123 Unhandled error in the informer",
        "CRITICAL uncaught exception in thread reflector",
    ],
)
def test_what_died_unheard_is_an_alarm(line: str) -> None:
    assert said(line) == [(1, line)]
    assert said(json.dumps({"severity": "error", "message": line})) == [(1, line)]


@pytest.mark.parametrize("field", ["exception", "exc_info", "stack"])
def test_a_traceback_in_a_field_of_a_json_line_is_an_alarm(field: str) -> None:
    line = json.dumps({"severity": "error", "message": "Sync function raised", field: TRACEBACK})
    assert said(f"x\n{line}") == [(2, "Sync function raised: ValueError: no")]


def test_a_traceback_inside_the_message_of_a_json_line_is_an_alarm() -> None:
    assert said(json.dumps({"message": f"Handler failed\n{TRACEBACK}"})) == [(1, "ValueError: no")]


def test_a_line_that_only_looks_like_json_is_text() -> None:
    assert said("{not json: unhandled}") == [(1, "{not json: unhandled}")]
    assert said('{"half": "unhandled') == [(1, '{"half": "unhandled')]


def test_an_alarm_is_short_and_knows_its_replica() -> None:
    (alarm,) = alarms("b", [f"unhandled {'x' * 1000}"])
    assert (alarm.replica, len(alarm.text)) == ("b", LONGEST)


def test_a_traceback_that_a_logger_indents_below_its_line_is_one_alarm() -> None:
    text = f"12:00:00 ERROR Sync function raised\n{TRACEBACK}\n12:00:01 INFO going on"
    assert said(text) == [(2, "ValueError: no")]


def test_an_empty_line_ends_no_traceback() -> None:
    frames = TRACEBACK.replace("    work()\n", "    work()\n\n")
    assert said(f"{frames}\nafter") == [(1, "ValueError: no")]


def test_what_says_handled_is_not_unhandled() -> None:
    assert said("Handled 3 events, 0 left") == []


def test_fields_that_are_no_text_are_passed_over() -> None:
    assert said(json.dumps({"message": None, "count": 3, "labels": {"a": "b"}, "list": [1]})) == []
    assert said("[1, 2]\n{}\nnull") == []
