"""What this machine lacks for a comparison, for each backend, and how to get it.

`twinloop doctor` prints what `examine` finds. Nothing is started and nothing is changed; programs are only asked for their
version. What is looked at comes in from outside as a `Machine`.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from twinloop.errors import TwinloopError
from twinloop.harness.backends.tools import Run, run
from twinloop.harness.launch import SOURCES
from twinloop.kube import load_configuration

# What a check is needed by: every comparison, one variant or backend, or the tests of the report.
EVERYTHING, PAGE = "everything", "tests of the report"
PACKAGES = ("aiohttp", "click", "jinja2", "kubernetes", "psutil", "rich", "yaml")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True)
class Check:
    """One thing that was looked at. `hint` says how to get it, `needed_by` what does not work without it."""

    name: str
    ok: bool
    said: str
    needed_by: str = EVERYTHING
    hint: str = ""


def _context() -> str:
    configuration = load_configuration()
    return f"{configuration.context}, {configuration.server}"


@dataclass(frozen=True)
class Machine:
    """What `examine` looks at; a test gives another one."""

    run: Run = run
    find: Callable[[str], str | None] = shutil.which
    has_package: Callable[[str], bool] = lambda name: importlib.util.find_spec(name) is not None
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    sources: Path = SOURCES
    cores: int = field(default_factory=lambda: psutil.cpu_count() or 1)
    free_memory: int = field(default_factory=lambda: int(psutil.virtual_memory().available))
    python: tuple[int, int] = sys.version_info[:2]
    context: Callable[[], str] = _context


def examine(machine: Machine | None = None) -> list[Check]:
    """Everything that is worth knowing, in the order of a person's interest."""
    here = machine or Machine()
    return [
        *_everything(here),
        *_variants(here),
        *_kind(here),
        _program(here, "kwokctl", "kwok", "See https://kwok.sigs.k8s.io/docs/user/installation/.", "--version"),
        _current(here),
        _browser(here),
    ]


def lacking(checks: list[Check], backend: str) -> list[Check]:
    """What a comparison on `backend` lacks."""
    return [check for check in checks if not check.ok and check.needed_by in {EVERYTHING, backend}]


def _everything(machine: Machine) -> list[Check]:
    missing = [name for name in PACKAGES if not machine.has_package(name)]
    crd = machine.sources / "crds" / "nginxpods.yaml"
    gigabytes = machine.free_memory / 1e9
    return [
        Check("python", machine.python >= (3, 11), ".".join(map(str, machine.python)), hint="3.11 or newer is needed."),
        Check(
            "packages",
            not missing,
            f"missing: {', '.join(missing)}" if missing else "all there",
            hint="pip install 'twinloop[harness]', or make test in a clone.",
        ),
        Check("clone", crd.is_file(), str(machine.sources), hint="Run it from a clone of the project."),
        Check(
            "cores", machine.cores >= 2, str(machine.cores), hint="With one core, the harness disturbs what it times."
        ),
        Check("memory", gigabytes >= 1, f"{gigabytes:.1f} GB free", hint="1 GB should be free."),
    ]


def _variants(machine: Machine) -> list[Check]:
    found = []
    for package in ("handwritten", "kopf"):
        there = machine.has_package(package)
        hint = f"pip install 'twinloop[{package}]', or make test in a clone."
        found.append(Check(package, there, "there" if there else "not there", f"variant {package}", hint))
    return found


def _kind(machine: Machine) -> list[Check]:
    kind = machine.environ.get("KIND") or "kind"
    docker = machine.environ.get("DOCKER") or "docker"
    return [
        _program(machine, docker, "kind", "Start its engine, or see https://docs.docker.com/get-docker/.",
                 "version", "--format", "{{.Server.Version}}"),
        _program(machine, kind, "kind", "See https://kind.sigs.k8s.io/docs/user/quick-start/.", "version"),
        Check("kind's node image", ok=True, said=machine.environ.get("KIND_IMAGE") or "kind's own", needed_by="kind"),
    ]  # fmt: skip


def _program(machine: Machine, program: str, needed_by: str, hint: str, *words: str) -> Check:
    """Whether a program is there and answers."""
    if machine.find(program) is None:
        return Check(program, ok=False, said="not on the PATH", needed_by=needed_by, hint=hint)
    try:
        said = machine.run(program, *words).strip().partition("\n")[0]
    except TwinloopError as error:
        return Check(program, ok=False, said=str(error), needed_by=needed_by, hint=hint)
    return Check(program, ok=True, said=said, needed_by=needed_by)


def _current(machine: Machine) -> Check:
    try:
        said = machine.context()
    except TwinloopError as error:
        return Check("cluster", ok=False, said=str(error), needed_by="current", hint=error.hint)
    return Check("cluster", ok=True, said=said, needed_by="current")


def _browser(machine: Machine) -> Check:
    found = next((path for name in BROWSERS if (path := machine.find(name))), None)
    hint = "Install chromium with its chromedriver; the report itself needs no browser to be made."
    return Check("browser", found is not None, found or "no chromium on the PATH", PAGE, hint)
