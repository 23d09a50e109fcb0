"""The report's words: what a verdict, an oracle or a lane is called, and which icon goes with it.

No colour stands alone: whatever is coloured has an icon and a word from here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from twinloop.harness.results import Difference


@dataclass(frozen=True)
class Word:
    """`icon` is the shape's name in style/icons.css, `style` the class that colours it."""

    text: str
    icon: str
    style: str


# Of a cell, an oracle, a crash point.
VERDICTS = {
    "ok": Word("ok", "ok", "good"),
    "violated": Word("violated", "bad", "bad"),
    "unknown": Word("unknown", "unknown", "unsure"),
    "invalid": Word("invalid", "warn", "unsure"),
    "unsupported": Word("unsupported", "none", "quiet"),
    "": Word("not run", "none", "quiet"),
}

# Of a difference (`outcome`), and of a scenario (`twinloop.harness.standing`).
OUTCOMES = {
    "unexpected": Word("unexpected", "bad", "bad"),
    "gone": Word("no longer true", "warn", "unsure"),
    "expected": Word("expected", "known", "known"),
    "uncounted": Word("not counted", "none", "quiet"),
    "unknown": Word("unknown", "unknown", "unsure"),
    "unsupported": Word("unsupported", "none", "quiet"),
    "same": Word("same", "ok", "good"),
}

# Of a comparison of two latencies.
CALLS = {
    "slower": Word("slower", "slower", "plain"),
    "faster": Word("faster", "faster", "plain"),
    "none": Word("no difference detectable", "none", "quiet"),
    "unknown": Word("too few samples", "unknown", "unsure"),
}

EXITS = {
    0: Word("nothing unexpected", "ok", "good"),
    1: Word("unexpected differences", "bad", "bad"),
    2: Word("incomplete", "unknown", "unsure"),
}

ORACLES = {
    "O1": "ends as expected",
    "O2": "no orphans",
    "O3": "no surplus pods",
    "O4": "touches only its own",
    "O5": "observedGeneration is honest",
    "O6": "comes to rest",
    "O7": "retries with back-off",
    "O8": "loses nobody's update",
    "O9": "no needless writes",
    "O10": "status tells the truth",
    "O11": "deletes safely",
    "O12": "same end as the others",
    "O13": "healthy process",
    "O14": "deletion comes to an end",
    "O15": "not deaf afterwards",
    "O16": "the way does not matter",
    "O17": "all plans end alike",
}

# From top to bottom. A lane that is empty in every variant beside it is not drawn.
LANES = {
    "user": "user",
    "fault": "faults",
    "process": "process",
    "write": "writes",
    "reconcile": "reconciles",
    "read": "reads",
    "event": "watch events",
}

CRASHES = {"before": "before the write", "committed": "after commit", "answered": "after the answer"}


# The numbers of a cell; the first ones come first. Others keep their name.
NUMBERS = {
    "converged": "time to the expected end",
    "writes": "writes",
    "requests": "requests",
    "bytes": "bytes received",
    "restarts": "restarts",
    "cpu": "CPU time",
    "rss": "memory, at most",
    "threads": "threads, at most",
    "trials": "trials",
}


def verdict(name: str) -> Word:
    """The word for a verdict; one that is not known here is shown as it is."""
    return VERDICTS.get(name, Word(name, "unknown", "unsure"))


def outcome(difference: Difference) -> str:
    """What kind of difference it is."""
    if not difference.gates:
        return "uncounted"
    return "gone" if difference.gone else "expected" if difference.known else "unexpected"


def aspect(name: str) -> str:
    """An aspect of a difference in words: an oracle with its meaning, a latency with what was measured."""
    if name in ORACLES:
        return f"{name} {ORACLES[name]}"
    kind, _, measure = name.partition(":")
    return f"{kind}: {measure}" if measure else kind


def slug(*parts: str) -> str:
    """An anchor of these parts."""
    return "-".join(re.sub(r"[^a-z0-9]+", "-", part.lower()).strip("-") for part in parts if part)
