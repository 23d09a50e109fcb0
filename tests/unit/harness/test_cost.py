"""What a variant costs to own, counted on a clone and an installation that are made up.

Left out: our own variants' numbers, which change with every commit; that they can be counted at all is seen once.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import pytest

from twinloop.harness.cost import Lines, closure, cost, lines_of
from twinloop.harness.installed import InstalledHere, normal
from twinloop.harness.job import Variant
from twinloop.harness.launch import SOURCES
from twinloop.harness.variants import ours

OPERATOR = '''"""What it is for.

And how."""

import json

import web
from shared.client import Client  # theirs


@kopf.on.event("pods")
def on_pod():
    """Wake."""
    # Not now.
    return """two
lines"""


class Queue:
    """Order."""


class _Hidden:
    pass
'''

ROLE = """
kind: ClusterRole
rules:
- {apiGroups: [""], resources: [pods], verbs: [get, list]}
---
kind: ClusterRoleBinding
"""
PATCH = """
- {op: add, path: /rules/-, value: {apiGroups: [example.com], resources: [things], verbs: [watch]}}
"""


class Shelf:
    """An installation: `web` needs `wires`, which needs `web`; `client-lib` holds `shared_lib`."""

    modules: ClassVar = {"web": ["web"], "shared_lib": ["client-lib"], "wires": ["wires"]}
    needed: ClassVar = {"web": ["wires"], "wires": ["web"], "client-lib": []}

    def holding(self, module: str) -> Sequence[str]:
        return self.modules.get(module, [])

    def needs(self, distribution: str) -> Sequence[str]:
        return self.needed[distribution]

    def size(self, distribution: str) -> int:
        return {"web": 1_000_000, "wires": 200_000, "client-lib": 50_000}[distribution]


def write(clone: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = clone / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    files = {
        "operator/main.py": OPERATOR,
        "shared/__init__.py": "",
        "shared/client.py": "import shared_lib\n",
        "shared/unused.py": "import wires\n",
        "deploy/base/rbac.yaml": ROLE,
        "deploy/overlays/mine/rbac.yaml": PATCH,
    }
    write(tmp_path, files)
    return tmp_path


def of(clone: Path, *owned: str, name: str = "mine") -> dict[str, object]:
    return cost(Variant(name=name, command="run", owned=owned), clone, Shelf())


def test_lines_are_code_comment_or_docstring() -> None:
    assert lines_of(OPERATOR) == Lines(code=10, comments=1, docstrings=5)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", Lines()),
        ("\n\n# only this\n", Lines(comments=1)),
        ("x = 1  # one\n", Lines(code=1)),
        ("x = (\n  1\n)\n", Lines(code=3)),
        ("'''a\n\nb'''\n", Lines(docstrings=3)),
        ("x = 1\n'no docstring'\n", Lines(code=2)),
    ],
)
def test_lines_of_small_files(text: str, lines: Lines) -> None:
    assert lines_of(text) == lines


def test_of_another_language_every_line_that_is_not_blank_is_code() -> None:
    assert lines_of("package main\n\n// say\n", python=False) == Lines(code=2)


def test_the_lines_of_all_owned_files_are_added(clone: Path) -> None:
    found = of(clone, "operator/main.py", "shared/client.py")
    assert (found["files"], found["lines"]) == (2, {"code": 11, "comments": 1, "docstrings": 5})


def test_distributions_are_followed_through_our_own_modules_and_through_each_other(clone: Path) -> None:
    found = of(clone, "operator/main.py")
    assert found["distributions"] == ["client-lib", "web", "wires"]
    assert found["distributions_bytes"] == 1_250_000


def test_what_nobody_imports_pulls_in_nothing(clone: Path) -> None:
    assert of(clone, "shared/client.py")["distributions"] == ["client-lib"]


def test_scripts_import_the_scripts_beside_them(clone: Path) -> None:
    write(clone, {"operator/other.py": "import main\n"})
    assert of(clone, "operator/other.py")["distributions"] == ["client-lib", "web", "wires"]


def test_the_standard_library_costs_nothing() -> None:
    assert closure(["json", "os"], Shelf()) == set()


def test_concepts_are_public_classes_and_a_framework_s_decorators(clone: Path) -> None:
    assert of(clone, "operator/main.py")["concepts"] == ["@kopf.on.event", "Queue"]


def test_rights_are_those_of_the_base_and_of_the_variant_s_overlay(clone: Path) -> None:
    assert of(clone, "operator/main.py")["rbac_rules"] == ["get pods", "list pods", "watch things.example.com"]


def test_without_an_overlay_nobody_knows_the_rights(clone: Path) -> None:
    assert "rbac_rules" not in of(clone, "operator/main.py", name="theirs")


def test_a_command_line_without_sources_has_no_cost(clone: Path) -> None:
    assert of(clone) == {}
    assert of(clone, "operator/not-there.py") == {}


def test_names_of_distributions_are_compared_in_one_form() -> None:
    assert normal("Prometheus_Client") == normal("prometheus.client") == "prometheus-client"


@pytest.mark.parametrize("variant", ours().values(), ids=lambda variant: variant.name)
def test_our_own_variants_can_be_counted(variant: Variant) -> None:
    found = cost(variant, SOURCES)
    assert found["lines"]["code"] > 100
    assert "kubernetes" in found["distributions"]
    assert ("kopf" in found["distributions"]) == variant.name.startswith("kopf")


def test_this_installation_knows_what_a_distribution_needs() -> None:
    here = InstalledHere()
    assert here.holding("yaml") == ["pyyaml"]
    assert here.holding("json") == []
    assert "urllib3" in here.needs("kubernetes")
    assert here.size("pyyaml") > 10_000
