"""The colours: enough contrast in both themes, and told apart by people who see two of three primary colours.

Colour blindness is simulated with the matrices of Machado, Oliveira and Fernandes (2009) for a missing cone; differences are
distances in CIE Lab. Three variants must be far apart by colour alone, though each has a mark and a dash of its own as well.
"""

from __future__ import annotations

import itertools
import re
from importlib import resources

import pytest

CSS = (resources.files("twinloop.harness.report") / "style" / "colours.css").read_text()
THEMES = dict(
    zip(("light", "dark by system", "dark by choice"), re.findall(r"\{([^{}]*--paper[^{}]*)\}", CSS), strict=True)
)
BLINDNESS = {
    "none": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}  # fmt: skip
Triple = tuple[float, float, float]


def colours(theme: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#\w{6})", THEMES[theme]))


def linear(colour: str) -> Triple:
    def channel(value: int) -> float:
        part = value / 255
        return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)

    red, green, blue = (channel(int(colour[n : n + 2], 16)) for n in (1, 3, 5))
    return red, green, blue


def times(matrix: tuple[Triple, ...], vector: Triple) -> Triple:
    x, y, z = (sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)
    return x, y, z


def contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        red, green, blue = linear(colour)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def lab(rgb: Triple) -> Triple:
    xyz = times(((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505)), rgb)

    def f(value: float) -> float:
        return float(value ** (1 / 3)) if value > 0.008856 else 7.787 * value + 16 / 116

    x, y, z = (f(max(value, 0) / white) for value, white in zip(xyz, (0.9505, 1, 1.089), strict=True))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def distance(one: str, other: str, blindness: str) -> float:
    seen = [lab(times(BLINDNESS[blindness], linear(each))) for each in (one, other)]
    return float(sum((a - b) ** 2 for a, b in zip(*seen, strict=True)) ** 0.5)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("ground", ["paper", "raised", "sunken"])
@pytest.mark.parametrize("text", ["ink", "soft", "link", "good", "bad", "unsure", "known", "quiet"])
def test_text_can_be_read(theme: str, ground: str, text: str) -> None:
    assert contrast(colours(theme)[text], colours(theme)[ground]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("tone", ["good", "bad", "unsure", "known"])
def test_badges_can_be_read(theme: str, tone: str) -> None:
    assert contrast(colours(theme)[tone], colours(theme)[f"{tone}-wash"]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("mark", [f"v{n}" for n in range(6)])
@pytest.mark.parametrize("ground", ["paper", "sunken"])
def test_marks_stand_out(theme: str, mark: str, ground: str) -> None:
    assert contrast(colours(theme)[mark], colours(theme)[ground]) >= 3


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("blindness", BLINDNESS)
def test_three_variants_are_told_apart_by_colour_alone(theme: str, blindness: str) -> None:
    for one, other in itertools.combinations(("v0", "v1", "v2"), 2):
        assert distance(colours(theme)[one], colours(theme)[other], blindness) >= 25, (one, other)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("blindness", BLINDNESS)
def test_six_variants_are_still_different(theme: str, blindness: str) -> None:
    for one, other in itertools.combinations([f"v{n}" for n in range(6)], 2):
        assert distance(colours(theme)[one], colours(theme)[other], blindness) >= 15, (one, other)


def test_both_dark_themes_are_one() -> None:
    assert colours("dark by system") == colours("dark by choice")


def test_every_theme_names_every_colour() -> None:
    assert colours("light").keys() == colours("dark by system").keys()


def test_no_other_style_has_a_colour_of_its_own() -> None:
    styles = resources.files("twinloop.harness.report") / "style"
    for each in styles.iterdir():
        if each.name not in {"colours.css", "print.css", "icons.css"}:
            assert not re.findall(r"#[0-9a-f]{3,6}\b(?!hatch)", each.read_text()), each.name
