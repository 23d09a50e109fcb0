"""The circumstances of a run in words."""

from __future__ import annotations

from twinloop.harness.report.facts import facts


def test_each_fact_has_a_name_and_words() -> None:
    meta = {
        "version": "0.1.0", "started": "2026-11-23T23:44:09+00:00", "seconds": 125, "seed": 12345, "load": 0.25, "flags": "",
        "proxy": {"requests": 2208, "p50": 0.000425, "p99": 0.0089}, "exit_code": 1, "interrupted": "", "machine": None,
        "tolerances": {"writes": {"absolute": 2, "relative": 0.25}, "latency": {"ratio": 1.1}},
        "versions": {"python": "3.11.7", "kopf": "1.45.2"}, "order": ["a", "b"],
    }  # fmt: skip
    assert dict(facts(meta)) == {
        "version": "0.1.0",
        "started": "2026-11-23 23:44:09 UTC",
        "took": "2 min 5 s",
        "seed": "12345",
        "load before it began": "25 % of the cores",
        "recording proxy": "adds 0.425 ms (median), 8.9 ms (p99) to 2\u202f208 requests",
        "called the same up to": "writes 2 and 25 %, latency 1.1\N{MULTIPLICATION SIGN}",
        "versions": "python 3.11.7, kopf 1.45.2",
        "order": "a, b",
    }


def test_what_another_version_wrote_is_shown_as_it_is() -> None:
    meta = {"proxy": {"p50": 1}, "tolerances": [1, 2], "phase_of_the_moon": True, "load": "high"}
    assert facts(meta) == [
        ("recording proxy", "p50 1"), ("called the same up to", "1, 2"), ("phase of the moon", "True"),
        ("load before it began", "high"),
    ]  # fmt: skip


def test_a_proxy_that_saw_nothing_claims_no_latency() -> None:
    assert facts({"proxy": {"requests": 0, "p50": None, "p99": None}}) == [("recording proxy", "saw no request")]
