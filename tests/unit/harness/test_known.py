"""known_differences.toml: strict reading, and what an entry expects of which place.

The file itself is checked too: its links lead somewhere. Left out: what follows from an entry (test_differences.py).
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from twinloop.harness.known import FILE, BadEntryError, Known, load
from twinloop.harness.scenario import all_scenarios

ROOT = Path(__file__).parents[3]

GOOD = """
[[difference]]
id = "one"
scenario = "gone-*"
variant = "kopf*"
aspect = "O15"
expected = "violated"
reason = "It does not watch again."
docs = "docs/findings.md#one"
code = { kopf = "operator/nginxpod.py" }
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "known.toml"
    path.write_text(text)
    return path


def entry(**more: Any) -> Known:
    said = {
        "id": "one", "scenario": "*", "variant": "kopf", "aspect": "writes", "expected": "more", "reason": "r",
        "docs": "d", "code": {"kopf": "k"},
    }  # fmt: skip
    return Known(**{**said, **more})


def test_an_entry_is_read(tmp_path: Path) -> None:
    (one,) = load(written(tmp_path, GOOD)).entries
    assert (one.id, one.expected, one.sometimes) == ("one", "violated", False)
    assert one.links == {"docs": "docs/findings.md#one", "kopf": "operator/nginxpod.py"}


def test_an_empty_file_expects_nothing(tmp_path: Path) -> None:
    assert load(written(tmp_path, "# nothing yet\n")).entries == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('id = "one"\n', "", "known.toml, entry 1 (without an id) lacks id"),
        ('reason = "It does not watch again."', 'reason = " "', "entry 1 (one): reason must be a text that is not empty"),
        ('variant = "kopf*"', "variant = 3", "variant must be a text"),
        ('expected = "violated"', 'expected = "slower"', "of 'O15' one expects violated, not 'slower'"),
        ('aspect = "O15"', 'aspect = "writes"', "of 'writes' one expects more or fewer, not 'violated'"),
        ('aspect = "O15"', 'aspect = "latency:create"', "one expects slower or faster"),
        ('aspect = "O15"', 'aspect = "O1*"', "'O1*' is O10 to O17 as well"),
        ('id = "one"\n', 'id = "one"\nresaon = "x"\n', "there is no field 'resaon'"),
        ('code = { kopf = "operator/nginxpod.py" }', "code = {}", "code must be a table"),
        ('code = { kopf = "operator/nginxpod.py" }', 'code = "x"', "code must be a table"),
        ('id = "one"\n', 'id = "one"\nsometimes = "yes"\n', "sometimes is true or false"),
        ('id = "one"\n', 'id = "one"\nbase = "kopf"\n', "stands by itself"),
        ("[[difference]]", "[[differences]]", "only [[difference]] entries belong here"),
        ("[[difference]]", "[[difference", "cannot be read"),
    ],
)  # fmt: skip
def test_a_slip_is_one_clear_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in GOOD
    with pytest.raises(BadEntryError) as raised:
        load(written(tmp_path, GOOD.replace(old, new)))
    assert message in str(raised.value)
    assert "\n" not in raised.value.for_a_person()


def test_an_id_may_not_come_twice(tmp_path: Path) -> None:
    with pytest.raises(BadEntryError, match="'one' is there twice"):
        load(written(tmp_path, GOOD + GOOD))


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadEntryError, match="cannot be read"):
        load(tmp_path / "none.toml")


def test_an_entry_must_speak_of_a_scenario_that_exists(tmp_path: Path) -> None:
    assert load(written(tmp_path, GOOD), ["gone-status"]).entries
    with pytest.raises(BadEntryError, match=r"no scenario matches 'gone-\*'"):
        load(written(tmp_path, GOOD), ["create"])


def test_globs_choose_scenario_variant_and_aspect() -> None:
    one = entry(scenario="gone-*", variant="kopf*", aspect="latency:*", expected="slower")
    assert one.expects("gone-event", "kopf-level", "latency:create", "handwritten", "slower")
    assert not one.expects("create", "kopf", "latency:create", "handwritten", "slower")
    assert not one.expects("gone-event", "mine", "latency:create", "handwritten", "slower")
    assert not one.expects("gone-event", "kopf", "writes", "handwritten", "slower")
    assert not one.expects("gone-event", "kopf", "latency:create", "handwritten", "faster")


def test_an_entry_may_speak_of_some_plans_only() -> None:
    one = entry(scenario="gone", aspect="O1", expected="violated", plan="watch-*")
    assert one.expects("gone", "kopf", "O1", "handwritten", "violated", "watch-pods")
    assert not one.expects("gone", "kopf", "O1", "handwritten", "violated", "list")
    assert not one.about("gone", "kopf", "O1", "handwritten", "list")
    assert entry(scenario="gone", aspect="O1", expected="violated").about("gone", "kopf", "O1", "handwritten", "list")


def test_sides_that_changed_places_expect_the_opposite() -> None:
    one = entry()
    assert one.expects("create", "kopf", "writes", "handwritten", "more")
    assert one.expects("create", "handwritten", "writes", "kopf", "fewer")
    assert not one.expects("create", "handwritten", "writes", "kopf", "more")


def test_a_comparison_means_one_base() -> None:
    assert not entry().about("create", "kopf", "writes", "mine")
    assert entry(base="mine").about("create", "kopf", "writes", "mine")


def test_a_violated_oracle_needs_no_base() -> None:
    one = entry(aspect="O1", expected="violated")
    assert one.about("create", "kopf", "O1", "whoever")
    assert not one.about("create", "handwritten", "O1", "kopf")


# --- the file that is shipped --------------------------------------------------------------------------------------------

SHIPPED = load().entries


def test_the_shipped_file_is_good_and_speaks_of_scenarios_that_exist() -> None:
    load(FILE, [each.name for each in all_scenarios()])


def test_every_link_of_the_shipped_file_leads_somewhere() -> None:
    for each in SHIPPED:
        for target in each.links.values():
            path, _, anchor = target.partition("#")
            if target.startswith("https://"):
                continue
            assert (ROOT / path).is_file(), f"{each.id}: {target}"
            if path.endswith(".md") and anchor:
                assert anchor in _anchors(ROOT / path), f"{each.id}: {target}"


def _anchors(path: Path) -> set[str]:
    heads = [line.lstrip("#").strip().lower() for line in path.read_text().splitlines() if line.startswith("#")]
    return {"".join(each for each in head.replace(" ", "-") if each.isalnum() or each in "-_") for head in heads}


def test_entries_cannot_be_changed_after_they_were_read() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        entry().id = "two"  # type: ignore[misc]
