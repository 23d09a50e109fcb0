"""The resource's facts: whose a pod is, what its name says, what times mean.

Left out: what follows from them (test_plan.py, test_status.py).
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from support.builders import NOW, at, changed, foreign, nginxpod, pod, terminating
from twinloop.nginxpod import (
    InvalidSpecError,
    Object,
    failures_of,
    format_time,
    is_left_behind,
    is_ours,
    is_ready,
    ordinal_of,
    owner_uid,
    parents_of,
    parse_spec,
    parse_time,
    terminating_since,
)


def test_a_pod_wakes_its_owner_its_label_and_the_name_without_its_ordinal() -> None:
    web = nginxpod("web")
    labels = {"twinloop.dev/nginxpod": "labelled"}
    assert parents_of(changed(pod(web, 0), name="named-3", labels=labels)) == {"web", "labelled", "named"}


def test_a_pod_without_any_of_them_wakes_nobody() -> None:
    assert parents_of(foreign("alone")) == set()


def test_an_owner_of_another_group_or_kind_is_not_woken() -> None:
    for owner in (
        {"apiVersion": "other.dev/v1", "kind": "NginxPod"},
        {"apiVersion": "twinloop.dev/v1", "kind": "Other"},
    ):
        reference = {**owner, "name": "web", "uid": "u", "controller": True}
        assert parents_of(changed(foreign("alone"), ownerReferences=[reference])) == set()


@pytest.mark.parametrize(
    ("name", "ordinal"),
    [("web-0", 0), ("web-99", 99), ("web-01", None), ("web", None), ("web-", None), ("web-a", None), ("web-1-2", None)],
)
def test_the_ordinal_is_only_what_we_would_have_written(name: str, ordinal: int | None) -> None:
    assert ordinal_of("web", changed(foreign(), name=name)) == ordinal


def test_a_name_that_ends_in_a_number_itself_is_told_apart() -> None:
    assert ordinal_of("web-1", changed(foreign(), name="web-1-2")) == 2
    assert ordinal_of("web", changed(foreign(), name="web-1-2")) is None


def test_ownership_is_by_uid() -> None:
    web, later = nginxpod(uid="first"), nginxpod(uid="second")
    assert is_ours(web, pod(web, 0))
    assert not is_ours(later, pod(web, 0))
    assert is_left_behind(later, pod(web, 0))
    assert not is_left_behind(web, pod(web, 0))
    assert owner_uid(foreign()) == ""


def test_a_terminating_pod_is_not_ready() -> None:
    web = nginxpod()
    assert is_ready(pod(web, 0))
    assert not is_ready(terminating(pod(web, 0)))


def test_the_moment_of_the_delete_request_is_a_grace_period_before_the_deletion_timestamp() -> None:
    assert terminating_since(terminating(foreign(), since=-7, grace=30)) == parse_time(at(-7))
    assert terminating_since(foreign()) is None


@pytest.mark.parametrize("text", [None, "", "yesterday", 12, "2026-01-01T12:00:00"])
def test_a_time_that_makes_no_sense_is_none(text: object) -> None:
    assert parse_time(text) is None


def test_times_survive_the_round_trip() -> None:
    assert parse_time(format_time(NOW)) == NOW
    assert parse_time("2026-01-01T12:00:00.123456Z") == datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "-1", "1.5", "many", "12345678", " 1"])
def test_a_count_of_failures_is_a_small_number_or_nothing(text: str) -> None:
    assert failures_of(changed(foreign(), annotations={"twinloop.dev/failures": text})) == 0


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({"replicas": -1}, "spec.replicas must be an integer from 0 to 100, not -1"),
        ({"replicas": True}, "not true"),
        ({"port": 70000}, "spec.port must be an integer from 1 to 65535, not 70000"),
        ({"image": ""}, "spec.image must be a text of 1 to 512 characters"),
    ],
)
def test_a_refused_spec_is_named_with_its_value(spec: Object, says: str) -> None:
    with pytest.raises(InvalidSpecError, match=says):
        parse_spec(nginxpod(**spec))


def test_a_long_name_is_refused() -> None:
    parse_spec(nginxpod("w" * 57))
    with pytest.raises(InvalidSpecError, match="57 characters"):
        parse_spec(nginxpod("w" * 58))


def test_a_spec_that_is_no_object_is_refused() -> None:
    with pytest.raises(InvalidSpecError, match="object"):
        parse_spec({**nginxpod(), "spec": None})
