"""The report as JUnit XML, for CI systems: a suite for each variant, a case for each scenario.

What is expected passes, with a word in its output. What nobody expected fails; what was not checked is an error, so that
no CI takes it for a pass; what the backend cannot do is skipped.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from twinloop.harness.outcome import INVALID, UNKNOWN, UNSUPPORTED
from twinloop.harness.report.plain import heading
from twinloop.harness.results import Cell, Difference, Report, VariantInfo
from twinloop.harness.standing import unexpected

# What XML 1.0 cannot hold: an operator's log line may.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(report: Report) -> str:
    """The document."""
    root = ET.Element("testsuites", name="twinloop compare")
    for variant in report.variants:
        root.append(_suite(report, variant))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _suite(report: Report, variant: VariantInfo) -> ET.Element:
    suite = ET.Element("testsuite", name=_clean(variant.name))
    for difference in _of(report, "", variant.name):
        suite.append(
            _failed(ET.Element("testcase", classname=_clean(variant.name), name=difference.aspect), difference)
        )
    for cell in report.cells:
        if cell.variant == variant.name:
            suite.append(_case(report, cell))
    suite.set("tests", str(len(suite)))
    for kind, name in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        suite.set(name, str(sum(case.find(kind) is not None for case in suite)))
    return suite


def _of(report: Report, scenario: str, variant: str) -> list[Difference]:
    return [each for each in report.differences if (each.scenario, each.variant) == (scenario, variant)]


def _case(report: Report, cell: Cell) -> ET.Element:
    took = cell.numbers.get("converged")
    case = ET.Element("testcase", classname=_clean(cell.variant), name=cell.scenario, time=f"{took or 0:.3f}")
    here = _of(report, cell.scenario, cell.variant)
    surprises = [each for each in here if unexpected(each)]
    for difference in surprises:
        _failed(case, difference)
    if not surprises and cell.verdict in {UNKNOWN, INVALID}:
        ET.SubElement(case, "error", type=cell.verdict, message=_clean(cell.why)).text = cell.repeat
    elif not surprises and cell.verdict == UNSUPPORTED:
        ET.SubElement(case, "skipped", message=_clean(cell.why))
    said = [f"{heading(each)}: {each.aspect}: {each.seen}" for each in here if not unexpected(each)]
    if said:
        ET.SubElement(case, "system-out").text = _clean("\n".join(said))
    return case


def _failed(case: ET.Element, difference: Difference) -> ET.Element:
    failure = ET.SubElement(case, "failure", type=difference.aspect, message=_clean(difference.seen))
    lines = f" lines {', '.join(map(str, difference.evidence))}" if difference.evidence else ""
    evidence = f"{difference.trial}/history.jsonl{lines}\n" if difference.trial else ""
    failure.text = _clean(f"{heading(difference)}\n{evidence}{difference.repeat}")
    return case


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
