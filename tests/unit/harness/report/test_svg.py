"""Elements as text: escaping above all, for names and messages come from operators that may write anything."""

from __future__ import annotations

import pytest

from twinloop.harness.report.look import LOOKS, Looks
from twinloop.harness.report.svg import across, joined, number, path, percent, stretched, surface, tag


def test_text_and_attributes_are_escaped() -> None:
    drawn = tag("text", "<script>&", data_tip='"><img>')
    assert "<script>" not in drawn
    assert "<img>" not in drawn
    assert drawn == '<text data-tip="&#34;&gt;&lt;img&gt;">&lt;script&gt;&amp;</text>'


def test_elements_within_elements_are_not_escaped_again() -> None:
    assert tag("g", tag("rect", x=1)) == '<g><rect x="1"/></g>'
    assert joined([tag("a"), tag("b")]) == "<a/><b/>"


def test_names_of_attributes() -> None:
    assert tag("use", class_="mark", stroke_width=2, viewBox="0 0 1 1", left_out=None) == (
        '<use class="mark" stroke-width="2" viewBox="0 0 1 1"/>'
    )


@pytest.mark.parametrize(("value", "said"), [(1.0, "1"), (0.5, "0.5"), (1 / 3, "0.33"), (12.0, "12"), (0.001, "0")])
def test_numbers_are_short(value: float, said: str) -> None:
    assert number(value) == said


def test_places() -> None:
    assert percent(1 / 3) == "33.33%"
    assert across(0.5) == 500


def test_a_surface_is_as_wide_as_its_column_and_says_what_it_shows() -> None:
    drawn = surface(tag("g"), height=20, label="two bars")
    assert 'width="100%"' in drawn
    assert 'role="img" aria-label="two bars"' in drawn
    assert "viewBox" not in drawn


def test_paths_are_stretched_and_nothing_stays_nothing() -> None:
    assert 'preserveAspectRatio="none"' in stretched(path("M0 0h9"), height=10)
    assert stretched(path(""), height=10) == ""


def test_each_variant_looks_different() -> None:
    looks = Looks([f"operator-{n}" for n in range(LOOKS)])
    assert len({looks.style(name) for name in looks.variants}) == LOOKS
    assert len({looks.mark(name, 0.5, 1) for name in looks.variants}) == LOOKS


def test_a_side_of_an_a_a_run_looks_like_its_variant_and_is_not_taken_for_it() -> None:
    looks = Looks(["kopf", "kopf-level"])
    assert looks.style("kopf-level again") == f"{looks.style('kopf-level')} again"
    assert looks.style("kopf again") == f"{looks.style('kopf')} again"
    assert looks.style("somebody") == "v0 again"
