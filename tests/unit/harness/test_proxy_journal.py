"""What the journal can tell while a trial runs, on a clock that the test turns; and the kubeconfig's text.

Left out: what is written down about requests and watches (tests/harness/test_proxy_recording.py).
"""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import yaml

from twinloop.harness.history import Record, Recorder, Response
from twinloop.harness.proxy import kubeconfig
from twinloop.harness.proxy.journal import Journal
from twinloop.harness.proxy.request_info import parse

PODS = "/api/v1/namespaces/ns/pods"


class Book:
    """A journal, its clock and its records."""

    def __init__(self) -> None:
        self.now = 100.0
        self.records: list[Record] = []
        recorder = Recorder(io.StringIO(), lambda: self.now)
        recorder.listeners.append(self.records.append)
        self.journal = Journal(recorder)

    def asked(self, method: str, target: str = PODS) -> int:
        return self.journal.request(parse(method, target), "a", {}, b"")

    def answered(self, request: int, added: float | None = None) -> None:
        self.journal.response(request, code=200, committed=200, added=added)


def test_quiet_counts_from_the_beginning_then_from_the_last_answer_to_a_write() -> None:
    book = Book()
    book.now += 3
    assert book.journal.quiet_for() == 3
    request = book.asked("POST")
    book.now += 2
    assert book.journal.quiet_for() == 0
    book.answered(request)
    book.now += 5
    assert book.journal.quiet_for() == 5


def test_it_is_not_quiet_before_the_last_of_several_writes_is_answered() -> None:
    book = Book()
    first, second = book.asked("POST"), book.asked("DELETE", PODS + "/a")
    book.answered(second)
    book.now += 5
    assert book.journal.quiet_for() == 0
    book.answered(first)
    assert book.journal.quiet_for() == 0
    book.now += 1
    assert book.journal.quiet_for() == 1


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", PODS),
        ("PUT", "/apis/coordination.k8s.io/v1/namespaces/ns/leases/l"),
        ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"),
    ],
)
def test_reads_leases_and_reviews_do_not_disturb(method: str, target: str) -> None:
    book = Book()
    book.now += 4
    request = book.asked(method, target)
    assert book.journal.quiet_for() == 4
    book.answered(request)
    assert book.journal.quiet_for() == 4


def test_open_streams_are_those_that_have_not_ended() -> None:
    book = Book()
    book.journal.stream_began(1, "a", "pods")
    book.journal.stream_began(2, "b", "pods")
    book.journal.stream_ended(1, "server")
    assert book.journal.open_streams() == [("b", "pods")]


def test_what_faults_take_is_not_added() -> None:
    book = Book()
    book.answered(book.asked("GET"), 0.0005)
    book.answered(book.asked("GET"), None)
    assert book.journal.added == [0.0005]
    assert [each.added for each in book.records if isinstance(each, Response)] == [0.0005, 0.0]


def test_a_closed_journal_still_counts_and_writes_nothing() -> None:
    book = Book()
    request = book.asked("POST")
    book.journal.close()
    book.answered(request)
    assert len(book.records) == 1
    book.now += 1
    assert book.journal.quiet_for() > 0


def test_the_kubeconfig_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    kubeconfig.write(path, "http://127.0.0.1:1", "ns")
    found = yaml.safe_load(path.read_text())
    (context,) = found["contexts"]
    assert found["current-context"] == context["name"] == kubeconfig.NAME
    assert context["context"] == {"cluster": kubeconfig.NAME, "user": kubeconfig.NAME, "namespace": "ns"}
    assert found["clusters"][0]["cluster"] == {"server": "http://127.0.0.1:1"}
    assert found["users"][0]["user"]["token"]
