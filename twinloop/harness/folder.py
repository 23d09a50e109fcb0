"""What stays of a comparison: a folder with the report in every form, the samples as a table, and `latest`.

The edge between the assembled `Report` and the disk. Pages come in as functions, so that one which fails costs no other:
the data is written first, and a page that cannot be made is said and left out.
"""

from __future__ import annotations

import csv
import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path

from twinloop.harness.results import Report

log = logging.getLogger(__name__)

Page = Callable[[Report], str]


def keep(report: Report, folder: Path, pages: Mapping[str, Page]) -> list[Path]:
    """Write everything; returns the pages that were made."""
    folder.mkdir(parents=True, exist_ok=True)
    report.write(folder / "report.json")
    (folder / "meta.json").write_text(json.dumps(report.meta, indent=1) + "\n")
    _samples(report, folder / "samples.csv")
    return [path for name, page in pages.items() if (path := _made(report, folder / name, page))]


def _made(report: Report, path: Path, page: Page) -> Path | None:
    try:
        path.write_text(page(report))
    except Exception:  # a run of an hour must not be lost to a page
        log.exception("Could not make a page of the report", extra={"page": path.name})
        return None
    return path


def _samples(report: Report, path: Path) -> None:
    """Every latency sample, those of the warm-up too; an empty `seconds` never ended."""
    with path.open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["scenario", "measure", "variant", "block", "index", "seconds", "warm_up"])
        for each in report.latencies:
            for sample in each.samples:
                seconds = "" if sample["seconds"] is None else sample["seconds"]
                place = (each.scenario, each.measure, each.variant, sample["block"], sample["index"])
                rows.writerow([*place, seconds, int(sample["warm_up"])])


def name_latest(folder: Path) -> None:
    """results/latest leads to the newest; where links are not to be had, nothing is lost."""
    link = folder.parent / "latest"
    try:
        if link.is_symlink() or not link.exists():
            link.unlink(missing_ok=True)
            link.symlink_to(folder.name)
    except OSError as error:
        log.debug("no link to the latest results: %s", error)
