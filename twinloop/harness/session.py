"""A whole comparison, from what a person asked for to the pages: the place where the parts are put together.

    backend up -> smoke check of each variant -> trials in their order -> judges -> Report -> pages in results/TIME

`commands.py` calls `compare` and, for a run of the past, `rejudge` and `remake`. What was asked for is kept in plan.json beside
the report, so that a run can be judged again by a later version. Ctrl-C ends the trials under way, and what was finished
becomes a report that says that it is partial.
"""

from __future__ import annotations

import json
import os
import platform
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console

from twinloop import __version__
from twinloop.errors import ConfigurationError
from twinloop.harness.assemble import assemble
from twinloop.harness.backends.backend import Backend
from twinloop.harness.backends.choose import backend as choose_backend
from twinloop.harness.checkers.trial_view import Trial
from twinloop.harness.compare import Comparison, Nobody, across, gathered, without
from twinloop.harness.cost import cost
from twinloop.harness.folder import Page, keep, name_latest
from twinloop.harness.frame import Frame
from twinloop.harness.history import History, Record
from twinloop.harness.interruption import undisturbed
from twinloop.harness.job import Job, Variant
from twinloop.harness.judge import judge_folder, judge_group
from twinloop.harness.known import FILE as KNOWN_FILE
from twinloop.harness.known import load as load_known
from twinloop.harness.launch import SOURCES
from twinloop.harness.order import Wanted
from twinloop.harness.outcome import Outcome
from twinloop.harness.progress import Bar
from twinloop.harness.proxy.host import ProxyHost
from twinloop.harness.report.junit import junit
from twinloop.harness.report.markdown import markdown
from twinloop.harness.report.page import render
from twinloop.harness.results import Report, VariantInfo
from twinloop.harness.scenario import Scenario, all_scenarios
from twinloop.harness.smoke import OK, smoke
from twinloop.harness.trial import run_trial
from twinloop.harness.verdict import Finding

# A listener for the records of a trial as they are written, None for a trial that nobody follows.
Follow = Callable[[Job], Callable[[Record], None] | None]
PAGES: Mapping[str, Page] = {"report.html": render, "report.md": markdown, "junit.xml": junit}
PLAN = "plan.json"
# What makes a difference to what is measured.
PACKAGES = ("kopf", "kubernetes", "aiohttp", "urllib3", "prometheus-client")


@dataclass(frozen=True)
class Asked:
    """What a person asked for. `spelled`: what --variant was given for a variant that is not built in."""

    wanted: Wanted
    backend: str = "embedded"
    context: str = ""
    jobs: int = 1
    flags: Sequence[str] = ()
    spelled: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def new_folder(parent: Path) -> Iterator[Path]:
    """A folder for a run, named after the time in UTC. Two runs of one second get two. Raises ConfigurationError.

    What ended before its first trial leaves nothing to look at, and no folder.
    """
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%SZ")
    names = (stamp, *(f"{stamp}-{number}" for number in range(2, 100)))
    try:
        folder = next(parent / name for name in names if not (parent / name).exists())
        folder.mkdir(parents=True)
    except OSError as error:
        raise ConfigurationError(
            f"no results can be left in {parent}: {error.strerror}", hint="See --results."
        ) from None
    try:
        yield folder
    finally:
        if not any(folder.iterdir()):
            folder.rmdir()


# ---------------------------------------------------------------------- a new run


def compare(asked: Asked, folder: Path, console: Console, follow: Follow | None = None) -> Report:
    """Run everything and leave the report in `folder`. With `follow` its listeners tell how far it is, and no bar does."""
    began, interrupted = datetime.now(UTC), threading.Event()
    with ExitStack() as ending:
        with choose_backend(asked.backend, asked.context) as backend, ProxyHost() as proxies:
            meta = _meta(asked, backend, began)

            def run(job: Job) -> Path:
                listener = follow(job) if follow else None
                return run_trial(job, backend, proxies, folder, interrupted, [listener] if listener else [])

            told = {each.name: _smoke(run, each, asked, console) for each in asked.wanted.variants}
            infos = [_info(each, told[each.name]) for each in asked.wanted.variants]
            wanted = without(asked.wanted, [name for name, said in told.items() if said != OK])
            with nullcontext(Nobody()) if follow else Bar(console) as watcher:
                comparison = Comparison(run, judge_folder, folder, asked.jobs, watcher, interrupted.set)
                trials = comparison.go(wanted)
            ending.enter_context(undisturbed())
        meta["seconds"] = round((datetime.now(UTC) - began).total_seconds())
        meta["interrupted"] = "yes: what is missing was not run" if trials.interrupted else ""
        frame = _frame(asked, infos, trials.expected)
        _keep_plan(frame, trials.order, folder)
        name_latest(folder)
        return _report(frame, trials.outcomes, meta, folder)


def _smoke(run: Callable[[Job], Path], variant: Variant, asked: Asked, console: Console) -> str:
    said = smoke(run, variant, asked.wanted.settings)
    console.print(f"smoke check of {variant.name}: {said}", highlight=False)
    return said


def _info(variant: Variant, said: str) -> VariantInfo:
    return VariantInfo(variant.name, variant.command, variant.approach, said, cost(variant, SOURCES))


