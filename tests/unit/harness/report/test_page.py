"""The page as text: it is one file that needs no other, small, safe against what operators write, complete, and never empty.

Left out: whether a browser likes it (tests/harness/test_report_page.py).
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from support.sample_report import SCENARIOS, VARIANTS, sample_report
from twinloop.harness.report import page, words
from twinloop.harness.report.page import DETAILS, LIMIT, render
from twinloop.harness.results import (
    Cell,
    Difference,
    LaneItem,
    OracleResult,
    Report,
    ScenarioInfo,
    Timeline,
    VariantInfo,
)

VOID = {"meta", "link", "input", "br", "hr", "img", "wbr"}


@pytest.fixture(scope="module")
def full() -> str:
    return render(sample_report())


def unpacked(html: str) -> dict[str, Any]:
    packed = re.findall(r'id="drawings">([^<]*)', html)[0]
    found: dict[str, Any] = json.loads(zlib.decompress(base64.b64decode(packed)))
    return found


class Balance(HTMLParser):
    """Every element is closed by its own end."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.targets: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        self.ids += [said["id"] or ""] if "id" in said else []
        self.targets += [said["href"] or ""] if "href" in said else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.targets += [value or "" for name, value in attrs if name == "href"]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, self.getpos()


def parsed(html: str) -> Balance:
    parser = Balance()
    parser.feed(html)
    assert parser.open == []
    return parser


def test_a_report_of_full_size_is_under_half_a_megabyte(full: str) -> None:
    assert len(SCENARIOS) == 45
    assert 100_000 < len(full.encode()) <= LIMIT < 500_000


def test_it_asks_for_nothing_beside_itself(full: str) -> None:
    assert not re.findall(r"<(?:script|img|iframe|object)[^>]*\bsrc=", full)
    assert not re.findall(r"<link[^>]*href=\"(?!data:)", full)
    assert not re.findall(r"@import|url\((?!\"data:|#)", full)
    assert "default-src 'none'" in full, "and the browser is told to hold it to that"


def test_the_elements_are_balanced_and_every_link_within_the_page_leads_somewhere(full: str) -> None:
    found = parsed(full)
    assert len(set(found.ids)) == len(found.ids)
    inside = {target[1:] for target in found.targets if target.startswith("#")}
    assert inside <= set(found.ids)
    for drawing in unpacked(full)["pages"]:
        parsed(drawing)


def test_the_drawings_are_balanced_and_match_their_items(full: str) -> None:
    packed = unpacked(full)
    assert len(packed["pages"]) == len(SCENARIOS)
    for drawing, series in zip(packed["pages"], packed["series"], strict=True):
        assert drawing.count('class="plot timeline"') == len(series)
        assert all(len({len(column) for column in columns}) == 1 for columns in series)


def test_times_and_lines_come_back_from_their_differences() -> None:
    report = of_one([LaneItem("write", 0.5, "a", 0.502, 201, 7), LaneItem("write", 0.75, "b", seq=9)])
    packed = unpacked(render(report))
    lanes, begins, lengths, texts, lines = packed["series"][0][0]
    assert (lanes, begins, lengths, lines) == ([0, 0], [500, 250], [2, 0], [7, 2])
    assert [packed["texts"][number] for number in texts] == ["a → 201", "b"]


def of_one(items: list[LaneItem], **given: Any) -> Report:
    return Report(**{
        "meta": {"version": "1"}, "variants": [VariantInfo("kopf", "kopf run")],
        "scenarios": [ScenarioInfo("create", "calm", "d", "e")],
        "timelines": [Timeline("create", "", "kopf", "trials/create/kopf.0", 2.0, items)], **given,
    })  # fmt: skip


def test_a_request_that_was_never_answered_says_so() -> None:
    packed = unpacked(render(of_one([LaneItem("write", 1, "create pods web-0", code=0)])))
    assert packed["texts"] == ["create pods web-0 → no answer"]


def test_what_an_operator_wrote_is_text_and_never_markup() -> None:
    evil = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"
    report = of_one(
        [LaneItem("write", 1, evil)],
        sentence=evil,
        variants=[VariantInfo(evil, evil, evil, evil, {evil: evil})],
        cells=[
            Cell("create", evil, "violated", [OracleResult("O1", "violated", evil, evil, [1])], why=evil, repeat=evil)
        ],
        differences=[Difference("create", evil, evil, evil, evil, False, evil, {evil: evil}, evil, [1], evil)],
        threats=[evil],
    )
    html = render(report)
    assert "<img" not in html
    assert "alert(1)</script>" not in html
    assert "<img" not in unpacked(html)["pages"][0]
    parsed(html)


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_has_a_row_and_a_section(full: str, name: str) -> None:
    anchor = words.slug("s", name)
    assert f'<a href="#{anchor}">{name}</a></th>' in full
    assert f'<details class="scenario" id="{anchor}"' in full


