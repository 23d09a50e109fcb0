"""The end-to-end report: counting requests, comparing the variants, and the words and tables that come of it.

Left out: pytest's hooks, which `make e2e` itself runs.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from e2e import audit, report
from e2e.findings import EXPECTED, FAIL, PASS, UNKNOWN, Observation, Outcome, Table, differences, write_differences
from e2e.record import Unchecked

VARIANTS = ["handwritten", "kopf"]
OPERATOR = "system:serviceaccount:twinloop-system:twinloop-kopf"


def line(**fields: Any) -> str:
    event = {
        "stage": "ResponseComplete",
        "verb": "create",
        "user": {"username": OPERATOR},
        "objectRef": {"resource": "pods", "namespace": "ns", "name": "web-0"},
        "responseStatus": {"code": 201},
    }
    return json.dumps({**event, **fields})


def table(**outcomes: Outcome) -> Table:
    found = Table(VARIANTS)
    for variant, outcome in outcomes.items():
        found.outcome("a case", "It is expected.", variant)
        found.rows["a case"].outcomes[variant] = outcome
    return found


# --- the audit log ----------------------------------------------------------------------------------------------------


def test_audit_counts_answered_requests_of_operators() -> None:
    status = {"resource": "nginxpods", "subresource": "status", "namespace": "ns"}
    lines = [
        line(),
        line(verb="patch", objectRef=status),
        line(verb="create", stage="RequestReceived"),
        line(user={"username": "kubernetes-admin"}),
        line(user={"username": "system:serviceaccount:kube-system:twinloop-system"}),
        line()[:40],
    ]
    requests = audit.parse(lines)
    assert audit.counts(requests) == {"create pods": 1, "patch nginxpods/status": 1}
    assert [(request.namespace, request.code) for request in requests] == [("ns", 201), ("ns", 201)]


def test_audit_counts_a_watch_when_it_starts() -> None:
    lines = [line(verb="watch", stage="ResponseStarted"), line(verb="watch", stage="ResponseComplete")]
    assert audit.counts(audit.parse(lines)) == {"watch pods": 1}


def test_reads_and_leases_are_no_writes() -> None:
    lease = {"resource": "leases", "namespace": "twinloop-system"}
    requests = audit.parse([line(), line(verb="list"), line(verb="update", objectRef=lease)])
    assert [str(request) for request in requests if request.is_write] == ["create pods"]


def test_no_audit_log_is_not_the_same_as_no_requests() -> None:
    log = audit.AuditLog(lambda *command: "")
    assert log.mark() is None
    assert log.since(log.mark()) is None


def test_audit_log_is_read_from_the_mark_on() -> None:
    content = line() + "\n"
    asked = []

    def on_node(*command: str) -> str:
        asked.append(command)
        return f"{len(content)}\n" if command[0] == "sh" else line(verb="delete") + "\n"

    log = audit.AuditLog(on_node)
    assert audit.counts(log.since(log.mark()) or []) == {"delete pods": 1}
    assert asked[-1][:3] == ("tail", "-c", f"+{len(content) + 1}")


# --- differences ------------------------------------------------------------------------------------------------------


def test_alike_variants_have_no_differences() -> None:
    outcome = Outcome(PASS, 3.0, "", {}, {"create pods": 1}, [Observation("healed after", 3.0, "s")])
    other = Outcome(PASS, 9.0, "", {}, {"create pods": 1}, [Observation("healed after", 3.9, "s")])
    assert differences(table(handwritten=outcome, kopf=other)) == []


def test_other_result_is_a_difference() -> None:
    found = table(handwritten=Outcome(PASS, detail=""), kopf=Outcome(EXPECTED, detail="kopf has no such thing"))
    assert differences(found) == ["a case: pass with handwritten; expected failure with kopf (kopf has no such thing)."]


def test_case_that_one_variant_did_not_run_is_unknown_and_a_difference() -> None:
    (sentence,) = differences(table(handwritten=Outcome(PASS, detail="")))
    assert sentence == "a case: pass with handwritten; unknown with kopf (it did not run)."


def test_other_writes_are_a_difference_that_says_which() -> None:
    mine = Outcome(PASS, writes={"create pods": 2, "patch nginxpods/status": 3})
    theirs = Outcome(PASS, writes={"create pods": 2, "patch nginxpods/status": 2, "patch nginxpods": 2})
    found = table(handwritten=mine, kopf=theirs)
    assert differences(found) == [
        "Over all cases kopf did `patch nginxpods` 2 times and handwritten never.",
        "handwritten wrote 5 times in 1 cases and kopf 6 times; 1 cases differ.",
    ]
    (sentence,) = write_differences(found)
    assert sentence.startswith("a case: 5 writes by handwritten and 6 by kopf")
    assert "kopf 2 more `patch nginxpods`, handwritten 1 more `patch nginxpods/status`" in sentence


def test_unknown_writes_are_not_compared() -> None:
    found = table(handwritten=Outcome(PASS, writes=None), kopf=Outcome(PASS, writes={"create pods": 1}))
    assert differences(found) == []
    assert write_differences(found) == []


@pytest.mark.parametrize(
    ("mine", "theirs", "differ"),
    [
        (Observation("o", 1.0, "s"), Observation("o", 2.9, "s"), False),
        (Observation("o", 1.0, "s"), Observation("o", 4.1, "s"), True),
        (Observation("o", 20.0, "s"), Observation("o", 25.0, "s"), False),
        (Observation("o", 50.0, "MiB"), Observation("o", 55.0, "MiB"), False),
        (Observation("o", 50.0, "MiB"), Observation("o", 71.0, "MiB"), True),
        (Observation("o", 0.1, "% of a core"), Observation("o", 0.2, "% of a core"), False),
        (Observation("o", 0.1, "% of a core"), Observation("o", 1.2, "% of a core"), True),
        (Observation("o", 0), Observation("o", 1), True),
        (Observation("o", "none"), Observation("o", "none"), False),
        (Observation("o", "none"), Observation("o", "Progressing"), True),
        (Observation("o", "Oh."), Observation("o", "Ah!", compared=False), False),
    ],
)
def test_observations_differ_beyond_noise_only(mine: Observation, theirs: Observation, differ: bool) -> None:
    found = table(handwritten=Outcome(PASS, observations=[mine]), kopf=Outcome(PASS, observations=[theirs]))
    assert bool(differences(found)) is differ


# --- the report -------------------------------------------------------------------------------------------------------


def written(tmp_path: Path, found: Table) -> tuple[str, str, dict[str, Any]]:
    made = report.Report(VARIANTS)
    made.table = found
    text = made.write(tmp_path)
    return text, (tmp_path / "e2e.md").read_text(), json.loads((tmp_path / "e2e.json").read_text())


def test_report_shows_result_seconds_and_writes_side_by_side(tmp_path: Path) -> None:
    found = table(
        handwritten=Outcome(PASS, 1.25, "", {"get pods": 1}, {"create pods": 1}),
        kopf=Outcome(FAIL, 2.0, "broken", None, None),
    )
    text, markdown, data = written(tmp_path, found)
    assert "a case  pass         1.2       1  FAIL  2.0     n/a" in text
    assert "handwritten: 1 pass; kopf: 1 FAIL" in text
    assert "| a case | pass | 1.2 | 1 | FAIL | 2.0 | n/a |" in markdown
    assert "It is expected." in markdown
    assert "kopf: FAIL (broken); requests: n/a" in markdown
    assert data["cases"][0]["outcomes"]["kopf"]["result"] == FAIL


def test_report_says_when_there_is_no_difference(tmp_path: Path) -> None:
    outcome = Outcome(PASS, 1.0, "", {}, {})
    text, markdown, _ = written(tmp_path, table(handwritten=outcome, kopf=outcome))
    assert "No difference between the two was found." in text
    assert "No difference between the two was found." in markdown


def test_report_does_not_take_ignorance_for_likeness(tmp_path: Path) -> None:
    text, _, _ = written(tmp_path, table(handwritten=Outcome(), kopf=Outcome()))
    assert "No difference between the two was found, but 2 outcomes are unknown." in text


def test_report_lists_cases_without_an_operator_apart(tmp_path: Path) -> None:
    found = Table(VARIANTS)
    found.outcome("a schema", "It refuses.", "").result = PASS
    text, markdown, _ = written(tmp_path, found)
    assert "a schema: pass" in text
    assert "unknown" not in text
    assert "- a schema: pass" in markdown


def test_outcome_is_unknown_until_it_is_known() -> None:
    assert Table(VARIANTS).outcome("a case", "", "kopf").result == UNKNOWN


# --- how a test's end becomes a result --------------------------------------------------------------------------------


class FakeItem:
    """As much of a pytest item as the report looks at."""

    name = originalname = "test_a_case"

    def function(self) -> None:
        """It is expected."""


def ended(when: str, outcome: str, error: Exception | None = None, **extra: str) -> tuple[Any, Any]:
    """A call and its report, as pytest's hook has them."""
    info = SimpleNamespace(value=error, errisinstance=lambda kind: isinstance(error, kind)) if error else None
    flags = {name: outcome == name for name in ("passed", "failed", "skipped")}
    return SimpleNamespace(excinfo=info), SimpleNamespace(when=when, duration=1.5, **flags, **extra)


