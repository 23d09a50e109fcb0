"""What differed, as cards: the same difference seen in several scenarios is one card that lists them.

What nobody expected comes first, then what was expected and was not there, then what was known before, then what is
outside the contract of the API and has no consequence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from twinloop.harness.report import words
from twinloop.harness.results import Difference

ORDER = ("unexpected", "gone", "expected", "uncounted")


@dataclass(frozen=True)
class Card:
    """Differences of one kind; the first one speaks for all."""

    outcome: str
    differences: tuple[Difference, ...]

    @property
    def first(self) -> Difference:
        """The one that is shown in full."""
        return self.differences[0]

    @property
    def scenarios(self) -> list[str]:
        """Where it was seen, each once."""
        return list(dict.fromkeys(each.scenario for each in self.differences if each.scenario))

    @property
    def title(self) -> str:
        """What it is about."""
        return words.aspect(self.first.aspect)

    @property
    def anchor(self) -> str:
        """Where in the page it is."""
        return words.slug(
            "d", self.outcome, self.first.variant, self.first.known or self.first.aspect, self.first.scenario
        )


def cards(differences: Sequence[Difference]) -> list[Card]:
    """All differences; known ones by their entry, others by variant, aspect and what was seen."""
    groups: dict[tuple[str, ...], list[Difference]] = {}
    for each in differences:
        groups.setdefault(_kind(each), []).append(each)
    found = [Card(words.outcome(group[0]), tuple(group)) for group in groups.values()]
    return sorted(found, key=lambda card: ORDER.index(card.outcome))


def _kind(difference: Difference) -> tuple[str, ...]:
    outcome = words.outcome(difference)
    if difference.known:
        return (outcome, difference.known, difference.variant)
    return (outcome, difference.aspect, difference.variant, difference.seen)
