"""known_differences.toml: the differences that are expected, each with its reason and where to read about it.

The file is the claim, a run is the test of it. `differences.py` asks which entry expects a difference, and then which
entries expected one that was not there. Reading is strict: a slip in the file would make a finding look expected.

    [[difference]]
    id = "kopf-writes-its-memory"
    scenario = "create*"          # a glob
    plan = "watch-*"              # optional: a glob; "*" when it is not there
    variant = "kopf"              # a glob
    aspect = "writes"             # an oracle's id, writes, requests, restarts, latency:MEASURE; a glob (no * in oracles)
    expected = "more"             # violated; more or fewer; slower or faster
    reason = "One sentence."
    docs = "docs/findings.md#kopf-writes-its-memory"
    code = { kopf = "operator/nginxpod.py", handwritten = "handwritten/controller.py" }
    base = "handwritten"          # optional: beside whom it is more, fewer, slower or faster
    sometimes = true              # optional: a race decides; when it is not seen, nothing follows
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from twinloop.errors import ConfigurationError

FILE = Path(__file__).with_name("known_differences.toml")

VIOLATED = "violated"
OPPOSITE = {"more": "fewer", "fewer": "more", "slower": "faster", "faster": "slower"}
COUNTS = ("writes", "requests", "restarts")
# Beside whom a count or a latency is meant when an entry does not say.
USUAL_BASE = "handwritten"


class BadEntryError(ConfigurationError):
    """known_differences.toml says something that cannot be meant."""

    hint = "The head of twinloop/harness/known.py shows an entry."


@dataclass(frozen=True)
class Known:
    """One entry."""

    id: str
    scenario: str
    variant: str
    aspect: str
    expected: str
    reason: str
    docs: str
    code: Mapping[str, str]
    plan: str = "*"
    base: str = USUAL_BASE
    sometimes: bool = False

    @property
    def relative(self) -> bool:
        """Whether it compares two variants; a violated oracle stands by itself."""
        return self.expected in OPPOSITE

    @property
    def links(self) -> dict[str, str]:
        """Where to read about it."""
        return {"docs": self.docs, **self.code}

    def about(self, scenario: str, variant: str, aspect: str, base: str, plan: str = "") -> bool:
        """Whether it speaks of this place, in a run whose others are held against `base`."""
        sides = self._sides(variant, base) or self._sides_swapped(variant, base)
        return self._place(scenario, aspect, plan) and sides

    def expects(self, scenario: str, variant: str, aspect: str, base: str, seen: str, plan: str = "") -> bool:
        """Whether it expects what was seen. Of two sides that changed places the opposite is expected."""
        if not self._place(scenario, aspect, plan):
            return False
        return (seen == self.expected and self._sides(variant, base)) or (
            seen == OPPOSITE.get(self.expected) and self._sides_swapped(variant, base)
        )

    def _place(self, scenario: str, aspect: str, plan: str) -> bool:
        pairs = ((scenario, self.scenario), (aspect, self.aspect), (plan, self.plan))
        return all(fnmatchcase(name, pattern) for name, pattern in pairs)

    def _sides(self, variant: str, base: str) -> bool:
        return fnmatchcase(variant, self.variant) and (not self.relative or base == self.base)

    def _sides_swapped(self, variant: str, base: str) -> bool:
        return self.relative and variant == self.base and fnmatchcase(base, self.variant)


# Word of an aspect -> what may be expected of it.
def _expectable(aspect: str) -> tuple[str, ...]:
    if aspect.startswith("latency:"):
        return ("slower", "faster")
    return ("more", "fewer") if aspect in COUNTS else (VIOLATED,)


@dataclass
class KnownDifferences:
    """All entries, in the order of the file."""

    entries: list[Known] = field(default_factory=list)

    def expecting(self, scenario: str, variant: str, aspect: str, base: str, seen: str, plan: str = "") -> Known | None:
        """The first entry that expects this."""
        place = (scenario, variant, aspect, base, seen, plan)
        return next((each for each in self.entries if each.expects(*place)), None)


def load(path: Path = FILE, scenarios: Iterable[str] | None = None) -> KnownDifferences:
    """Read the file. With `scenarios`, each entry must speak of one of them. Raises BadEntryError."""
    try:
        values = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadEntryError(f"{path} cannot be read: {' '.join(str(error).split())}") from None
    names = None if scenarios is None else list(scenarios)
    unknown = sorted(set(values) - {"difference"})
    listed = values.get("difference", [])
    if unknown or not isinstance(listed, list):
        raise BadEntryError(f"{path.name}: only [[difference]] entries belong here, not {unknown or [listed]}")
    entries = [_entry(f"{path.name}, entry {number}", each, names) for number, each in enumerate(listed, 1)]
    twice = [name for name, times in Counter(each.id for each in entries).items() if times > 1]
    if twice:
        raise BadEntryError(f"{path.name}: the id {twice[0]!r} is there twice")
    return KnownDifferences(entries)


_TEXTS = ("id", "scenario", "variant", "aspect", "expected", "reason", "docs")
_ALL = tuple(each.name for each in fields(Known))


def _entry(where: str, values: Any, scenarios: Sequence[str] | None) -> Known:
    if not isinstance(values, dict):
        raise BadEntryError(f"{where} is no table")
    where = f"{where} ({values.get('id', 'without an id')})"
    _check_shape(where, values)
    _check_sense(where, values, scenarios)
    return Known(**values)


def _check_shape(where: str, values: Mapping[str, Any]) -> None:
    for name in values:
        if name not in _ALL:
            raise BadEntryError(f"{where}: there is no field {name!r}; the fields are {', '.join(_ALL)}")
    for name in _TEXTS:
        if name not in values:
            raise BadEntryError(f"{where} lacks {name}")
    for name in (*_TEXTS, "plan", "base"):
        if not isinstance(values.get(name, "x"), str) or not values.get(name, "x").strip():
            raise BadEntryError(f"{where}: {name} must be a text that is not empty")
    if not isinstance(values.get("sometimes", False), bool):
        raise BadEntryError(f"{where}: sometimes is true or false")
    _check_code(where, values.get("code"))


def _check_code(where: str, code: Any) -> None:
    good = isinstance(code, dict) and code and all(isinstance(each, str) and each.strip() for each in code.values())
    if not good:
        raise BadEntryError(f"{where}: code must be a table with a link for each code base that has a part in it")


def _check_sense(where: str, values: Mapping[str, Any], scenarios: Sequence[str] | None) -> None:
    expectable = _expectable(values["aspect"])
    if values["expected"] not in expectable:
        raise BadEntryError(
            f"{where}: of {values['aspect']!r} one expects {' or '.join(expectable)}, not {values['expected']!r}"
        )
    if values["expected"] == VIOLATED and "*" in values["aspect"]:
        raise BadEntryError(
            f"{where}: {values['aspect']!r} is O10 to O17 as well; name the oracles, as in O1 or O1[03]"
        )
    if values["expected"] == VIOLATED and "base" in values:
        raise BadEntryError(f"{where}: a violated oracle stands by itself and has no base")
    if scenarios is not None and not any(fnmatchcase(each, values["scenario"]) for each in scenarios):
        raise BadEntryError(f"{where}: no scenario matches {values['scenario']!r}")
