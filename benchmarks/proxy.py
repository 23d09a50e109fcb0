"""What the recording proxy costs: the same requests with it and without it, in turns.

    python -m benchmarks.proxy [--rounds 5] [--requests 400]

A GET, a create, a list of 100 and the way of a watch event are measured by one raw client before the embedded API server.
What is printed is what an operator waits longer, the median and the 99th percentile, and beside it what the proxy itself
reports as `added`. That is less: it sees its own work, but not the second way through the kernel and the wait for a core.
`--profile` shows where the time goes.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import io
import itertools
import json
import multiprocessing
import pstats
import statistics
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from benchmarks.wire import Address, Connection
from twinloop.apiserver.http.local import LocalServer
from twinloop.harness.history import Recorder
from twinloop.harness.proxy.host import ProxyHost
from twinloop.harness.proxy.proxy import Proxy
from twinloop.kube import Configuration, load_configuration

MAPS = "/api/v1/namespaces/default/configmaps"
LISTED = 100

Measured = Callable[[Address, Address, int], Coroutine[Any, Any, list[float]]]
_numbers = itertools.count()


@dataclass
class Sides:
    """Seconds of one kind of request without and with the proxy, and what the proxy says that it took."""

    without: list[float] = field(default_factory=list)
    through: list[float] = field(default_factory=list)
    said: list[float] = field(default_factory=list)


def config_map(name: str) -> bytes:
    """An object of the size of a small pod."""
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"text": "x" * 1500}}
    return json.dumps(body).encode()


async def _timed(
    address: Address, count: int, method: str, path: Callable[[], str], body: Callable[[], bytes]
) -> list[float]:
    seconds = []
    async with Connection(address) as connection:
        for _ in range(count):
            target, content = path(), body()
            began = time.perf_counter()
            status, _ = await connection.send(method, target, content)
            seconds.append(time.perf_counter() - began)
            if status >= 300:
                raise RuntimeError(f"{method} {target}: {status}")
    return seconds


async def get(address: Address, _direct: Address, count: int) -> list[float]:
    """Read one object."""
    return await _timed(address, count, "GET", lambda: "/api/v1/namespaces/default", bytes)


async def create(address: Address, _direct: Address, count: int) -> list[float]:
    """Write new objects; both bodies go into the history."""
    return await _timed(address, count, "POST", lambda: MAPS, lambda: config_map(f"new-{next(_numbers)}"))


async def list_all(address: Address, _direct: Address, count: int) -> list[float]:
    """List a hundred objects."""
    return await _timed(address, count // 4, "GET", lambda: f"{MAPS}?labelSelector=listed", bytes)


async def event(address: Address, direct: Address, count: int) -> list[float]:
    """From a write, straight to the server, to its line in a watch through `address`."""
    seconds = []
    async with Connection(address) as watch, Connection(direct) as writer:
        version = (await writer.json("GET", f"{MAPS}?limit=1"))["metadata"]["resourceVersion"]
        lines = watch.lines(f"{MAPS}?watch=1&resourceVersion={version}")
        waiting = asyncio.ensure_future(anext(lines))
        await asyncio.sleep(0.05)
        for _ in range(count // 2):
            began = time.perf_counter()
            await writer.send("POST", MAPS, config_map(f"event-{next(_numbers)}"))
            await waiting
            seconds.append(time.perf_counter() - began)
            waiting = asyncio.ensure_future(anext(lines))
        waiting.cancel()
    return seconds


KINDS: dict[str, Measured] = {"get": get, "create": create, "list of 100": list_all, "watch event": event}


def measured(name: str, address: Address, direct: Address, count: int) -> list[float]:
    """One round of a kind of request. Called in a process of its own, as an operator is one."""
    return asyncio.run(KINDS[name](address, direct, count))


def plain(server: LocalServer) -> Configuration:
    """The server's configuration over plain HTTP, as the embedded backend has it."""
    configuration = load_configuration(str(server.kubeconfig))
    return Configuration(
        server.url,
        configuration.context,
        "default",
        configuration.source,
        configuration.rest,
        configuration.credentials,
    )


def address_of(url: str, token: str) -> Address:
    """Where a raw client connects."""
    parts = urlsplit(url)
    return Address(str(parts.hostname), int(parts.port or 0), None, {"Authorization": f"Bearer {token}"})


async def _list_something(address: Address) -> None:
    async with Connection(address) as connection:
        for number in range(LISTED):
            body = json.loads(config_map(f"listed-{number}"))
            body["metadata"]["labels"] = {"listed": "yes"}
            await connection.json("POST", MAPS, body)


def measure(proxy: Proxy, direct: Address, rounds: int, requests: int) -> dict[str, Sides]:
    """All kinds, the sides in turns."""
    through = address_of(proxy.listen("a"), "none")
    sides = {name: Sides() for name in KINDS}
    asyncio.run(_list_something(direct))
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as client:
        for number, name in itertools.product(range(rounds + 1), KINDS):
            without = client.submit(measured, name, direct, direct, requests).result()
            before = len(proxy.added())
            with_it = client.submit(measured, name, through, direct, requests).result()
            if number:  # the first round warms up
                sides[name].without += without
                sides[name].through += with_it
                sides[name].said += proxy.added()[before:]
    return sides


def table(sides: dict[str, Sides]) -> str:
    """The figures in milliseconds."""
    rows = [f"{'':14}{'without':>9}{'through':>9}{'added p50':>11}{'added p99':>11}{'it says':>9}"]
    for name, side in sides.items():
        without, through = statistics.median(side.without), statistics.median(side.through)
        worst = statistics.quantiles(side.through, n=100)[98] - statistics.quantiles(side.without, n=100)[98]
        figures = f"{without * 1e3:9.3f}{through * 1e3:9.3f}{(through - without) * 1e3:11.3f}{worst * 1e3:11.3f}"
        rows.append(f"{name:14}{figures}{statistics.median(side.said) * 1e3:9.3f}")
    return "\n".join(["milliseconds", *rows])


def profiled(proxy: Proxy, direct: Address, rounds: int, requests: int) -> dict[str, Sides]:
    """The same with a profile of the proxy's thread, which is printed."""
    profile, text = cProfile.Profile(), io.StringIO()
    proxy._now(profile.enable)  # noqa: SLF001 - a profile belongs to a thread, and this is the way into the proxy's
    sides = measure(proxy, direct, rounds, requests)
    proxy._now(profile.disable)  # noqa: SLF001
    pstats.Stats(profile, stream=text).sort_stats("tottime").print_stats(25)
    print(text.getvalue())  # noqa: T201 - a script
    return sides


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=400)
    parser.add_argument("--profile", action="store_true")
    arguments = parser.parse_args()
    with io.StringIO() as history, LocalServer(controllers=()) as server, ProxyHost() as host:
        direct = address_of(server.url, server.token)
        proxy = host.open(plain(server), Recorder(history))
        run = profiled if arguments.profile else measure
        print(table(run(proxy, direct, arguments.rounds, arguments.requests)))  # noqa: T201 - a script


if __name__ == "__main__":
    main()
