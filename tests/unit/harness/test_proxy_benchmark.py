"""The figures of benchmarks/proxy.py: what is subtracted from what.

Left out: the measuring itself, which is a script that people run.
"""

from __future__ import annotations

import json

from benchmarks.proxy import KINDS, Sides, address_of, config_map, table


def test_what_is_added_is_the_difference_of_the_medians_and_of_the_99th_percentiles() -> None:
    without = [0.001] * 98 + [0.002] * 2
    through = [0.0014] * 98 + [0.0054] * 2
    lines = table({"get": Sides(without, through, [0.0003])}).splitlines()
    assert lines[0] == "milliseconds"
    assert lines[1].split() == ["without", "through", "added", "p50", "added", "p99", "it", "says"]
    name, *figures = lines[2].split()
    assert name == "get"
    assert [float(each) for each in figures[:3]] == [1.0, 1.4, 0.4]
    assert float(figures[3]) > 3
    assert float(figures[4]) == 0.3


def test_every_kind_says_what_it_measures() -> None:
    assert all(kind.__doc__ for kind in KINDS.values())


def test_the_client_shows_its_token_to_the_right_port() -> None:
    address = address_of("http://127.0.0.1:8001", "t")
    assert (address.host, address.port, address.headers) == ("127.0.0.1", 8001, {"Authorization": "Bearer t"})


def test_an_object_is_as_large_as_a_small_pod() -> None:
    assert 1500 < len(config_map("a")) < 3000
    assert json.loads(config_map("a"))["metadata"]["name"] == "a"
