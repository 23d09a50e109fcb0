"""The history: what is written comes back, in order and whole, and what is no history is refused.

Left out: who writes what when (test_trial in tests/harness), and what it means (the checkers' tests).
"""

import io
import json
import threading
from pathlib import Path

import pytest

from twinloop.harness.history import (
    KINDS,
    SCHEMA,
    Begin,
    BrokenHistoryError,
    End,
    History,
    Mark,
    Record,
    Recorder,
    Request,
    Truth,
    dump,
    load,
)

BEGIN = Begin(
    scenario="create", variant="handwritten", backend="embedded", namespace="ns", started="2026-01-01T00:00:00Z"
)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def recorded(*records: Record) -> History:
    stream = io.StringIO()
    recorder = Recorder(stream)
    for record in records:
        recorder.write(record)
    return History([load(line, number) for number, line in enumerate(stream.getvalue().splitlines(), 1)])


def test_every_kind_of_record_survives_its_line() -> None:
    samples = {
        "begin": BEGIN,
        "request": Request(
            id=1, replica="a", verb="get", resource="pods", path="/x", query={"a": "b"}, body={"é": [1]}
        ),
        "truth": Truth(type="ADDED", resource="pods", object={"metadata": {"name": "p"}}),
        "mark": Mark(name="settled", ok=False, detail="no"),
        "end": End(outcome="complete", unfired=["r"]),
    }
    for kind, record in samples.items():
        again = load(dump(record), 0)
        assert again == record
        assert KINDS[kind] is type(record)


def test_kinds_have_names_of_their_own() -> None:
    assert all(record.kind == kind and kind for kind, record in KINDS.items())
    assert len(KINDS) == 15


def test_time_begins_with_the_recorder_and_counts_from_zero() -> None:
    clock = Clock()
    recorder = Recorder(io.StringIO(), clock)
    clock.now += 1.5
    assert recorder.write(BEGIN).t == 1.5


def test_numbers_are_line_numbers() -> None:
    history = recorded(BEGIN, Mark(name="steady"), End(outcome="complete"))
    assert [record.seq for record in history.records] == [1, 2, 3]


def test_a_line_has_no_number_of_its_own_and_no_line_break() -> None:
    line = dump(Mark(name="steady", detail="two\nlines", seq=7))
    assert "\n" not in line
    assert "seq" not in json.loads(line)


def test_listeners_hear_what_was_written() -> None:
    recorder, heard = Recorder(io.StringIO()), list[Record]()
    recorder.listeners.append(heard.append)
    written = recorder.write(Mark(name="steady"))
    assert heard == [written]
    assert written.seq == 1


def test_threads_write_whole_lines_in_the_order_of_their_times() -> None:
    stream = io.StringIO()
    recorder = Recorder(stream)

    def write() -> None:
        for _ in range(200):
            recorder.write(Mark(name="steady", detail="x" * 300))

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    records = [load(line, number) for number, line in enumerate(stream.getvalue().splitlines(), 1)]
    assert len(records) == 800
    assert [each.t for each in records] == sorted(each.t for each in records)


def test_a_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    with path.open("w") as stream:
        recorder = Recorder(stream)
        recorder.write(BEGIN)
        recorder.write(End(outcome="complete"))
    history = History.read(path)
    assert history.begin.scenario == "create"
    assert history.end is not None
    assert history.end.outcome == "complete"


def test_half_a_line_at_the_end_is_dropped_and_the_end_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text(dump(BEGIN) + "\n" + dump(Mark(name="steady")) + "\n" + '{"kind":"en')
    history = History.read(path)
    assert len(history.records) == 2
    assert history.end is None


@pytest.mark.parametrize(
    "line",
    [
        "no json",
        "[]",
        "null",
        '{"kind":"nonsense"}',
        '{"t":1}',
        '{"kind":"mark","name":"x","surprise":1}',
        '{"kind":"mark"}',
    ],
)
def test_a_line_that_is_no_record_is_refused_by_its_number(line: str) -> None:
    with pytest.raises(BrokenHistoryError, match="line 12"):
        load(line, 12)


def test_a_broken_line_in_the_middle_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text(f"{dump(BEGIN)}\n{{\n{dump(End(outcome='complete'))}\n")
    with pytest.raises(BrokenHistoryError, match="line 2"):
        History.read(path)


def test_a_history_without_its_first_line_is_refused() -> None:
    with pytest.raises(BrokenHistoryError, match="first line"):
        recorded(Mark(name="steady"))
    with pytest.raises(BrokenHistoryError, match="first line"):
        History([])


def test_a_history_of_another_version_is_refused() -> None:
    other = Begin(
        schema=SCHEMA + 1, scenario="s", variant="v", backend="b", namespace="n", started="2026-01-01T00:00:00Z"
    )
    with pytest.raises(BrokenHistoryError, match=f"schema {SCHEMA + 1}"):
        recorded(other)


def test_records_between_two_marks() -> None:
    inside = Mark(name="canary")
    history = recorded(BEGIN, Mark(name="quiet-begin"), inside, Mark(name="quiet-end"), Mark(name="steady"))
    assert [each.seq for each in history.between("quiet-begin", "quiet-end")] == [3]
    assert [each.seq for each in history.between("quiet-begin", "never")] == [3, 4, 5]
    assert list(history.between("never", "quiet-end")) == []


def test_of_several_marks_of_a_name_the_last_counts() -> None:
    history = recorded(BEGIN, Mark(name="settled", ok=False), Mark(name="settled", ok=True))
    mark = history.mark("settled")
    assert mark is not None
    assert mark.ok
    assert history.mark("canary") is None
