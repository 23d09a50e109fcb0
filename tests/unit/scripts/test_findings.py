"""The page of findings: what runs have shown stands in it, and each known difference has a place.

Left out: whether it is still true; that is what a run is for.
"""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

from twinloop.harness.known import load

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = runpy.run_path(str(ROOT / "hack/findings"))


def difference(**changes: Any) -> dict[str, Any]:
    usual = {
        "scenario": "quota",
        "variant": "kopf",
        "aspect": "O7",
        "known": "an-id",
        "gone": False,
        "seen": "too often",
    }
    return usual | changes


def report(**parts: Any) -> dict[str, Any]:
    return {"differences": [], "cells": [], "staircases": []} | parts


def filled(place: str, *reports: dict[str, Any]) -> list[str]:
    """The lines that come to stand in a place."""
    page = f"before\n<!-- {place} -->\nold\n<!-- end -->\nafter\n"
    text = SCRIPT["filled"](page, reports)
    assert text.startswith(f"before\n<!-- {place} -->\n")
    assert text.endswith("<!-- end -->\nafter\n")
    return [line for line in text.splitlines()[2:-2] if line]


def test_a_place_shows_what_was_seen_of_its_differences() -> None:
    other = difference(known="another-id")
    assert filled("seen: an-id", report(differences=[difference(), other])) == ["- kopf in quota, O7: too often"]


def test_what_stopped_being_true_was_not_seen() -> None:
    assert filled("seen: an-id", report(differences=[difference(gone=True)])) == ["old"]


def test_many_places_are_counted() -> None:
    many = [difference(scenario=f"story-{number}") for number in range(7)]
    lines = filled("seen: an-id", report(differences=many))
    assert (len(lines), lines[-1]) == (5, "- and in 3 more places")


def test_the_last_run_that_has_something_for_a_place_fills_it() -> None:
    def cell(writes: int) -> dict[str, Any]:
        return {"scenario": "quota", "variant": "kopf", "verdict": "ok", "numbers": {"writes": writes}}

    reports = [report(cells=[cell(1)]), report(cells=[cell(2)]), report()]
    assert filled("numbers: quota: writes", *reports) == ["- kopf in quota: ok, 2 writes"]
    assert filled("numbers: quota: writes, cpu", *reports) == ["- kopf in quota: ok, 2 writes, cpu unknown"]


def test_of_retries_the_longest_streak_of_each_variant_is_shown() -> None:
    def stairs(*attempts: float) -> dict[str, Any]:
        return {"scenario": "quota", "variant": "kopf", "what": "create pods web-0", "attempts": list(attempts)}

    found = filled("retries: quota: create pods", report(staircases=[stairs(0, 1), stairs(0, 0.5, 1.25)]))
    assert found == ["- kopf, `create pods web-0`, seconds since the first: 0.00 0.50 1.25"]


def test_each_known_difference_has_its_place_on_the_page() -> None:
    page = (ROOT / "docs" / "findings.md").read_text()
    placed = [each for ids in re.findall(r"<!-- seen: ([^>]*?) -->", page) for each in ids.split(", ")]
    assert sorted(placed) == sorted(entry.id for entry in load().entries)
