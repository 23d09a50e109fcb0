"""What all controllers share: the agenda, being switched off by name, another try after a refusal.

Leaves out what each of them does, which has a module of its own.
"""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.live_server import LiveServer, config_map
from twinloop.apiserver.clock import ManualClock
from twinloop.apiserver.controllers import ALL, NAMES
from twinloop.apiserver.controllers.agenda import Agenda
from twinloop.apiserver.controllers.controller import RETRY, RETRY_AFTER_BUG, VISITS, Controller
from twinloop.apiserver.failures import Failure, bad_request
from twinloop.apiserver.server import ApiServer
from twinloop.apiserver.storage import Event


def test_the_earliest_time_counts() -> None:
    agenda: Agenda[str] = Agenda()
    agenda.add("a", 5.0)
    agenda.add("a", 3.0)
    agenda.add("a", 9.0)
    assert agenda.next() == 3.0
    assert agenda.take(3.0, 10) == ["a"]
    assert agenda.next() is None
    assert agenda.take(99.0, 10) == []


def test_what_is_due_at_once_comes_in_order() -> None:
    agenda: Agenda[str] = Agenda()
    for key in "cab":
        agenda.add(key, 1.0)
    assert agenda.take(1.0, 2) == ["c", "a"]
    assert agenda.take(1.0, 2) == ["b"]


def test_what_is_dropped_does_not_come() -> None:
    agenda: Agenda[str] = Agenda()
    agenda.add("a", 1.0)
    agenda.drop("a")
    agenda.drop("never there")
    assert "a" not in agenda
    assert (agenda.next(), len(agenda)) == (None, 0)
    agenda.add("a", 2.0)
    assert agenda.take(2.0, 10) == ["a"]


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 9), st.sampled_from(["add", "drop", "take"]))))
def test_an_agenda_is_a_map_from_keys_to_times(steps: list[tuple[str, int, str]]) -> None:
    agenda: Agenda[str] = Agenda()
    model: dict[str, int] = {}
    for key, when, step in steps:
        if step == "add":
            agenda.add(key, when)
            model[key] = min(when, model.get(key, when))
        elif step == "drop":
            agenda.drop(key)
            model.pop(key, None)
        else:
            due = {each for each, at in model.items() if at <= when}
            assert set(agenda.take(when, 99)) == due
            model = {each: at for each, at in model.items() if each not in due}
        assert agenda.next() == min(model.values(), default=None)


class Recorder(Controller[str]):
    """Visits the names of ConfigMaps; refuses as often as it is told."""

    name = "recorder"

    def __init__(self, live: LiveServer, refusals: int = 0) -> None:
        super().__init__(live.server)
        self.refusals, self.visits = refusals, list[str]()

    def observe(self, event: Event) -> None:
        if event.resource == ("", "configmaps"):
            self.agenda.add(event.record.name, self.server.clock.now())

    def visit(self, key: str, now: float) -> None:
        self.visits.append(key)
        if self.refusals:
            self.refusals -= 1
            raise bad_request("not now")


@pytest.fixture
def live() -> LiveServer:
    return LiveServer()


def test_a_refused_visit_is_made_again_after_a_while(live: LiveServer) -> None:
    recorder = Recorder(live, refusals=2)
    recorder.agenda.add("a", live.clock.now())
    recorder.run(live.clock.now())
    assert recorder.due() == live.clock.now() + RETRY
    recorder.run(live.clock.now() + RETRY)
    recorder.run(live.clock.now() + 2 * RETRY)
    assert (recorder.visits, recorder.due()) == (["a"] * 3, None)


def test_one_run_makes_a_limited_number_of_visits(live: LiveServer) -> None:
    recorder = Recorder(live)
    for number in range(VISITS + 1):
        recorder.agenda.add(str(number), 0.0)
    recorder.run(0.0)
    assert len(recorder.visits) == VISITS
    assert recorder.due() == 0.0


def test_resuming_looks_at_all_that_is_stored(live: LiveServer) -> None:
    live.create("/api/v1/namespaces/default/configmaps", config_map("a"))
    recorder = Recorder(live)
    recorder.resume()
    recorder.run(live.clock.now())
    assert recorder.visits == ["a"]


def test_a_successor_of_the_same_name_is_another_object(live: LiveServer) -> None:
    maps = "/api/v1/namespaces/default/configmaps"
    uid = live.create(maps, config_map("a"))["metadata"]["uid"]
    recorder = Recorder(live)
    assert recorder.record(("", "configmaps"), "default", "a", uid) is not None
    live.delete(f"{maps}/a")
    live.create(maps, config_map("a"))
    assert recorder.record(("", "configmaps"), "default", "a", uid) is None
    assert recorder.read(("", "configmaps"), "default", "a") is not None


def test_a_delete_of_what_is_gone_is_no_failure(live: LiveServer) -> None:
    live.create("/api/v1/namespaces/default/configmaps", config_map("a"))
    record = live.server.storage.get(("", "configmaps"), "default", "a")
    assert record is not None
    recorder = Recorder(live)
    recorder.delete(("", "configmaps"), record)
    recorder.delete(("", "configmaps"), record)
    assert not live.exists("/api/v1/namespaces/default/configmaps/a")


def test_a_kind_that_is_not_served_is_a_failure_like_any_other(live: LiveServer) -> None:
    with pytest.raises(Failure, match="could not find the requested resource"):
        Recorder(live).kind(("example.com", "things"))


@pytest.mark.parametrize("name", NAMES)
def test_each_controller_can_run_alone(name: str) -> None:
    live = LiveServer(name)
    assert [each.name for each in live.server.controllers] == [name]
    assert live.server.controllers.runs(name)
    live.settle(60)


def test_all_or_none_can_be_chosen() -> None:
    def running(which: bool | set[str]) -> list[str]:
        server = ApiServer(clock=ManualClock(), rng=random.Random(1), controllers=which)
        return [each.name for each in server.controllers]

    assert running(True) == list(NAMES) == [each.name for each in ALL]
    assert running(False) == running(set()) == []


def test_a_name_that_no_controller_has_is_refused() -> None:
    with pytest.raises(ValueError, match="no such controller: nonsense"):
        LiveServer("garbage", "nonsense")


def test_a_kubelet_that_is_switched_off_cannot_be_asked_for(live: LiveServer) -> None:
    with pytest.raises(KeyError):
        _ = live.server.controllers.kubelet


def test_an_object_that_a_controller_cannot_cope_with_stops_nothing(
    live: LiveServer, caplog: pytest.LogCaptureFixture
) -> None:
    class Buggy(Recorder):
        def visit(self, key: str, now: float) -> None:
            super().visit(key, now)
            if key == "bad":
                raise KeyError(key)

    recorder = Buggy(live)
    for key in ("bad", "good"):
        recorder.agenda.add(key, 0.0)
    recorder.run(0.0)
    assert recorder.visits == ["bad", "good"]
    assert recorder.due() == RETRY_AFTER_BUG
    assert "recorder: bad" in caplog.text
