"""Which ports operators are given.

Left out: a port that somebody takes between the look and the use; an operator says so itself then.
"""

from __future__ import annotations

import random
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from twinloop.harness.ports import HIGHEST, LOWEST, NoPortError, Ports, is_free


def test_nobody_is_given_what_another_holds() -> None:
    ports = Ports(random.Random(1), free=lambda _: True)
    taken = [ports.take() for _ in range(2000)]
    assert len(set(taken)) == 2000
    assert all(LOWEST <= port <= HIGHEST for port in taken)


def test_what_somebody_listens_on_is_passed_over() -> None:
    first = Ports(random.Random(1), free=lambda _: True).take()
    assert Ports(random.Random(1), free=lambda port: port != first).take() == first + 1


def test_the_last_is_followed_by_the_first() -> None:
    ports = Ports(random.Random(1), free=lambda port: port in {LOWEST, HIGHEST})
    assert {ports.take(), ports.take()} == {LOWEST, HIGHEST}


def test_what_was_given_back_can_be_had_again() -> None:
    ports = Ports(random.Random(1), free=lambda port: port == LOWEST)
    assert ports.take() == LOWEST
    with pytest.raises(NoPortError):
        ports.take()
    ports.give_back(LOWEST)
    assert ports.take() == LOWEST


def test_a_machine_without_free_ports_is_a_clear_error() -> None:
    with pytest.raises(NoPortError, match="no free port between 10000 and 29999"):
        Ports(random.Random(1), free=lambda _: False).take()


def test_a_listener_makes_a_port_taken() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        assert not is_free(port)
    assert is_free(port)


def test_the_system_gives_none_of_them_to_outgoing_connections() -> None:
    setting = Path("/proc/sys/net/ipv4/ip_local_port_range")
    if not setting.exists():
        pytest.skip("not a Linux")
    lowest = int(setting.read_text().split()[0])
    assert lowest > HIGHEST


def test_threads_that_ask_at_once_get_different_ports() -> None:
    ports = Ports(random.Random(1), free=lambda _: True)
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: ports.take(), range(400)))
    assert len(set(taken)) == 400
