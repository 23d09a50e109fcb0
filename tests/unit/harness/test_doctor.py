"""What the doctor says of machines that lack something.

Left out: this machine.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from twinloop.errors import ConfigurationError
from twinloop.harness.backends.backend import BackendError
from twinloop.harness.doctor import EVERYTHING, Check, Machine, examine, lacking
from twinloop.harness.launch import SOURCES


def machine(**differences: Any) -> Machine:
    """A machine with everything, but for the differences."""
    whole: dict[str, Any] = {
        "run": lambda *words: f"{words[0]} v1.2.3\nmore",
        "find": lambda name: f"/usr/bin/{name}",
        "has_package": lambda name: True,
        "environ": {},
        "sources": SOURCES,
        "cores": 4,
        "free_memory": 8 * 10**9,
        "python": (3, 12),
        "context": lambda: "kind-here, https://127.0.0.1:6443",
    }
    return Machine(**{**whole, **differences})


def bad(**differences: Any) -> list[Check]:
    return [check for check in examine(machine(**differences)) if not check.ok]


def test_a_machine_with_everything_lacks_nothing() -> None:
    assert bad() == []


def test_versions_are_said_in_one_line() -> None:
    said = {check.name: check.said for check in examine(machine())}
    assert (said["kind"], said["docker"], said["python"]) == ("kind v1.2.3", "docker v1.2.3", "3.12")


@pytest.mark.parametrize(
    ("differences", "name", "needed_by", "said"),
    [
        ({"python": (3, 10)}, "python", EVERYTHING, "3.10"),
        ({"cores": 1}, "cores", EVERYTHING, "1"),
        ({"free_memory": 5 * 10**8}, "memory", EVERYTHING, "0.5 GB free"),
        ({"sources": Path("/nowhere")}, "clone", EVERYTHING, "/nowhere"),
        ({"has_package": lambda name: name != "psutil"}, "packages", EVERYTHING, "missing: psutil"),
        ({"has_package": lambda name: name != "kopf"}, "kopf", "variant kopf", "not there"),
        ({"find": lambda name: None if name == "kind" else name}, "kind", "kind", "not on the PATH"),
        ({"find": lambda name: None if name == "kwokctl" else name}, "kwokctl", "kwok", "not on the PATH"),
    ],
)
def test_what_is_missing_is_said_with_who_needs_it(
    differences: dict[str, Any], name: str, needed_by: str, said: str
) -> None:
    (check,) = bad(**differences)
    assert (check.name, check.needed_by, check.said) == (name, needed_by, said)
    assert check.hint


def test_an_engine_that_does_not_answer_is_missing_too() -> None:
    def run(*words: str) -> str:
        if words[0] == "docker":
            raise BackendError("docker version failed: Cannot connect to the Docker daemon")
        return "v1"

    (check,) = bad(run=run)
    assert check.name == "docker"
    assert "Cannot connect" in check.said


def test_no_cluster_is_said_with_the_hint_of_whoever_looked() -> None:
    def context() -> str:
        raise ConfigurationError("no cluster configuration", hint="Name a kubeconfig.")

    (check,) = bad(context=context)
    assert (check.name, check.needed_by, check.hint) == ("cluster", "current", "Name a kubeconfig.")


def test_programs_can_be_chosen_by_the_environment() -> None:
    names = [check.name for check in examine(machine(environ={"KIND": "/opt/kind", "DOCKER": "podman"}))]
    assert {"/opt/kind", "podman"} <= set(names)


@pytest.mark.parametrize(("backend", "names"), [("kind", ["kind"]), ("embedded", []), ("kwok", [])])
def test_only_what_a_backend_needs_keeps_it_from_running(backend: str, names: list[str]) -> None:
    checks = examine(machine(find=lambda name: None if name in {"kind", "chromium"} else name))
    assert [check.name for check in lacking(checks, backend)] == names


def test_any_chromium_will_do() -> None:
    def find(name: str) -> str | None:
        return None if name.startswith("chromium") else f"/usr/bin/{name}"

    assert not bad(find=find)
    (check,) = bad(find=lambda name: None if name.startswith(("chrom", "google")) else name)
    assert check.name == "browser"


def test_this_machine_can_be_looked_at() -> None:
    """Whatever it lacks, each check says something, and what is missing says how to get it."""
    checks = examine()
    assert all(check.name and check.said for check in checks)
    assert all(check.hint for check in checks if not check.ok)
    assert len({check.name for check in checks}) == len(checks)
