"""The harness on the command line: compare, list, explain, judge, report, doctor. Flags and words for people.

`twinloop.cli` adds these commands to its own; `session.py` does the work. The exit status of `compare` and `judge` is the
report's (see standing.py); what a person got wrong ends in one line and status 2, like everywhere.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from twinloop.errors import ConfigurationError
from twinloop.exits import one_line_errors
from twinloop.harness.interruption import ended_by_the_first_signal

if TYPE_CHECKING:
    from twinloop.harness.order import Wanted
    from twinloop.harness.results import Report
    from twinloop.harness.session import Asked

RESULTS = Path("results")
CRASH_LOOP_SCALE = 0.01


# Everything of the harness is imported in a command's own body: `twinloop apiserver` and `--help` need none of it.
# ruff: noqa: PLC0415


@click.command()
@click.option(
    "--backend",
    type=click.Choice(["embedded", "kind", "kwok", "current"]),
    default="embedded",
    show_default=True,
    help="The API server; kind and kwok make a cluster of their own.",
)
@click.option("--context", default="", help="The kubeconfig's context, with --backend current.")
@click.option(
    "--variant",
    "variants",
    multiple=True,
    metavar="NAME[=COMMAND]",
    help="handwritten, kopf, kopf-level, or any name and its command line; the first is the base. Default: ours.",
)
@click.option(
    "--scenario",
    "patterns",
    multiple=True,
    metavar="GLOB",
    help="Names as in `twinloop list`, or calm, fault, all. Default: all.",
)
@click.option("--plan", "plans", multiple=True, help="Only these plans of a scenario that has several.")
@click.option("--long", is_flag=True, help="Also scenarios that wait for a framework's own timers, minutes each.")
@click.option(
    "--runs", type=click.IntRange(1, 100), help="Trials of each scenario, or blocks of one that times something."
)
@click.option("--seed", type=int, default=1, show_default=True, help="For whatever a story leaves to chance.")
@click.option(
    "--jobs",
    type=click.IntRange(1, 16),
    default=3,
    show_default=True,
    help="Trials at once, of scenarios that disturb nobody.",
)
@click.option(
    "--crash-loop-scale",
    type=click.FloatRange(0, 1),
    default=CRASH_LOOP_SCALE,
    show_default=True,
    help="Of the kubelet's pause before a restart, 10 s to 5 min.",
)
@click.option("--results", type=click.Path(file_okay=False, path_type=Path), default=RESULTS, show_default=True)
def compare(
    backend: str,
    context: str,
    variants: tuple[str, ...],
    patterns: tuple[str, ...],
    plans: tuple[str, ...],
    runs: int | None,
    seed: int,
    jobs: int,
    crash_loop_scale: float,
    results: Path,
    *,
    long: bool,
) -> None:
    """Tell the same stories to several operators and report how they differ.

    Exit status: 0 nothing unexpected, 1 an unexpected difference, 2 something could not be checked.
    """
    from twinloop.harness.session import Asked, new_folder

    # 2, not 1: a backend that does not come up shows no difference, it shows nothing.
    with one_line_errors(otherwise=2):
        wanted = _wanted(variants, patterns, plans, runs, seed, crash_loop_scale, long=long)
        spelled = {text.partition("=")[0]: text for text in variants if "=" in text}
        asked = Asked(wanted, backend, context, jobs, _flags(backend, context, crash_loop_scale), spelled)
        with new_folder(results) as folder:
            _end_with(_run(asked, folder), folder)


def _flags(backend: str, context: str, crash_loop_scale: float) -> list[str]:
    """What a command that repeats a row needs besides variants, scenario, plan and seed."""
    given = [("--backend", backend, "embedded"), ("--context", context, ""),
             ("--crash-loop-scale", f"{crash_loop_scale:g}", f"{CRASH_LOOP_SCALE:g}")]  # fmt: skip
    return [word for flag, value, usual in given if value != usual for word in (flag, value)]


def _wanted(
    variants: Sequence[str],
    patterns: Sequence[str],
    plans: Sequence[str],
    runs: int | None,
    seed: int,
    crash_loop_scale: float,
    *,
    long: bool,
) -> Wanted:
    from twinloop.harness import order
    from twinloop.harness.scenario import Settings, choose
    from twinloop.harness.variants import chosen, ours

    settings = Settings(crash_loop_scale=crash_loop_scale)
    scenarios = order.with_plans(choose(patterns or ["all"], long=long), plans)
    return order.Wanted(chosen(variants or ours()), scenarios, seed=seed, runs=runs, plans=plans, settings=settings)


def _run(asked: Asked, folder: Path) -> Report:
    from rich.console import Console

    from twinloop.harness.session import compare

    with ended_by_the_first_signal():
        return compare(asked, folder, Console(stderr=True))


def _end_with(report: Report, folder: Path) -> None:
    """Print the report and exit with its status."""
    from rich.console import Console

    from twinloop.harness.report.terminal import show

    show(report, Console(), folder=str(folder))
    sys.exit(report.exit_code)


@click.command(name="list")
def list_scenarios() -> None:
    """List the scenarios, each with its first sentence."""
    from twinloop.harness.scenario import all_scenarios

    for scenario in all_scenarios():
        sort = f"{scenario.set}{', long' if scenario.long else ''}"
        first = " ".join(scenario.description.split()).partition(". ")[0].rstrip(".")
        click.echo(f"{scenario.name:<22} {sort:<12} {first}")


@click.command()
@click.argument("scenario")
def explain(scenario: str) -> None:
    """Say what a scenario does, what is expected, and what plans it has."""
    from twinloop.harness.scenario import choose

    with one_line_errors():
        for each in choose([scenario], long=True):
            click.echo(f"{each.name} ({each.set}, grade {each.grade})\n")
            click.echo(
                f"What happens:\n{_indented(each.description)}\n\nWhat is expected:\n{_indented(each.expectation)}"
            )
            if each.deciding:
                click.echo(f"\nWhat decides: {', '.join(each.deciding)}")
            if list(each.plans) != [""]:
                click.echo(f"\nPlans: {', '.join(filter(None, each.plans))}")
            click.echo(f"\nRun it: twinloop compare --scenario {each.name}\n")


def _indented(text: str) -> str:
    return "\n".join(f"  {line.strip()}" for line in text.strip().splitlines())


_folder = click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=RESULTS / "latest")


@click.command()
@_folder
def judge(folder: Path) -> None:
    """Judge the histories of a run again, write its report anew, and exit as `compare` would.

    FOLDER is a run (default: results/latest) or a single trial in it.
    """
    from twinloop.harness.session import rejudge

    with one_line_errors():
        if (folder / "history.jsonl").is_file():
            _judge_one(folder)
        _end_with(rejudge(folder), folder)


def _judge_one(folder: Path) -> None:
    from twinloop.harness.history import History
    from twinloop.harness.judge import judge_folder
    from twinloop.harness.scenario import all_scenarios
    from twinloop.harness.verdict import Verdict, worst

    findings = judge_folder(folder)
    name = History.read(folder / "history.jsonl").begin.scenario
    deciding = next((each.deciding for each in all_scenarios() if each.name == name), ())
    counted = [each for each in findings if not deciding or each.oracle in deciding]
    for finding in findings:
        lines = f"  (lines {', '.join(map(str, finding.evidence))})" if finding.evidence else ""
        shown = "" if finding in counted else "  (does not decide here)"
        click.echo(f"{finding.oracle:<4} {finding.verdict:<9} {finding.message}{lines}{shown}")
    sys.exit({Verdict.OK: 0, Verdict.VIOLATED: 1, Verdict.UNKNOWN: 2}[worst(each.verdict for each in counted)])


@click.command()
@_folder
def report(folder: Path) -> None:
    """Make the pages of a run again from its report.json, and print it; FOLDER is a run (default: results/latest)."""
    from rich.console import Console

    from twinloop.harness.report.terminal import show
    from twinloop.harness.session import remake

    with one_line_errors():
        show(remake(folder), Console(), folder=str(folder))


@click.command()
@click.option("--backend", default="embedded", show_default=True, help="Fail if this one could not be used.")
def doctor(backend: str) -> None:
    """Say what this machine lacks for a comparison, and how to get it."""
    from twinloop.harness.doctor import examine, lacking

    checks = examine()
    for check in checks:
        hint = "" if check.ok else f"\n      {check.hint}"
        click.echo(f"{'ok  ' if check.ok else 'LACK'}  {check.name}: {check.said} (for {check.needed_by}){hint}")
    with one_line_errors():
        if missing := lacking(checks, backend):
            raise ConfigurationError(
                f"--backend {backend} lacks {', '.join(each.name for each in missing)}", hint="See above."
            )


COMMANDS = (compare, list_scenarios, explain, judge, report, doctor)