def _frame(asked: Asked, infos: Sequence[VariantInfo], expected: Mapping[tuple[str, str], int]) -> Frame:
    return Frame(
        variants=infos,
        scenarios=asked.wanted.scenarios,
        known=load_known(KNOWN_FILE, [each.name for each in all_scenarios()]),
        seed=asked.wanted.seed,
        spelled=asked.spelled,
        flags=asked.flags,
        plans=asked.wanted.plans,
        expected=expected,
    )


def _meta(asked: Asked, backend: Backend, began: datetime) -> dict[str, Any]:
    memory = psutil.virtual_memory().total / 2**30
    return {
        "version": __version__,
        "started": began.isoformat(timespec="seconds"),
        "seconds": 0,
        "backend": backend.name,
        "server": backend.server_version(),
        "machine": f"{platform.system()} {platform.release()}, {psutil.cpu_count()} cores, {memory:.0f} GB",
        # Of all cores together: 1 is a machine without an idle one.
        "load": round(os.getloadavg()[0] / (psutil.cpu_count() or 1), 3),
        "seed": asked.wanted.seed,
        "flags": " ".join([*asked.flags, *_how_many(asked)]),
        "crash-loop back-off": f"the kubelet's times {asked.wanted.settings.crash_loop_scale:g}",
        "versions": ", ".join(f"{name} {_version(name)}" for name in ("python", *PACKAGES)),
    }


def _how_many(asked: Asked) -> list[str]:
    """The flags that a row is repeated without, and that yet decide what can be said of it."""
    runs = ["--runs", str(asked.wanted.runs)] if asked.wanted.runs is not None else []
    return [*runs, "--jobs", str(asked.jobs), *(word for plan in asked.wanted.plans for word in ("--plan", plan))]


def _version(package: str) -> str:
    if package == "python":
        return platform.python_version()
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _keep_plan(frame: Frame, order: Sequence[str], folder: Path) -> None:
    expected = [[*place, count] for place, count in frame.expected.items()]
    plan = {
        "variants": [asdict(each) for each in frame.variants],
        "scenarios": [each.name for each in frame.scenarios],
        "seed": frame.seed,
        "spelled": dict(frame.spelled),
        "flags": list(frame.flags),
        "plans": list(frame.plans),
        "expected": expected,
        "order": list(order),
    }
    (folder / PLAN).write_text(json.dumps(plan, indent=1) + "\n")


def _report(frame: Frame, outcomes: Sequence[Outcome], meta: Mapping[str, Any], folder: Path) -> Report:
    found = across(folder, outcomes, frame.base, _judge_group)
    report = assemble(frame, outcomes, meta, found)
    keep(report, folder, PAGES)
    return report


def _judge_group(folders: Sequence[Path]) -> Mapping[str, Sequence[Finding]]:
    return judge_group([Trial(History.read(each / "history.jsonl")) for each in folders])


# ---------------------------------------------------------------------- a run of the past


def rejudge(folder: Path) -> Report:
    """Judge all trials of a run again and write its pages anew. Raises ConfigurationError for a folder that is no run."""
    frame, order, meta = _old_frame(folder)
    place = {trial: number for number, trial in enumerate(order)}
    outcomes = sorted(gathered(folder, judge_folder), key=lambda each: place.get(each.trial, len(place)))
    # The smoke checks are in a folder of the same kind, and are none of the run's trials.
    return _report(frame, [each for each in outcomes if each.trial in place], meta, folder)


def remake(folder: Path) -> Report:
    """Make the pages of a run again from its report.json."""
    path = folder / "report.json"
    if not path.is_file():
        raise ConfigurationError(f"{folder} has no report.json", hint="Name a folder that `twinloop compare` left.")
    try:
        report = Report.read(path)
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            f"{path} cannot be read: {error}", hint="`twinloop judge` makes it anew from the histories."
        ) from None
    keep(report, folder, PAGES)
    return report


def _old_frame(folder: Path) -> tuple[Frame, list[str], dict[str, Any]]:
    try:
        plan, meta = (json.loads((folder / name).read_text()) for name in (PLAN, "meta.json"))
        # Always: a later version may have what an earlier one did not.
        return _frame_of(plan), plan["order"], {**meta, "dropped": ", ".join(_no_longer(plan["scenarios"]))}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            f"{folder} is no run of `twinloop compare`: {error}", hint="Name a folder such as results/latest."
        ) from None


def _no_longer(names: Sequence[str]) -> list[str]:
    """Of the scenarios of a run those that this version does not have: nobody can say what they expected."""
    known = {each.name for each in all_scenarios()}
    return [name for name in names if name not in known]


def _frame_of(plan: Mapping[str, Any]) -> Frame:
    known: dict[str, Scenario] = {each.name: each for each in all_scenarios()}
    return Frame(
        variants=[VariantInfo(**each) for each in plan["variants"]],
        scenarios=[known[name] for name in plan["scenarios"] if name in known],
        known=load_known(KNOWN_FILE, [each.name for each in all_scenarios()]),
        seed=plan["seed"],
        spelled=plan["spelled"],
        flags=plan["flags"],
        plans=plan["plans"],
        expected={(scenario, variant): count for scenario, variant, count in plan["expected"]},
    )
