"""What a process remembers between visits, and that it forgets. Left out: what `sync` makes of it (test_sync.py)."""

from __future__ import annotations

from datetime import timedelta

from support.builders import NAMESPACE, NOW, nginxpod
from twinloop.memory import HeldBack, Memory


def test_patience_grows_with_each_message_that_was_written_for_its_own_sake() -> None:
    memory = Memory()
    waits = []
    for _ in range(6):
        waits.append(memory.wait_for_words("u", "Progressing", NOW))
        memory.words_stand("u", "Progressing", alone=True)
    assert waits == [1, 2, 4, 8, 15, 15]


def test_patience_runs_out_with_time() -> None:
    memory = Memory()
    assert memory.wait_for_words("u", "Progressing", NOW) == 1
    assert memory.wait_for_words("u", "Progressing", NOW + timedelta(seconds=0.5)) == 0.5
    assert memory.wait_for_words("u", "Progressing", NOW + timedelta(seconds=3)) == 0


def test_a_new_reason_starts_with_new_patience() -> None:
    memory = Memory()
    memory.wait_for_words("u", "Progressing", NOW)
    memory.words_stand("u", "Progressing", alone=True)
    memory.words_stand("u", "AllReady", alone=False)
    assert memory.wait_for_words("u", "Progressing", NOW) == 1


def test_nginxpods_do_not_share_patience() -> None:
    memory = Memory()
    memory.wait_for_words("a", "Progressing", NOW)
    memory.words_stand("a", "Progressing", alone=True)
    assert memory.wait_for_words("b", "Progressing", NOW) == 1


def test_a_refused_status_may_be_written_for_the_next_generation() -> None:
    memory = Memory()
    memory.cannot_write("u", 3)
    assert not memory.may_write("u", 3)
    assert memory.may_write("u", 4)
    assert memory.may_write("other", 3)


def test_a_nginxpod_that_is_gone_leaves_nothing_behind() -> None:
    memory = Memory()
    memory.seen(nginxpod(uid="u"))
    memory.wait_for_words("u", "Progressing", NOW)
    memory.cannot_write("u", 1)
    memory.forget(NAMESPACE, "web")
    assert memory == Memory()


def test_a_reused_name_starts_anew() -> None:
    memory = Memory()
    memory.seen(nginxpod(uid="first"))
    memory.cannot_write("first", 1)
    memory.seen(nginxpod(uid="second"))
    assert memory.may_write("first", 1)
    memory.forget(NAMESPACE, "web")
    assert memory == Memory()


def test_what_the_server_did_not_know_is_remembered_until_it_is_forgotten_or_found() -> None:
    memory = Memory()
    web = nginxpod()
    memory.seen(web)
    uid = web["metadata"]["uid"]
    assert not memory.is_lost(uid)
    memory.lost(uid)
    assert memory.is_lost(uid)
    memory.found(uid)
    assert not memory.is_lost(uid)
    memory.lost(uid)
    memory.forget(NAMESPACE, "web")
    assert not memory.is_lost(uid)


SLOW = HeldBack("slow down", 7, unread=False)


def test_the_servers_time_runs_out() -> None:
    memory = Memory()
    memory.hold_back(NAMESPACE, "web", SLOW, NOW)
    assert memory.held_back(NAMESPACE, "web", NOW + timedelta(seconds=3)) == HeldBack("slow down", 4, unread=False)
    assert memory.held_back(NAMESPACE, "web", NOW + timedelta(seconds=7)) is None
    assert memory == Memory()


def test_a_clock_that_was_set_back_does_not_hold_a_nginxpod() -> None:
    memory = Memory()
    memory.hold_back(NAMESPACE, "web", SLOW, NOW)
    assert memory.held_back(NAMESPACE, "web", NOW - timedelta(hours=1)) is None


def test_only_the_nginxpod_that_the_server_spoke_of_is_held_back() -> None:
    memory = Memory()
    memory.hold_back(NAMESPACE, "web", SLOW, NOW)
    assert memory.held_back(NAMESPACE, "api", NOW) is None
    memory.forget(NAMESPACE, "web")
    assert memory == Memory()
