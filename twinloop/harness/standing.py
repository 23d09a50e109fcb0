"""How a run stands: the exit code, the verdict in one sentence, and the word for each scenario.

Pure functions of a `Report`; every page says the same because it asks here.

    0   everything the same, or different as expected
    1   something unexpected: a new difference, or an expected one that stopped being true
    2   nothing unexpected, but something was not checked

1 comes before 2: a difference that was seen is certain, whatever else was not looked at.
"""

from __future__ import annotations

from collections import Counter

from twinloop.harness.outcome import INVALID, UNKNOWN, UNSUPPORTED, VIOLATED
from twinloop.harness.results import Cell, Difference, Report

UNEXPECTED, EXPECTED, SAME = "unexpected", "expected", "same"
# The worst first: the word for a scenario is the first that fits.
STANDINGS = (UNEXPECTED, UNKNOWN, EXPECTED, UNSUPPORTED, SAME)


def unexpected(difference: Difference) -> bool:
    """Whether it makes the run exit 1."""
    return difference.gates and (difference.gone or not difference.known)


def standing(report: Report, scenario: str) -> str:
    """One of STANDINGS."""
    here = [each for each in report.differences if each.scenario == scenario]
    cells = [each for each in report.cells if each.scenario == scenario]
    if any(map(unexpected, here)):
        return UNEXPECTED
    if any(_unchecked(report, each) for each in cells):
        return UNKNOWN
    if here:
        return EXPECTED
    return UNSUPPORTED if any(each.verdict == UNSUPPORTED for each in cells) else SAME


def _unchecked(report: Report, cell: Cell) -> bool:
    info = next((each for each in report.scenarios if each.name == cell.scenario), None)
    # A violation that was expected must not cover what was never looked at beside it.
    gap = cell.verdict in {UNKNOWN, INVALID} or (cell.verdict == VIOLATED and cell.why != "")
    return gap and (info is None or info.grade != "X")


def exit_code(report: Report) -> int:
    """What the process ends with."""
    if any(map(unexpected, report.differences)):
        return 1
    unchecked = any(_unchecked(report, each) for each in report.cells)
    cut_short = report.meta.get("interrupted") or report.meta.get("dropped")
    return 2 if unchecked or not report.cells or cut_short else 0


def counts(report: Report) -> dict[str, int]:
    """How many scenarios stand how, all words of STANDINGS."""
    counted = Counter(standing(report, each.name) for each in report.scenarios)
    return {word: counted[word] for word in STANDINGS}


def sentence(report: Report) -> str:
    """The verdict in one sentence."""
    if not report.cells:
        return "Nothing was run, so nothing is known."
    number = counts(report)
    said = [f"{number[SAME]} the same", f"{number[EXPECTED]} different as expected"]
    said += [f"{number[word]} {word}" for word in (UNEXPECTED, UNKNOWN, UNSUPPORTED) if number[word]]
    names = " and ".join(
        filter(None, (", ".join(each.name for each in report.variants[:-1]), report.variants[-1].name))
    )
    start = "Interrupted: " if report.meta.get("interrupted") else ""
    return f"{start}{stories(len(report.scenarios))} under {names}: {', '.join(said)}.{_first(report)}"


def stories(count: int) -> str:
    """So many scenarios, in words."""
    return f"{count} scenario{'' if count == 1 else 's'}"


def _first(report: Report) -> str:
    """The first surprise by name, so that nobody has to look for it."""
    surprises = [each for each in report.differences if unexpected(each)]
    if not surprises:
        return ""
    first = surprises[0]
    more = f", and {len(surprises) - 1} more" if len(surprises) > 1 else ""
    place = f"{first.variant} in {first.scenario}" if first.scenario else first.variant
    return f" Not expected: {place} ({first.aspect}){more}."
