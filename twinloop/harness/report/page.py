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
from twinloop.harness.report.look import Looks
from twinloop.harness.report.matrix import rows, tally
from twinloop.harness.report.sections import Detail, Section
from twinloop.harness.results import LaneItem, Report

LIMIT = 490_000
# From everything that makes sense on a screen to hardly anything.
DETAILS = tuple(
    Detail(items, points) for items, points in ((400, 60), (200, 40), (100, 30), (50, 20), (24, 12), (8, 6))
)
STYLES = ("colours", "page", "parts", "charts", "narrow", "print")
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
        rows=all_rows,
        tally=tally(all_rows),
        cards=cards(report.differences),
        sections=parts,
        latencies=dumbbell(report.latencies, report.ratios, looks),
        retries=sections.retries(report, looks),
        crashes=sections.crashes(report),
        asked=sections.asked(report),
        idle=idle,
        footprints=prints,
        ownership=sections.ownership(report),
        packed={part.scenario.name: pack(drawn.render(part=part), part) for part in parts},
        styles=_files("style", STYLES, "css"),
        scripts=_files("script", SCRIPTS, "js"),
    )
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


def pack(html: str, section: Section) -> str:
    """A scenario's drawings and what their timelines hold, compressed: they would be nine tenths of the page.

    The script unpacks them when the scenario is opened. All text that judges stays outside, for a search and for those without a script.
    """
    texts: dict[str, int] = {}
    lanes = [each for group in section.timelines for each in group.lanes]
    # Every text once, and a number for it in each item: the same words come again and again.
    series = [[_item(item, each.lanes, texts) for item in each.items] for each in lanes]
    content = json.dumps({"html": html, "texts": list(texts), "series": series}, separators=(",", ":"))
    return base64.b64encode(zlib.compress(content.encode(), 9)).decode()


def _item(item: LaneItem, lanes: Sequence[str], texts: dict[str, int]) -> list[int]:
    """An item for the script: its lane, begin and duration in milliseconds, its text's number, its line in the history."""
    text = item.text if item.code is None else f"{item.text} \N{RIGHTWARDS ARROW} {item.code or 'no answer'}"
    end = 0 if item.end is None else round((item.end - item.t) * 1000)
    return [lanes.index(item.lane), round(item.t * 1000), end, texts.setdefault(text, len(texts)), item.seq]
