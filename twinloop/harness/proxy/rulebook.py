"""The rules of a trial at work: which of them a request or a line has met, and which it obeys.

`exchange.py` asks once for each request, `stream.py` once for each line, always on the proxy's loop and without a pause
between reading and asking: the order of the ordinals is the order of the history. What the acts do is `acts.py` and
`stream.py`. Pure counting.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from twinloop.harness.faults import ON_EVENTS, Act, Armed, BadRuleError, Rule
from twinloop.harness.proxy.lines import LineInfo
from twinloop.harness.proxy.request_info import RequestInfo

# What happens to a request before it is forwarded, any number of them. All else decides what becomes of it.
ON_THE_WAY = frozenset({Act.SIGNAL, Act.DELAY, Act.TOUCH})

# The parameters of each act; those with * must be there. A misspelt one would be a weaker fault than was meant.
_PARAMETERS: dict[Act, str] = {
    Act.ANSWER: "*code reason message retry_after raw committed",
    Act.ABORT: "how committed",
    Act.CRASH: "when",
    Act.SIGNAL: "*signal",
    Act.DELAY: "*seconds",
    Act.HANG: "committed",
    Act.ERROR: "*code reason message",
    Act.CUT: "how",
    Act.CORRUPT: "text",
    Act.UNKNOWN: "type",
    Act.HOLD: "*seconds",
}

_CHOICES: dict[Act, tuple[str, tuple[str, ...]]] = {
    Act.ABORT: ("how", ("clean", "reset")),
    Act.CRASH: ("when", ("before", "committed", "answered")),
    Act.CUT: ("how", ("clean", "reset", "line")),
}


@dataclass(frozen=True)
class Obeyed:
    """What a request has to go through: on the way, then one decision, and if it is a watch, what its stream does."""

    on_the_way: tuple[Armed, ...] = ()
    decision: Armed | None = None
    stream: tuple[Armed, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.all())

    def all(self) -> list[Armed]:
        """All rules that are obeyed."""
        return [*self.on_the_way, *([self.decision] if self.decision else []), *self.stream]


class RuleBook:
    """All rules of a trial. Used on one thread."""

    def __init__(self) -> None:
        self._all: dict[str, Armed] = {}
        self._off: set[str] = set()
        self._story = False

    # ------------------------------------------------------------------ what the scenario does

    def arm(self, *rules: Rule) -> None:
        """Add rules, all or none. Raises BadRuleError for one that cannot be obeyed or an id that was used before."""
        known = set(self._all)
        for rule in rules:
            if rule.id in known:
                raise BadRuleError(f"rule {rule.id}: there was one of that name already")
            known.add(rule.id)
            _check(rule)
        self._all.update((rule.id, Armed(rule)) for rule in rules)

    def disarm(self, *ids: str) -> list[str]:
        """Take rules away, all when none is named; those that were at work until now. BadRuleError for an unknown id."""
        for each in ids:
            if each not in self._all:
                raise BadRuleError(f"rule {each} was never armed")
        ended = [each for each in ids or self._all if each not in self._off]
        self._off.update(ended)
        return ended

    def begin_story(self) -> None:
        """From here on rules with since="story" count."""
        self._story = True

    def all(self) -> list[Armed]:
        """Every rule that was ever armed, in that order."""
        return list(self._all.values())

    def unfired(self) -> list[str]:
        """The rules that never hit anything, disarmed or not."""
        return [each.rule.id for each in self._all.values() if not each.fired]

    # ------------------------------------------------------------------ what the proxy asks

    def request(self, info: RequestInfo, replica: str) -> Obeyed:
        """Count a request; what it has to go through."""
        acting = self._count(lambda rule: not rule.match.event and _about(rule, info, replica))
        if not acting:
            return Obeyed()
        stream = [each for each in acting if each.rule.act in ON_EVENTS]
        on_the_way = [each for each in acting if each.rule.act in ON_THE_WAY]
        decisions = [each for each in acting if each not in stream and each not in on_the_way]
        # The first rule decides. What it keeps from acting has not hit anything, and the trial must not look as if.
        spared = decisions[1:] + (stream if decisions else [])
        not_fired(spared)
        return Obeyed(tuple(on_the_way), decisions[0] if decisions else None, () if decisions else tuple(stream))

    @property
    def reads_lines(self) -> bool:
        """Whether any rule waits for lines: if not, none need be read before it is sent."""
        return any(each.rule.match.event and not each.spent for each in self._working())

    def line(self, info: RequestInfo, replica: str, line: LineInfo) -> list[Armed]:
        """Count a line of the stream that a request has begun; HOLDs that it starts, and at most one rule that decides."""
        acting = self._count(
            lambda rule: (
                bool(rule.match.event)
                and rule.match.line(event=line.type, name=line.name)
                and _about(rule, info, replica)
            )
        )
        decisions = [each for each in acting if each.rule.act is not Act.HOLD]
        not_fired(decisions[1:])
        return [each for each in acting if each.rule.act is Act.HOLD] + decisions[:1]

    def _count(self, meant: Callable[[Rule], bool]) -> list[Armed]:
        return [each for each in self._working() if meant(each.rule) and each.count()]

    def _working(self) -> list[Armed]:
        return [
            each
            for name, each in self._all.items()
            if name not in self._off and (self._story or each.rule.since == "start") and self._may(each.rule)
        ]

    def _may(self, rule: Rule) -> bool:
        """Whether the rule that has to come before has fired."""
        before = self._all.get(rule.after)
        return not rule.after or (before is not None and before.fired > 0)


def _about(rule: Rule, info: RequestInfo, replica: str) -> bool:
    return bool(info.resource) and rule.match.request(
        verb=info.verb,
        resource=info.resource,
        subresource=info.subresource,
        name=info.name,
        replica=replica,
        query=info.query,
    )


def not_fired(spared: list[Armed]) -> None:
    """Take back what was counted when they were chosen."""
    for each in spared:
        each.chosen -= 1


def _check(rule: Rule) -> None:
    """Raise BadRuleError for parameters that the act does not have."""
    words = _PARAMETERS.get(rule.act, "").split()
    known = {word.lstrip("*") for word in words}
    for name in set(rule.how) - known:
        has = ", ".join(sorted(known)) or "no parameters"
        raise BadRuleError(f"rule {rule.id}: {rule.act} has no parameter {name}, it has {has}")
    for word in words:
        if word.startswith("*") and rule.how.get(word[1:]) is None:
            raise BadRuleError(f"rule {rule.id}: {rule.act} needs the parameter {word[1:]}")
    _check_choice(rule)
    if rule.act is Act.TRUNCATE and rule.match.verb == "watch":
        raise BadRuleError(f"rule {rule.id}: a watch has no half; use cut with how='line'")


def _check_choice(rule: Rule) -> None:
    name, choices = _CHOICES.get(rule.act, ("", ()))
    value: Any = rule.how.get(name)
    if value is not None and value not in choices:
        raise BadRuleError(f"rule {rule.id}: {name}={value!r}, it can be {', '.join(choices)}")
