"""Faults as data: which request or event a rule waits for, and what it then does.

A scenario writes rules, the proxy obeys them, the history keeps them, so that a plan is a few lines of JSON that anybody
can repeat. A rule counts what matches it and acts on ordinals, never on wall clock: the same plan hits the same place on
a fast machine and on a slow one. Durations appear only where the fault itself is one (an answer that comes late).

Pure data and counting; `proxy/` holds the hands.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Self

from twinloop.errors import TwinloopError

WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})


class BadRuleError(TwinloopError):
    """A rule that contradicts itself."""


class Act(StrEnum):
    """What a rule does. The first group hits a request, the second a line of a watch, or with a `watch` request its whole stream."""

    ANSWER = "answer"  # code, reason, message, retry_after, raw; with committed=True the server got the request first
    ABORT = "abort"  # close the connection without an answer; committed as above
    CRASH = "crash"  # SIGKILL the operator; when: before, committed (after commit, before the answer), answered
    SIGNAL = "signal"  # send the operator `signal` and go on
    DELAY = "delay"  # forward after `seconds`
    HANG = "hang"  # never answer while the rule is armed
    STALE = "stale"  # answer a list as it was when `Stage.remember` was called
    TOUCH = "touch"  # change the object in somebody else's name, then forward: a genuine 409
    TRUNCATE = "truncate"  # send half of the answer

    ERROR = "error"  # an ERROR event with `code` in place of the line, then the end
    CUT = "cut"  # end the stream; how: clean, reset, line (in the middle of a line)
    SILENCE = "silence"  # keep the connection and say nothing more while the rule is armed
    DROP = "drop"  # swallow the line
    REPEAT = "repeat"  # send the line twice
    CORRUPT = "corrupt"  # send garbage in place of the line
    UNKNOWN = "unknown"  # send the object under an event type that does not exist
    HOLD = "hold"  # from this line on, everything of the stream comes `seconds` later


ON_EVENTS = frozenset({Act.ERROR, Act.CUT, Act.SILENCE, Act.DROP, Act.REPEAT, Act.CORRUPT, Act.UNKNOWN, Act.HOLD})


@dataclass(frozen=True, kw_only=True)
class Match:
    """What a rule waits for; what is empty matches anything.

    `verb` is Kubernetes' or "write" for all that change something, `resource` the plural, `subresource` "-" for none,
    `name` a regular expression for the whole name, `event` the type of a line (ADDED ...; "any" for all but bookmarks): with
    it the rule counts lines of matching watches, without it requests.
    """

    verb: str = ""
    resource: str = ""
    subresource: str = ""
    name: str = ""
    event: str = ""
    replica: str = ""
    query: str = ""  # a parameter that must be there, such as "continue"

    def request(
        self, *, verb: str, resource: str, subresource: str, name: str, replica: str, query: Mapping[str, str]
    ) -> bool:
        """Whether a request, or the request that began a stream, is meant."""
        return (
            (not self.verb or verb == self.verb or (self.verb == "write" and verb in WRITES))
            and (not self.resource or resource.partition(".")[0] == self.resource)
            and (not self.subresource or subresource == self.subresource.replace("-", ""))
            and (not self.replica or replica == self.replica)
            and (not self.query or self.query in query)
            # A line's name is that of its object: see `line`.
            and (bool(self.event) or self._named(name))
        )

    def line(self, *, event: str, name: str) -> bool:
        """Whether a line of a stream that `request` has accepted is meant."""
        wanted = event == self.event or (self.event == "any" and event != "BOOKMARK")
        return wanted and self._named(name)

    def _named(self, name: str) -> bool:
        return not self.name or re.fullmatch(self.name, name) is not None


@dataclass(frozen=True, kw_only=True)
class Rule:
    """From the `first` match on, `times` times (0: until disarmed), do `act` with `how`.

    `since`: matches count from the "start" of the operator or from the beginning of the "story"; with `after`, not before the
    rule of that id has fired: first the watch is cut, then the one that is opened next is refused. `how` holds the act's
    parameters, named beside each act.
    """

    id: str
    match: Match
    act: Act
    how: Mapping[str, Any] = field(default_factory=dict)
    first: int = 1
    times: int = 1
    since: str = "start"
    after: str = ""

    def __post_init__(self) -> None:
        if self.match.event and self.act not in ON_EVENTS:
            raise BadRuleError(
                f"rule {self.id}: {self.act} hits a request, and event={self.match.event} waits for a line"
            )
        if self.act in ON_EVENTS and not self.match.event and self.match.verb != "watch":
            raise BadRuleError(f"rule {self.id}: {self.act} wants a watch: verb='watch', or event=...")
        if self.first < 1 or self.times < 0 or self.since not in {"start", "story"}:
            raise BadRuleError(f"rule {self.id}: first is at least 1, times at least 0, since 'start' or 'story'")

    def to_json(self) -> dict[str, Any]:
        """The rule as a plan keeps it."""
        return {**asdict(self), "act": str(self.act), "how": dict(self.how)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """The rule that `to_json` wrote."""
        return cls(**{**values, "match": Match(**values["match"]), "act": Act(values["act"])})


@dataclass
class Armed:
    """A rule at work: how often it matched, was chosen to act, and of that has still to act or to be forestalled."""

    rule: Rule
    matched: int = 0
    chosen: int = 0
    owed: int = 0

    @property
    def fired(self) -> int:
        """How often it has acted."""
        return self.chosen - self.owed

    def count(self) -> bool:
        """Count one more match; True when the rule acts on it."""
        self.matched += 1
        beyond = self.matched - self.rule.first
        acts = beyond >= 0 and (self.rule.times == 0 or beyond < self.rule.times)
        self.chosen += acts
        return acts

    @property
    def spent(self) -> bool:
        """Whether it will never act again."""
        return bool(self.rule.times) and self.chosen >= self.rule.times