def test_everything_that_the_report_holds_is_on_the_page(full: str) -> None:
    report = sample_report()
    drawings = " ".join(unpacked(full)["pages"])
    for section in (
        "differences",
        "matrix",
        "latencies",
        "retries",
        "crashes",
        "api",
        "footprint",
        "ownership",
        "scenarios",
        "reading",
    ):
        assert f'<section id="{section}">' in full
    for each in report.differences:
        assert (each.reason or each.seen) in full
    for threat in report.threats:
        assert threat in full
    for lane in words.LANES.values():
        assert f"<li>{lane}</li>" in drawings
    assert all(cell.why in full for cell in report.cells)
    assert all(cell.repeat in full for cell in report.cells)


def test_a_verdict_is_never_a_colour_alone(full: str) -> None:
    said = re.findall(r'<(?:span|a) class="(?:word|badge) [\w ]+"[^>]*><i class="icon i-\w+"></i>([^<]*)', full)
    assert len(said) > 2 * len(SCENARIOS) * len(VARIANTS)
    assert all(text.strip() for text in said)


def test_a_scenario_with_something_unexpected_is_open(full: str) -> None:
    opened = re.findall(r'<details class="scenario" id="s-([\w-]+)" open>', full)
    assert opened == ["gone-relist", "stale-list"]


def test_less_of_each_timeline_is_drawn_when_there_are_more_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    report = sample_report(SCENARIOS[:2], items=300)
    assert "not drawn" not in render(report)
    plenty = len(render(report))
    monkeypatch.setattr(page, "LIMIT", plenty - 1000)
    little = render(report)
    assert len(little.encode()) < plenty
    assert "items drawn, the history has all" in unpacked(little)["pages"][0]


def test_the_least_detail_is_taken_when_nothing_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "LIMIT", 0)
    assert render(sample_report(SCENARIOS[:1]))
    assert [each.items for each in DETAILS] == sorted((each.items for each in DETAILS), reverse=True)


def test_an_empty_report_is_still_a_page() -> None:
    html = render(Report(meta={}))
    parsed(html)
    assert "Nothing was compared." in html
    assert '<section id="matrix">' not in html


def test_a_report_that_was_cut_off_is_still_a_page() -> None:
    report = sample_report(SCENARIOS[:5], items=5)
    report.cells = report.cells[:4]
    report.timelines, report.footprints, report.latencies, report.ratios = report.timelines[:1], [], [], []
    html = render(report)
    parsed(html)
    assert "not run" in html


def test_words_that_the_page_does_not_know_are_shown_as_they_are() -> None:
    report = of_one([], cells=[Cell("create", "kopf", "puzzled", [OracleResult("O99", "puzzled", "?")])])
    report.meta["colour_of_the_moon"] = ["white", "red"]
    html = render(report)
    assert "puzzled" in html
    assert "colour of the moon" in html
    assert "white, red" in html


def test_the_same_report_gives_the_same_page(full: str) -> None:
    assert render(sample_report()) == full


def test_the_files_that_are_put_into_the_page_are_in_the_package() -> None:
    home = resources.files("twinloop.harness.report")
    assert {each.name for each in (home / "style").iterdir()} == {f"{name}.css" for name in page.STYLES}
    assert {each.name for each in (home / "script").iterdir()} == {f"{name}.js" for name in page.SCRIPTS}


# --- docs/reading-the-report.md ---------------------------------------------------------------------------------------

GUIDE = (Path(__file__).resolve().parents[4] / "docs/reading-the-report.md").read_text()


def test_the_guide_explains_every_section(full: str) -> None:
    titles = re.findall(r'<a href="#[a-z]+">([A-Z][^<]*)</a></li>', full)
    headings = re.findall(r"^## (.*)$", GUIDE, re.MULTILINE)
    assert titles[-1] == "How to read this", "which is that very guide"
    assert [each for each in headings if each in titles] == titles[:-1], "in the order of the page"


@pytest.mark.parametrize("kind", ["VERDICTS", "OUTCOMES", "CALLS", "EXITS"])
def test_the_guide_explains_every_word(kind: str) -> None:
    said = {each.text for each in getattr(words, kind).values()} - {"same"}
    assert not {text for text in said if text not in GUIDE}


def test_the_guide_explains_every_lane() -> None:
    assert not [text for text in words.LANES.values() if f"| {text} |" not in GUIDE]