@pytest.mark.parametrize(
    ("phases", "result", "detail"),
    [
        ([ended("setup", "passed"), ended("call", "passed")], PASS, ""),
        ([ended("call", "failed", AssertionError("two are down\nat once"))], FAIL, "two are down"),
        ([ended("call", "failed", Unchecked("history is lost"))], UNKNOWN, "history is lost"),
        ([ended("call", "skipped")], UNKNOWN, "skipped"),
        ([ended("setup", "skipped")], UNKNOWN, "skipped"),
        ([ended("setup", "failed", RuntimeError("no cluster"))], UNKNOWN, "setup failed: no cluster"),
        ([ended("call", "passed"), ended("teardown", "failed", RuntimeError("left"))], FAIL, "teardown failed: left"),
        ([ended("call", "skipped", wasxfail="reason: kopf/a.py:1")], EXPECTED, "kopf/a.py:1"),
        ([ended("call", "failed")], FAIL, "it passes, though it is marked as impossible for this framework"),
    ],
)
def test_only_a_test_that_ran_to_its_end_is_a_pass(phases: list[tuple[Any, Any]], result: str, detail: str) -> None:
    made = report.Report(VARIANTS)
    for call, outcome in phases:
        made.add_phase(FakeItem(), "kopf", call, outcome)  # type: ignore[arg-type]
    found = made.table.rows["a case"].outcomes["kopf"]
    assert (found.result, found.detail) == (result, detail)
