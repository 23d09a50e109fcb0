"""How long it took, all samples: for each time, which share of the samples was done by then; the raw points below.

A share and no histogram, since it hides nothing: no bins, and samples that never ended keep the curve from its top.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from markupsafe import Markup

from twinloop.harness.report.charts.axis import NAMES, grid, levels, names, steps
from twinloop.harness.report.charts.dumbbell import describe
from twinloop.harness.report.formats import duration
from twinloop.harness.report.look import Looks
from twinloop.harness.report.scales import Linear, Scale, around
from twinloop.harness.report.svg import across, joined, path, stretched, surface, tag
from twinloop.harness.results import Latency

HEIGHT = 120
STRIP = 12
GAP = 8
SHARES = Linear(0, 1)


def ecdf(latencies: Sequence[Latency], looks: Looks) -> Markup:
    """One measure of one scenario, all variants; nothing when no sample ever ended."""
    scale = around([value for each in latencies for value in times(each) + times(each, warm_up=True)])
    bottom = HEIGHT + GAP + STRIP * len(latencies)
    if not any(map(times, latencies)):
        return Markup()
    return surface(
        grid(scale, bottom),
        stretched(levels(Linear(0, 1), HEIGHT), *(_curve(each, scale, looks) for each in latencies), height=HEIGHT),
        *(_share(share) for share in (0.5, 1.0)),
        stretched(*(_strip(each, n, scale, looks) for n, each in enumerate(latencies)), height=bottom),
        names(scale, bottom + 13, duration),
        height=bottom + NAMES, label="; ".join(map(describe, latencies)), tabindex=0, class_="plot ecdf",
        data_axis=scale.spec(), data_samples=_data(latencies),
    )  # fmt: skip


def times(latency: Latency, *, warm_up: bool = False) -> list[float]:
    """The samples that ended, in order."""
    taken = (each["seconds"] for each in latency.samples if bool(each.get("warm_up")) == warm_up)
    return sorted(each for each in taken if each is not None)


def counted(latency: Latency) -> int:
    """How many samples count, those without an end among them."""
    return sum(not each.get("warm_up") for each in latency.samples)


def _curve(latency: Latency, scale: Scale, looks: Looks) -> Markup:
    done, all_of_them = times(latency), counted(latency)
    rises = [(scale(value), rank / all_of_them) for rank, value in enumerate(done, 1)]
    places = [(0.0, 0.0), *rises, (1.0, len(done) / all_of_them)] if rises else []
    return path(steps(places, HEIGHT), class_=f"line {looks.style(latency.variant)}")


def _strip(latency: Latency, lane: int, scale: Scale, looks: Looks) -> Markup:
    y = HEIGHT + GAP + STRIP * (lane + 0.5)
    style = looks.style(latency.variant)
    return joined(
        [
            path(_ticks(times(latency), y, scale), class_=f"raw {style}"),
            path(_ticks(times(latency, warm_up=True), y, scale), class_=f"raw warm {style}"),
        ]
    )


def _ticks(values: Sequence[float], y: float, scale: Scale) -> str:
    places = sorted({across(scale(value)) for value in values})
    return "".join(f"M{place} {y - 4:g}v8" for place in places)


def _share(share: float) -> Markup:
    y = HEIGHT * (1 - share) + (11 if share == 1 else -3)
    return tag("text", f"{share * 100:.0f} %", x="0", y=y, class_="tick left")


def _data(latencies: Sequence[Latency]) -> str:
    """For the script: what each variant's curve is at the pointer."""
    series = [
        {"name": each.variant, "n": counted(each), "done": [round(value, 4) for value in times(each)]}
        for each in latencies
    ]
    return json.dumps(series, separators=(",", ":"))
