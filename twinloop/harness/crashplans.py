"""A crash at every write of a story: first one trial without a fault counts the writes, then each gets three crashes.

    before      the operator dies, and the API server never hears of the write
    committed   the server has done it, the operator dies before it learns of it
    answered    the operator dies with the answer in its hands

Pure. The count is a variant's own: kopf writes more than the handwritten loop does, and is hit at every one of them.
`compare.py` runs the reference trial and asks here for the plans; a write that does not come again when its plan runs
makes the plan invalid, never passed.
"""

from __future__ import annotations

from collections.abc import Iterator

from twinloop.harness.faults import WRITES, Act, Match, Rule
from twinloop.harness.history import Fault, History, Record, Request

WHENS = ("before", "committed", "answered")
REFERENCE = ""


def plan_name(k: int, when: str) -> str:
    """As in "write-03-committed"; the number is padded so that folders sort as the writes came."""
    return f"write-{k:02}-{when}"


def of_plan(plan: str) -> tuple[int, str] | None:
    """The write and the moment that a plan's name tells, None for another plan."""
    word, _, rest = plan.partition("-")
    number, _, when = rest.partition("-")
    return (int(number), when) if word == "write" and number.isdigit() and when in WHENS else None


def rule(k: int, when: str) -> Rule:
    """The crash at the k-th write of the story, counted over all resources alike."""
    return Rule(
        id=plan_name(k, when), match=Match(verb="write"), act=Act.CRASH, how={"when": when}, first=k, since="story"
    )


def plans(writes: int) -> dict[str, tuple[Rule, ...]]:
    """3W plans."""
    return {plan_name(k, when): (rule(k, when),) for k in range(1, writes + 1) for when in WHENS}


def writes_of_story(history: History) -> list[Request]:
    """What counts for such a rule: every write from the story's beginning until the operator came to rest."""
    return [each for each in _until_rest(history) if isinstance(each, Request) and each.verb in WRITES]


def _until_rest(history: History) -> Iterator[Record]:
    return history.between("story-begin", "quiet-begin" if history.mark("quiet-begin") else "cleanup-begin")


def what_was_hit(history: History) -> str:
    """The write at which the crash came, as "create pods web-0"; empty when it never did."""
    hit = next((each.request for each in history.of(Fault) if of_plan(each.rule)), None)
    request = next((each for each in history.of(Request) if each.id == hit), None)
    return describe(request) if request else ""


def describe(request: Request) -> str:
    """As in "patch nginxpods/status web"; without a name where the server gives it."""
    resource = request.resource.partition(".")[0]
    return " ".join(filter(None, (request.verb, f"{resource}/{request.subresource}".rstrip("/"), _name_of(request))))


def _name_of(request: Request) -> str:
    """A create names its object in the body; names that are made up on the way would make no two lines equal."""
    if request.name or not isinstance(request.body, dict):
        return request.name
    return str((request.body.get("metadata") or {}).get("name", "")) if request.resource != "events" else ""
