"""O15: the canary after faults, and listening on a calm day.

Left out: how fast the canary is, which is measured and not judged.
"""

from __future__ import annotations

import pytest

from support.histories import NGINXPODS, PODS, Tale, assert_ok, assert_unknown, assert_violated, begun, plain_trial
from twinloop.harness.checkers.o15_not_deaf import check


def canary(tale: Tale, *, ok: bool) -> Tale:
    tale.rests().mark("canary-begin")
    tale.after(0.5).mark("canary", ok=ok)
    return tale.cleans()


def test_the_canary_is_served() -> None:
    tale = begun()
    tale.fault("cut")
    finding = check(canary(tale, ok=True).trial())
    assert_ok(finding)
    assert finding.numbers["canary"] == pytest.approx(0.51)


def test_the_canary_waits_in_vain() -> None:
    finding = check(canary(begun(), ok=False).trial())
    assert_violated(finding, "a new NginxPod was not ready after 0.5 s")
    assert "nobody watches" not in finding.message


def test_and_nobody_watches() -> None:
    tale = begun()
    tale.ends(tale.listening[NGINXPODS], "rule")
    assert_violated(check(canary(tale, ok=False).trial()), "nobody watches nginxpods")


def test_a_calm_day_needs_no_canary() -> None:
    assert_ok(check(plain_trial()))


def test_nobody_listens_to_pods() -> None:
    tale = Tale().up()
    tale.watches(NGINXPODS)
    assert_violated(check(tale.rests().cleans().trial()), "nobody watches or reads pods")


def test_a_watch_that_was_refused_is_none() -> None:
    tale = Tale().up()
    tale.watches(NGINXPODS)
    tale.refused(tale.asks("watch", PODS), 403)
    assert_violated(check(tale.rests().cleans().trial()), "nobody watches or reads pods")


def test_reading_is_listening_too() -> None:
    tale = Tale().up()
    for resource in (NGINXPODS, PODS):
        tale.reads("list", resource)
    assert_ok(check(tale.rests().cleans().trial()))


def test_after_a_fault_only_a_canary_tells() -> None:
    tale = begun()
    tale.fault("cut")
    assert_unknown(check(tale.rests().cleans().trial()), "before its canary")


def test_a_trial_that_ended_early_shows_nothing() -> None:
    assert_unknown(check(begun().trial()), "before its canary")
