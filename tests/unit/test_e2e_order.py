"""The end-to-end suite's own collection rules: its order, and what a framework_limit does.

Left out: the fixtures, which need a cluster.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from e2e import conftest


def mark(name: str, **kwargs: str) -> SimpleNamespace:
    return SimpleNamespace(name=name, kwargs=kwargs)


class FakeItem:
    """As much of a pytest item as the hooks look at."""

    def __init__(self, file: str, line: int, variant: str = "", *markers: SimpleNamespace) -> None:
        self.path = Path(file)
        self.location = (file, line, "")
        self.markers = list(markers)
        self.added: list[Any] = []
        if variant:
            self.callspec = SimpleNamespace(params={"variant": variant})

    def get_closest_marker(self, name: str) -> SimpleNamespace | None:
        return next(self.iter_markers(name), None)

    def iter_markers(self, name: str) -> Any:
        return (marker for marker in self.markers if marker.name == name)

    def add_marker(self, marker: Any) -> None:
        self.added.append(marker)


def order(*items: FakeItem) -> list[FakeItem]:
    return sorted(items, key=conftest._order)  # type: ignore[arg-type]


def test_cases_without_an_operator_come_first_and_variants_do_not_mix() -> None:
    kopf = [FakeItem("test_lifecycle.py", line, "kopf") for line in (1, 2)]
    handwritten = [FakeItem("test_cluster.py", line, "handwritten") for line in (1, 2)]
    bare = FakeItem("test_crd.py", 9)
    assert order(kopf[1], handwritten[1], bare, kopf[0], handwritten[0]) == [bare, *handwritten, *kopf]


def test_modules_come_in_a_persons_order_and_the_last_case_last() -> None:
    last = FakeItem("test_lifecycle.py", 1, "kopf", mark("last"))
    cluster = FakeItem("test_cluster.py", 1, "kopf")
    rollout = FakeItem("test_rollout.py", 9, "kopf")
    assert order(last, cluster, rollout) == [rollout, cluster, last]


def test_every_module_has_its_place() -> None:
    names = {path.stem.removeprefix("test_") for path in conftest.HERE.glob("test_*.py")}
    assert names == set(conftest.MODULES)


def test_framework_limit_is_a_strict_xfail_for_its_variant_alone() -> None:
    limit = mark("framework_limit", variant="kopf", reason="kopf/file.py:1")
    kopf, handwritten = (FakeItem("test_drift.py", 1, variant, limit) for variant in ("kopf", "handwritten"))
    for item in (kopf, handwritten):
        conftest._expect_framework_limit(item)  # type: ignore[arg-type]
    (xfail,) = kopf.added
    assert (xfail.name, xfail.kwargs) == ("xfail", {"reason": "kopf/file.py:1", "strict": True})
    assert handwritten.added == []
