"""The cases as data: how a file is read, and that the set is as large and as wide as it has to be.

Left out: what the cases say. They are right when the real server gives the same answers twice (`make conformance`).
"""

from __future__ import annotations

from pathlib import Path
from string import Template

import pytest

from conformance.case import ACCEPTS, CONTENT_TYPES, BadCase, Case, load, load_all, merged, resolve, substitute

CASES = load_all()


def write(folder: Path, text: str) -> Path:
    (folder / "cases").mkdir(exist_ok=True)
    path = folder / "cases" / "07-things.yaml"
    path.write_text(text)
    return path


# --- reading a file ---------------------------------------------------------------------------------------------------


def test_a_case_is_named_after_its_file_and_itself(tmp_path: Path) -> None:
    path = write(tmp_path, "cases:\n  - case: one\n    steps:\n      - {do: GET /x}\n")
    (case,) = load(path)
    assert (case.name, case.group, case.steps[0].do) == ("things/one", "things", "GET /x")


def test_each_makes_a_case_of_every_entry(tmp_path: Path) -> None:
    text = "cases:\n  - case: get\n    each:\n      a: {path: /a, more: {n: 1}}\n      b: {path: /b, more: null}\n    steps:\n      - {do: GET $path, body: $more}\n"
    first, second = load(write(tmp_path, text))
    assert (first.name, first.steps[0].do, first.steps[0].body) == ("things/get-a", "GET /a", {"n": 1})
    assert (second.name, second.steps[0].do, second.steps[0].body) == ("things/get-b", "GET /b", None)


def test_short_names_stand_for_media_types(tmp_path: Path) -> None:
    (case,) = load(
        write(tmp_path, "cases:\n  - case: one\n    steps:\n      - {do: PATCH /x, type: merge, accept: table}\n")
    )
    assert (case.steps[0].type, case.steps[0].accept) == (CONTENT_TYPES["merge"], ACCEPTS["table"])


def test_a_word_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadCase, match="stash"):
        list(load(write(tmp_path, "cases:\n  - case: one\n    steps:\n      - {do: GET /x, stash: {}}\n")))


def test_a_name_may_be_taken_once(tmp_path: Path) -> None:
    path = write(tmp_path, "cases:\n  - {case: one, steps: []}\n  - {case: one, steps: []}\n")
    with pytest.raises(BadCase, match="things/one"):
        load_all(path.parent)


def test_a_file_may_say_that_all_its_cases_are_an_operators(tmp_path: Path) -> None:
    text = "operator: true\ncases:\n  - {case: one, steps: []}\n  - {case: two, operator: false, steps: []}\n"
    assert [case.operator for case in load(write(tmp_path, text))] == [True, False]


# --- templates and names ----------------------------------------------------------------------------------------------


def test_what_stands_beside_use_lies_over_the_template() -> None:
    templates = {"pod": {"metadata": {"name": "p", "labels": {"a": "b"}}, "spec": {"list": [1, 2]}}}
    over = {"$use": "pod", "metadata": {"name": "q"}, "spec": {"list": [3]}}
    assert resolve(over, templates) == {"metadata": {"name": "q", "labels": {"a": "b"}}, "spec": {"list": [3]}}


def test_null_takes_a_field_of_the_template_away() -> None:
    assert merged({"a": 1, "b": {"c": 2, "d": 3}}, {"a": None, "b": {"c": None}}) == {"b": {"d": 3}}


def test_a_template_is_never_changed_by_who_uses_it() -> None:
    templates = {"t": {"list": [{"a": 1}]}}
    resolve({"$use": "t"}, templates)["list"][0]["a"] = 2
    assert templates == {"t": {"list": [{"a": 1}]}}


def test_a_name_alone_keeps_its_type_and_within_text_becomes_text() -> None:
    values = {"n": 5, "list": [1]}
    assert substitute({"a": "$n", "b": "n=$n", "c": "$list", "$n": "x"}, values) == {
        "a": 5,
        "b": "n=5",
        "c": [1],
        "5": "x",
    }


def test_unknown_names_stay_for_a_later_moment() -> None:
    assert substitute("$later and ${now}", {"now": 1}) == "$later and 1"


# --- the set as it is -------------------------------------------------------------------------------------------------


def test_the_set_is_large_enough() -> None:
    assert len(CASES) >= 330
    assert sum(case.watches for case in CASES) >= 100


def test_operators_and_kubectl_have_their_own_cases() -> None:
    names = {case.name for case in CASES if case.operator}
    for client in ("kopf", "handwritten", "kubectl"):
        assert sum(name.startswith(f"clients/{client}") for name in names) >= 3


@pytest.mark.parametrize(
    "group",
    ["create", "read", "update", "patch", "apply", "subresources", "delete", "negotiation", "malformed", "validation"],
)
def test_no_part_of_the_api_is_forgotten(group: str) -> None:
    assert sum(case.group == group for case in CASES) >= 10


def test_every_watch_that_is_read_was_opened() -> None:
    for case in CASES:
        opened = {step.watch for step in case.steps if step.watch}
        assert {step.read for step in case.steps if step.read} <= opened, case.name


def test_every_name_in_a_step_means_something() -> None:
    """A misspelt $name would be sent as it is and compared as if it were meant."""
    for case in CASES:
        meant = {*MADE_UP, *(name for step in case.steps for name in step.save)}
        for step in case.steps:
            used = set(Template(step.do).get_identifiers())
            assert used <= meant, f"{case.name}: {sorted(used - meant)} in {step.do}"


MADE_UP = {"ns", "ns2", "group", "core", "apps", "leases", "widgets", "gadgets", "nginxpods", "crds", "fill"}


def test_no_pod_waits_for_a_kubelet() -> None:
    """On kind there is one, and a pod that it starts would change under the case."""
    for pod in (body for case in CASES for body in pods_of(case)):
        assert pod["spec"].get("schedulerName") == "conformance" or pod["spec"].get("nodeName"), pod


def pods_of(case: Case) -> list[dict[str, dict[str, str]]]:
    made = [step.body for step in case.steps if step.do.startswith("POST") and isinstance(step.body, dict)]
    return [body for body in made if body.get("kind") == "Pod" and case.group not in {"create", "validation"}]
