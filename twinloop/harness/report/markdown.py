"""The report as Markdown, for a pull request or the summary of a CI job: sentence, differences, matrix, latencies.

What a person reads first stands first; everything else is in the HTML page of the same run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from twinloop.harness.report.plain import heading, interval, median, number, ratio_in_words, seconds
from twinloop.harness.results import Cell, Difference, Report
from twinloop.harness.standing import standing, unexpected


def markdown(report: Report) -> str:
    """The whole page."""
    return "\n".join([
        "# Two loops, one story", "", f"**{_text(report.sentence)}** (exit {report.exit_code})", "",
        *_differences(report), *_matrix(report), *_latencies(report), *_conditions(report),
    ])  # fmt: skip


def _differences(report: Report) -> Iterator[str]:
    yield from ("## What differed", "")
    if not report.differences:
        yield from ("Nothing.", "")
    for difference in report.differences:
        yield from _difference(difference)


def _difference(difference: Difference) -> Iterator[str]:
    place = f"{difference.variant} in {difference.scenario}" if difference.scenario else difference.variant
    yield f"- **{heading(difference)}**: {_text(place)}, {difference.aspect}: {_text(difference.seen)}"
    if difference.reason:
        links = " · ".join(f"[{name}]({target})" for name, target in difference.links.items())
        yield f"  Why: {_text(difference.reason)} {links}".rstrip()
    if unexpected(difference):
        if difference.trial:
            lines = f", lines {', '.join(map(str, difference.evidence))}" if difference.evidence else ""
            yield f"  Evidence: `{difference.trial}/history.jsonl`{lines}."
        yield f"  Again: `{difference.repeat}`"
    yield ""


def _matrix(report: Report) -> Iterator[str]:
    yield from ("## Scenarios", "")
    names = [each.name for each in report.variants]
    rows = [
        [each.name, *(_cell(report.cell(each.name, name)) for name in names), standing(report, each.name)]
        for each in report.scenarios
    ]
    yield from table(["scenario", *names, "difference"], rows)


def _cell(cell: Cell | None) -> str:
    if cell is None:
        return "not run"
    bad = [each.oracle for each in cell.oracles if each.deciding and each.verdict == "violated"]
    said = [" ".join([cell.verdict, *bad])]
    counts = (name for name in ("writes", "requests", "restarts") if cell.numbers.get(name))
    said += [f"{number(cell.numbers[name])} {name}" for name in counts]
    return ", ".join([*said, *([cell.why] if cell.why else [])])


def _latencies(report: Report) -> Iterator[str]:
    if not report.latencies:
        return
    yield from (
        "## Latencies",
        "",
        "Median with its 95 % interval; a sample that never ended counts as the longest.",
        "",
    )
    rows = [
        [each.scenario, each.measure, each.variant, median(each), seconds(each.p95), str(each.censored or "")]
        for each in report.latencies
    ]
    yield from table(["scenario", "measure", "variant", "median", "p95", "never"], rows)
    yield from ("Beside each other, as ratios of paired samples:", "")
    yield from table(
        ["scenario", "measure", "variants", "ratio", "noise", "call"],
        [
            [each.scenario, each.measure, f"{each.variant} / {each.base}", interval(each.ratio, each.low, each.high),
             f"{number(each.noise_low)} to {number(each.noise_high)}", ratio_in_words(each)]
            for each in report.ratios
        ] + [
            [each.scenario, each.measure, f"{each.variant} / {each.base}", interval(each.ratio, each.low, each.high),
             "", "the noise floor"]
            for each in report.noise
        ],
    )  # fmt: skip


def _conditions(report: Report) -> Iterator[str]:
    yield from ("## How it was measured", "")
    for name in ("version", "started", "backend", "server", "machine", "seed", "flags"):
        if report.meta.get(name) not in {None, ""}:
            yield f"- {name}: {_text(str(report.meta[name]))}"
    yield from (f"- {_text(threat)}" for threat in report.threats)
    yield ""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table, and the empty line after it."""
    yield "| " + " | ".join(map(_text, head)) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(map(_text, row)) + " |"
    yield ""


def _text(said: str) -> str:
    """One line that breaks neither a table nor the page: server messages may hold anything."""
    return " ".join(said.split()).replace("|", "\\|").replace("<", "&lt;")
