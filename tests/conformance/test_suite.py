"""Playing many cases: one that goes wrong costs nothing but itself, and only settled answers become golden.

Covered: `suite.play_all` and the golden files, with a server that answers from memory; the command's own flags.

Left out: what a comparison of two live servers prints; `make conformance` is one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from conformance import __main__ as command
from conformance import golden, suite
from conformance.case import BadCase, Case, Step
from conformance.suite import NotPlayed, install_fixtures, play_all
from conformance.wire import Exchange, Server


class Memory:
    """Says yes to everything and hands back what it got; /broken breaks, /fixtures decides about definitions."""

    name = "memory"

    def __init__(self, *, definition_code: int = 201) -> None:
        self._definition_code = definition_code
        self.sent: list[str] = []

    def request(
        self, method: str, path: str, *, headers: Mapping[str, str], body: bytes | None, user: str = "admin"
    ) -> Exchange:
        self.sent.append(f"{method} {path}")
        if path == "/broken":
            raise ConnectionRefusedError("nobody there")
        if method == "POST" and path.endswith("customresourcedefinitions"):
            return Exchange(self._definition_code, [], "as said")
        return Exchange(201 if method == "POST" else 200, [], {"path": path, "body": body and json.loads(body)})


def cases(*steps: Step) -> list[Case]:
    return [Case(f"g/{index}", "g", (step,)) for index, step in enumerate(steps)]


def play(*steps: Step, **more: Any) -> dict[str, Any]:
    return play_all(cast(Server, more.pop("server", Memory())), cases(*steps), **more)


def test_answers_come_in_the_order_of_the_cases() -> None:
    answers = play(*(Step(do=f"GET /{n}") for n in range(20)))
    assert list(answers) == [f"g/{n}" for n in range(20)]
    assert answers["g/7"][0]["body"]["path"] == "/7"


def test_a_case_that_breaks_is_reported_and_the_others_go_on() -> None:
    answers = play(Step(do="GET /broken"), Step(do="GET /fine"), Step(do="nonsense"))
    assert isinstance(answers["g/0"], NotPlayed)
    assert "nobody there" in answers["g/0"]
    assert answers["g/1"][0]["code"] == 200
    assert isinstance(answers["g/2"], NotPlayed)


def test_progress_is_told_of_every_case() -> None:
    seen: list[tuple[int, int]] = []
    play(Step(do="GET /a"), Step(do="GET /b"), progress=lambda number, total, _: seen.append((number, total)))
    assert seen == [(1, 2), (2, 2)]


@pytest.mark.parametrize("clean_up", [True, False])
def test_namespaces_are_given_back_after_all_cases_when_asked(clean_up: bool) -> None:
    server = Memory()
    play(Step(do="GET /a"), Step(do="GET /b"), server=server, clean_up=clean_up)
    deleted = [sent for sent in server.sent if sent.startswith("DELETE /api/v1/namespaces/")]
    assert len(deleted) == (4 if clean_up else 0)
    assert all(sent in deleted for sent in server.sent[len(server.sent) - len(deleted) :])


def test_definitions_that_are_there_already_are_fine() -> None:
    install_fixtures(cast(Server, Memory(definition_code=409)))


def test_a_refused_definition_ends_the_run() -> None:
    with pytest.raises(RuntimeError, match="memory refuses the definition"):
        install_fixtures(cast(Server, Memory(definition_code=422)))


def test_a_definition_that_is_never_served_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "PATIENCE", 0.01)
    monkeypatch.setattr(Memory, "request", lambda *_, **__: Exchange(409, [], {}))
    with pytest.raises(RuntimeError, match="does not serve"):
        install_fixtures(cast(Server, Memory()))


# --- golden files -----------------------------------------------------------------------------------------------------


def test_golden_answers_are_read_as_they_were_written(tmp_path: Path) -> None:
    answers = {"one/a": [{"code": 200, "body": {"x": "ä"}}], "one/b": [], "two/c": [{"code": 404}]}
    golden.write(answers, tmp_path)
    assert golden.read(tmp_path) == answers
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.json", "two.json"]


def test_a_golden_file_has_a_line_for_each_case(tmp_path: Path) -> None:
    golden.write({"one/a": [1], "one/b": [2]}, tmp_path)
    assert (tmp_path / "one.json").read_text() == '{\n"a":[1],\n"b":[2]\n}\n'


def test_a_group_that_is_gone_loses_its_file(tmp_path: Path) -> None:
    golden.write({"old/a": []}, tmp_path)
    golden.write({"new/a": []}, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["new.json"]


@pytest.mark.parametrize(
    ("transcript", "why"),
    [
        ([{"do": "GET /x", "code": 200}], ""),
        ([{"do": "GET /x", "code": 200, "settled": False}], "GET /x did not settle"),
        (NotPlayed("refused"), "refused"),
    ],
)
def test_only_what_settled_becomes_golden(transcript: Any, why: str) -> None:
    assert command._unusable(transcript) == why


# --- the command ------------------------------------------------------------------------------------------------------


def test_patterns_choose_cases() -> None:
    chosen = command._chosen(cases(Step(), Step(), Step()), ["g/1", "*/2"])
    assert [case.name for case in chosen] == ["g/1", "g/2"]


def test_a_pattern_without_a_case_is_a_mistake() -> None:
    with pytest.raises(BadCase, match="no case is named like none"):
        command._chosen(cases(Step()), ["none"])


def test_a_missing_server_costs_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert command.main(["--kubeconfig", str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err.startswith("error: ")
