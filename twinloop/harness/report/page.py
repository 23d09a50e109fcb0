"""The report as one HTML file: `render(report)`.

Styles, script and drawings are in the file, so that it opens from anywhere, offline, and can be sent to somebody. It stays under LIMIT:
when a comparison was so large that it would not, the page is made again with less of each timeline, and says so where it does.
docs/reading-the-report.md explains to its readers what they see.
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Sequence
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from twinloop.harness.report import formats, sections, words
from twinloop.harness.report.cards import cards
from twinloop.harness.report.charts.dumbbell import compared, dumbbell
from twinloop.harness.report.charts.timeline import Lanes
from twinloop.harness.report.facts import facts
from twinloop.harness.report.look import Looks
from twinloop.harness.report.matrix import rows, tally
from twinloop.harness.report.sections import Detail, Section
from twinloop.harness.results import LaneItem, Report

LIMIT = 490_000
# From everything that makes sense on a screen to hardly anything.
DETAILS = tuple(Detail(items, max(items // 6, 4)) for items in (400, 280, 200, 140, 100, 70, 50, 35, 24, 16, 8))
STYLES = ("colours", "icons", "page", "parts", "charts", "narrow", "print")
SCRIPTS = ("theme", "roles", "tips", "filters", "charts", "timelines", "drawings", "copy")


def render(report: Report) -> str:
    """The page, with as much detail as fits."""
    html = ""
    for detail in DETAILS:
        html = _page(report, detail)
        if len(html.encode()) <= LIMIT:
            break
    return html


def _page(report: Report, detail: Detail) -> str:
    looks = Looks([each.name for each in report.variants])
    all_rows = rows(report)
    parts = [Section(report, row, looks, detail) for row in all_rows]
    idle, prints = sections.shown_footprints(report, looks, detail.points)
    environment = _environment()
    environment.globals.update(looks=looks, w=words, f=formats, compared=compared)
    drawn = environment.get_template("drawings.html.j2")
    html = environment.get_template("page.html.j2").render(
        report=report,
        facts=facts(report.meta),
        rows=all_rows,
        tally=tally(report),
        cards=cards(report.differences),
        sections=parts,
        latencies=dumbbell(report.latencies, report.ratios, looks),
        retries=sections.retries(report, looks),
        crashes=sections.crashes(report),
        asked=sections.asked(report),
        idle=idle,
        footprints=prints,
        ownership=sections.ownership(report),
        packed=pack([drawn.render(part=part) for part in parts], parts),
        styles=_files("style", STYLES, "css"),
        scripts=_files("script", SCRIPTS, "js"),
    )
    return _dense(html)


def _dense(html: str) -> str:
    # Indentation helps whoever edits a template, not whoever opens the page.
    return re.sub(r"\n\s+", "\n", html)


def _environment() -> Environment:
    # Everything that comes from a history may hold whatever an operator wrote: nothing is taken for HTML but charts.
    return Environment(
        loader=PackageLoader("twinloop.harness.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _files(folder: str, names: Sequence[str], ending: str) -> Markup:
    home = resources.files("twinloop.harness.report") / folder
    return Markup("\n").join(Markup((home / f"{name}.{ending}").read_text()) for name in names)  # noqa: S704 - our own files


def pack(drawings: Sequence[str], parts: Sequence[Section]) -> str:
    """All scenarios' drawings and what their timelines hold, compressed: they would be nine tenths of the page.

    The script unpacks them when a scenario is opened. All text that judges stays outside, for a search and for those without a script.
    """
    texts: dict[str, int] = {}
    series = [[_series(lanes, texts) for group in part.timelines for lanes in group.lanes] for part in parts]
    pages = [_dense(html) for html in drawings]
    content = json.dumps({"pages": pages, "texts": list(texts), "series": series}, separators=(",", ":"))
    return base64.b64encode(zlib.compress(content.encode(), 9)).decode()


def _series(lanes: Lanes, texts: dict[str, int]) -> list[list[int]]:
    """A timeline's items as columns, which compress better than rows: lanes, begins, durations, texts, lines of the history.

    Times are milliseconds. Begins and lines are differences to the item before. Every text is there once, and here is its number.
    """
    items = lanes.items
    begins = [round(each.t * 1000) for each in items]
    return [
        [lanes.lanes.index(each.lane) for each in items],
        _differences(begins),
        [0 if each.end is None else round((each.end - each.t) * 1000) for each in items],
        [texts.setdefault(_text(each), len(texts)) for each in items],
        _differences([each.seq for each in items]),
    ]


def _differences(values: Sequence[int]) -> list[int]:
    return [value - before for before, value in zip([0, *values], values, strict=False)]


def _text(item: LaneItem) -> str:
    return item.text if item.code is None else f"{item.text} \N{RIGHTWARDS ARROW} {item.code or 'no answer'}"
