"""The demo from beginning to end: a comparison of one scenario, both operators at the same time, and a screen that listens.

`twinloop.cli` calls `demo`. The harness does everything else: server, operators, story, verdicts, report.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from twinloop.demo.lane import Lane
from twinloop.demo.screen import Screen, table
from twinloop.demo.steps import Step, steps
from twinloop.harness.history import History, Record
from twinloop.harness.job import Job
from twinloop.harness.order import Wanted
from twinloop.harness.report.terminal import show
from twinloop.harness.scenario import choose
from twinloop.harness.session import Asked, compare, new_folder
from twinloop.harness.variants import chosen

VARIANTS = ("handwritten", "kopf")
STORY = "everyday"


def demo(write: Callable[[str], None], results: Path) -> int:
    """Run the story under both; `write` gets each line, the report goes to `results`. Returns the comparison's exit status."""
    began = time.monotonic()
    asked = Asked(Wanted(chosen(VARIANTS), choose([STORY])), jobs=len(VARIANTS))
    # Its lines are the only ones: no progress bar, and a log would not show it.
    console = Console(highlight=False)
    with new_folder(results) as folder:
        report = compare(asked, folder, console, Follower(write))
    write("")
    for line in table(_told(folder)):
        write(line)
    write("seconds to the last change that a watch saw; writes of the operator, without Events\n")
    show(report, console, folder=str(folder))
    write(f"all of it took {time.monotonic() - began:.0f} s; nothing is left running")
    return report.exit_code


class Follower:
    """Gives each trial of the story its lane; the head is written when the first of them begins."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write, self._screen, self._begun = write, Screen(VARIANTS, write), False

    def __call__(self, job: Job) -> Callable[[Record], None] | None:
        """A listener for the records of a trial; None for the smoke checks."""
        if job.scenario.name != STORY:
            return None
        if not self._begun:
            self._begun = True
            self._write("the same story for both, and what a watch sees:\n")
            self._screen.head()
        return Lane(lambda line: self._screen.tell(job.name, line))


def _told(folder: Path) -> dict[str, list[Step]]:
    paths = {name: folder / "trials" / STORY / f"{name}.0" / "history.jsonl" for name in VARIANTS}
    return {name: list(steps(History.read(path))) for name, path in paths.items() if path.is_file()}
