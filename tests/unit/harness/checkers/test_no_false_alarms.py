"""A correct operator is never blamed, whatever its users do and however late the truth comes in.

Left out: real operators, which the harness's own runs cover; faults, under which an oracle may rightly have something to say.
"""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from support.histories import NGINXPODS, PODS, Tale, plain
from twinloop.harness.history import History, Record, Truth, dump, load
from twinloop.harness.judge import judge
from twinloop.harness.scenario import IMAGE, OTHER_IMAGE
from twinloop.harness.verdict import Finding, Verdict

Act = Callable[[Tale], None]


def scale(replicas: int) -> Act:
    def act(tale: Tale) -> None:
        tale.user_edits(replicas=replicas)
        tale.serves()

    return act


def image(name: str) -> Act:
    def act(tale: Tale) -> None:
        tale.user_edits(image=name)
        tale.serves()

    return act


def pod_deleted(tale: Tale) -> None:
    if (PODS, "web-0") in tale.objects:
        tale.leaves("web-0")
        tale.said("delete", PODS, "web-0")
        tale.says()
        tale.remove(PODS, "web-0")
    tale.serves()


def pod_flaps(tale: Tale) -> None:
    if (PODS, "web-0") in tale.objects:
        tale.becomes("web-0", ready=False)
        tale.says()
        tale.becomes("web-0")
        tale.says()


def pod_fails(tale: Tale) -> None:
    if (PODS, "web-0") in tale.objects:
        tale.becomes("web-0", ready=False, phase="Failed")
        tale.deletes("web-0")
    tale.serves()


def somebody_writes(tale: Tale) -> None:
    tale.user_patches(
        NGINXPODS, "web", lambda obj: obj["metadata"].update(labels={"example.com/note": str(tale.number)})
    )


def replaced(tale: Tale) -> None:
    tale.user_deletes()
    tale.user_creates(replicas=1)
    tale.serves()


def flapping(tale: Tale) -> None:
    for replicas in (3, 1, 2):
        tale.user_edits(replicas=replicas)
    tale.serves()


def restarted(tale: Tale) -> None:
    tale.down().after(0.5).up()


def an_answer_is_lost(tale: Tale) -> None:
    if (PODS, "web-0") in tale.objects:
        for ready in (False, True):
            tale.becomes("web-0", ready=ready)
            tale.says(answer={"code": 0, "committed": 200, "body": None})


def a_stranger_comes(tale: Tale) -> None:
    tale.stranger(f"stranger-{tale.number}", labels={"twinloop.dev/nginxpod": "web"})


ACTS: list[Act] = [
    *map(scale, range(4)), image(OTHER_IMAGE), image(IMAGE), pod_deleted, pod_flaps, pod_fails, somebody_writes, replaced,
    flapping, restarted, a_stranger_comes,
]  # fmt: skip


def alarms(history: History) -> list[Finding]:
    return [finding for finding in judge(history) if finding.verdict is not Verdict.OK]


def told(acts: list[Act], pause: float) -> Tale:
    tale = Tale().begins()
    tale.user_creates(replicas=2)
    tale.serves()
    for act in acts:
        tale.after(pause)
        act(tale)
    return tale.rests().cleans()


@settings(deadline=None)  # a busy machine
@given(st.lists(st.sampled_from(ACTS), max_size=8), st.floats(0, 5))
def test_a_correct_operator_is_never_blamed(acts: list[Act], pause: float) -> None:
    assert alarms(told(acts, pause).history()) == []


def late(records: list[Record], delays: list[int]) -> list[Record]:
    """The same file, had the truth taken its time: each of its records comes so many lines later, each resource in its order."""
    floor: dict[str, float] = {}
    placed: list[tuple[float, int, Record]] = []
    marks = [index for index, record in enumerate(records) if record.kind == "mark"]
    for index, record in enumerate(records):
        place: float = index
        if isinstance(record, Truth):
            place = max(index + delays[index % len(delays)] + 0.5, floor.get(record.resource, 0.0))
            # The frame waits: a mark comes after everything that led to it.
            place = min([place, *(mark - 0.25 for mark in marks if mark > index)])
            floor[record.resource] = place
        placed.append((place, index, record))
    lines = sorted(placed, key=lambda each: (each[0], each[1]))
    times = [record.t for record in records]
    return [_moved(record, seq, times[seq - 1]) for seq, (_, _, record) in enumerate(lines, 1)]


def _moved(record: Record, seq: int, t: float) -> Record:
    text = dump(record).replace(f'"t":{record.t}', f'"t":{t}', 1)
    return load(text, seq)


@settings(deadline=None)  # a busy machine
@given(st.lists(st.sampled_from(ACTS), max_size=6), st.lists(st.integers(0, 6), min_size=1, max_size=7))
def test_truth_that_comes_late_blames_nobody(acts: list[Act], delays: list[int]) -> None:
    records = late(told(acts, 0.1).records, delays)
    assert alarms(History(records)) == []


@settings(deadline=None)  # a busy machine
@given(st.lists(st.sampled_from([*ACTS, an_answer_is_lost]), max_size=8))
def test_an_answer_that_was_lost_blames_nobody(acts: list[Act]) -> None:
    assert alarms(told(acts, 1.0).history()) == []


def test_the_truth_can_be_made_late_at_all() -> None:
    before = plain().records
    after = late(before, [4])
    assert [each.kind for each in after] != [each.kind for each in before]
    assert sorted(each.kind for each in after) == sorted(each.kind for each in before)
