"""Which observations are differences, which of them were expected, and which expected ones were not there.

Pure; the heart of a comparison. `assemble.py` hands in what `observed.py` saw, and puts the result into the report;
`standing.py` draws the exit code from it.

A difference is: an oracle violated by any variant; a count beyond its tolerance beside the base; a latency called slower
or faster; a smoke check that failed. Where an oracle is violated by the base and not by another, that is the base's
difference and told once. "Unknown" beside "ok" is no difference but a gap, and counts as one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from twinloop.harness.frame import Frame
from twinloop.harness.known import OPPOSITE, VIOLATED, Known
from twinloop.harness.observed import UNDECIDED, Observation
from twinloop.harness.results import Difference

_DIFFERENT = {VIOLATED, *OPPOSITE}
# So many plans are named beside the first.
NAMED = 6


def differences(frame: Frame, observations: Sequence[Observation]) -> list[Difference]:
    """All of them: unexpected ones first, then what stopped being true, then the expected ones."""
    seen = _in_one([(each, _difference(frame, each)) for each in observations if each.word in _DIFFERENT])
    found = [*_smoke(frame), *seen, *_gone(frame, observations)]
    return sorted(found, key=lambda each: (bool(each.known) and not each.gone, each.gone, not each.gates))


def _in_one(seen: Sequence[tuple[Observation, Difference]]) -> list[Difference]:
    """What was seen of one thing in several plans is one difference; what only some plans expect, is two."""
    found: dict[tuple[str, str, str, str], list[tuple[Difference, str]]] = defaultdict(list)
    for observation, difference in seen:
        place = (difference.scenario, difference.variant, difference.aspect, difference.known)
        found[place].append((difference, observation.plan))
    return [replace(each[0][0], seen=each[0][0].seen + _also([plan for _, plan in each])) for each in found.values()]


def _also(plans: Sequence[str]) -> str:
    """Where else it was seen, after the sentence about the first; a crash has hundreds of plans."""
    others = plans[1:]
    if not others:
        return ""
    more = f" and {len(others) - NAMED} more" if len(others) > NAMED else ""
    return f" (plan {plans[0]}; also in {', '.join(others[:NAMED])}{more})"


def _difference(frame: Frame, seen: Observation) -> Difference:
    entry = frame.known.expecting(seen.scenario, seen.variant, seen.aspect, frame.base, seen.word, seen.plan)
    variants = [frame.base, seen.variant] if seen.relative else [seen.variant]
    return Difference(
        seen.scenario, seen.variant, seen.aspect,
        seen=seen.text if seen.word == VIOLATED else f"{seen.word}: {seen.text}",
        known=entry.id if entry else "",
        reason=entry.reason if entry else "",
        links=entry.links if entry else {},
        trial=seen.trial,
        evidence=list(seen.evidence),
        repeat=frame.repeat(seen.scenario, variants, seen.plan),
        gates=seen.gates,
    )  # fmt: skip


def _smoke(frame: Frame) -> Iterator[Difference]:
    for variant in frame.variants:
        if variant.smoke != "ok":
            yield Difference(
                "", variant.name, "smoke",
                seen=f"it cannot do the simplest thing: {variant.smoke}",
                repeat=frame.repeat("create", [variant.name]),
            )  # fmt: skip


def _gone(frame: Frame, observations: Sequence[Observation]) -> Iterator[Difference]:
    """The entries whose places were looked at and showed nothing of the kind, in none of them."""
    for entry in frame.known.entries:
        places = [each for each in observations if _is_about(frame, entry, each)]
        if places and not entry.sometimes and not any(_leaves_open(frame, entry, each) for each in places):
            yield _stopped(frame, entry, places)


def _leaves_open(frame: Frame, entry: Known, seen: Observation) -> bool:
    """Whether the difference was there, or may have been."""
    place = (seen.scenario, seen.variant, seen.aspect, frame.base)
    return seen.word == UNDECIDED or entry.expects(*place, seen.word, seen.plan)


def _is_about(frame: Frame, entry: Known, seen: Observation) -> bool:
    return entry.about(seen.scenario, seen.variant, seen.aspect, frame.base, seen.plan)


def _stopped(frame: Frame, entry: Known, places: Sequence[Observation]) -> Difference:
    first = places[0]
    where = f" in {len(places)} places" if len(places) > 1 else ""
    return Difference(
        first.scenario, first.variant, entry.aspect,
        seen=f"stopped being true: {entry.expected} was expected and not seen{where}"
        + (f" ({first.word}: {first.text})" if first.text else ""),
        known=entry.id,
        gone=True,
        reason=entry.reason,
        links=entry.links,
        trial=first.trial,
        repeat=frame.repeat(entry.scenario, list(dict.fromkeys([frame.base, first.variant]))),
        gates=any(each.gates for each in places),
    )  # fmt: skip
