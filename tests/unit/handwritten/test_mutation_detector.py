"""Covers the mutation detector: what it notices, for how long, how often it says so, and how it is turned on.

Name follows client-go's mutation_detector_test.go. Left out: an informer with a detector that finds nothing, which every
test of test_nginxpod_operator.py is.
"""

from __future__ import annotations

import random
import threading

import pytest

from handwritten.fake_controller_source import FakeControllerSource
from handwritten.informer import SharedInformer
from handwritten.mutation_detector import CacheMutated, MutationDetector, new_cache_mutation_detector
from handwritten.store import Object
from handwritten.testing import FakeClock
from support.cache import pod, wait_until


@pytest.mark.statement("SI-16")
def test_mutation_detector() -> None:
    """An informer's object that somebody changes is reported within a second."""
    clock, found = FakeClock(), list[CacheMutated]()
    source, stop = FakeControllerSource(), threading.Event()
    source.add(pod("web"))
    detector = MutationDetector("pods", clock=clock, on_mutation=found.append)
    informer = SharedInformer(source, clock=clock, rng=random.Random(1), mutation_detector=detector)
    thread = threading.Thread(target=informer.run, args=(stop,))
    thread.start()
    wait_until(informer.has_synced)
    cached = informer.indexer.list()[0]
    cached["metadata"]["labels"] = {"changed": "true"}
    clock.wait_for_deadline(1.0)
    clock.step(1.0)
    wait_until(lambda: bool(found))
    stop.set()
    thread.join(10)
    assert [str(error) for error in found] == [
        'cache pods: an object was changed: {"name": "web", "namespace": "default", "fields": ["metadata"]}'
    ]


def test_a_change_is_reported_once_and_the_last_look_is_at_the_stop() -> None:
    found = list[CacheMutated]()
    detector = MutationDetector("pods", clock=FakeClock(), on_mutation=found.append)
    shared: Object = {"metadata": {"name": "a"}, "spec": {}}
    detector.add_object(shared)
    shared["spec"]["x"] = 1
    stop = threading.Event()
    stop.set()
    detector.run(stop)
    detector.compare()
    assert len(found) == 1


def test_an_object_is_watched_over_for_two_minutes() -> None:
    clock, found = FakeClock(), list[CacheMutated]()
    detector = MutationDetector("pods", clock=clock, on_mutation=found.append)
    old: Object = {"metadata": {"name": "old"}}
    detector.add_object(old)
    clock.step(120.0)
    detector.compare()
    new: Object = {"metadata": {"name": "new"}}
    detector.add_object(new)
    clock.step(1.0)
    detector.compare()
    old["spec"] = new["spec"] = 1
    detector.compare()
    assert ["old" in str(error) for error in found] == [False]


def test_the_default_is_to_raise() -> None:
    detector = MutationDetector("pods", clock=FakeClock())
    shared: Object = {"metadata": {"name": "a"}}
    detector.add_object(shared)
    shared["spec"] = 1
    with pytest.raises(CacheMutated):
        detector.compare()


@pytest.mark.parametrize(("value", "on"), [("true", True), ("1", True), ("false", False), ("", False), (None, False)])
def test_it_is_turned_on_by_client_go_s_variable(value: str | None, on: bool) -> None:
    environ = {} if value is None else {"KUBE_CACHE_MUTATION_DETECTOR": value}
    assert (new_cache_mutation_detector("pods", clock=FakeClock(), environ=environ) is not None) is on
