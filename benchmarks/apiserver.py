"""`python -m benchmarks.apiserver`: the embedded API server beside a real one, the same requests to both.

Measured: time to the first answer, memory, creates a second from 16 clients without and with 10 watchers that get every
event in order, list of 5,000 pods, replay of 10,000 events. The real server speaks TLS, as it always does, and the
load generator pays its half of that: the embedded side has an advantage that an operator would have too.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import click

from benchmarks import servers
from benchmarks.figures import Figure, as_json, table
from benchmarks.pods import pod
from benchmarks.servers import Server
from benchmarks.wire import Address, Connection

CLIENTS, WATCHERS = 16, 10
RESULTS = Path("results") / "bench-apiserver.json"


async def create(address: Address, namespace: str, names: list[str], parallel: int = CLIENTS) -> float:
    """Create these pods from `parallel` connections; pods a second."""
    path = f"/api/v1/namespaces/{namespace}/pods"
    bodies = [json.dumps(pod(name)).encode() for name in names]

    async def client(share: list[bytes]) -> None:
        async with Connection(address) as connection:
            for body in share:
                status, answer = await connection.send("POST", path, body)
                if status != 201:
                    raise RuntimeError(f"POST {path}: {status} {answer[:300].decode(errors='replace')}")

    began = time.perf_counter()
    await asyncio.gather(*(client(bodies[start::parallel]) for start in range(parallel)))
    return len(names) / (time.perf_counter() - began)


async def watched(address: Address, namespace: str, count: int, act: Awaitable[float]) -> float:
    """`act` while 10 watchers read; returns its figure once each has seen `count` events, in order."""
    async with Connection(address) as connection:
        start = (await connection.json("GET", f"/api/v1/namespaces/{namespace}/pods?limit=1"))["metadata"][
            "resourceVersion"
        ]
    readers = [asyncio.ensure_future(read(address, namespace, start, count)) for _ in range(WATCHERS)]
    began = time.perf_counter()
    await act
    await asyncio.gather(*readers)
    return count / (time.perf_counter() - began)


async def read(address: Address, namespace: str, start: str, count: int) -> None:
    """Read `count` events of a watch and check that versions only grow."""
    last, seen = int(start), 0
    async with Connection(address) as connection:
        lines = connection.lines(f"/api/v1/namespaces/{namespace}/pods?watch=true&resourceVersion={start}")
        async with contextlib.aclosing(lines):  # type: ignore[type-var]
            async for line in lines:
                version = _version(line)
                if version <= last:
                    raise RuntimeError(f"{namespace}: version {version} after {last}")
                last, seen = version, seen + 1
                if seen == count:
                    return


def _version(line: bytes) -> int:
    """The resourceVersion in an event, without decoding all of it: the reader shares a core with nobody."""
    begin = line.index(b'"resourceVersion":"') + 19
    return int(line[begin : line.index(b'"', begin)])


async def prepare(address: Address, namespace: str) -> None:
    """A namespace, and the service account without which a real server takes no pod."""
    async with Connection(address) as connection:
        await connection.send("POST", "/api/v1/namespaces", json.dumps({"metadata": {"name": namespace}}).encode())
        account = json.dumps({"metadata": {"name": "default"}}).encode()
        await connection.send("POST", f"/api/v1/namespaces/{namespace}/serviceaccounts", account)


async def timed(call: Callable[[], Awaitable[Any]]) -> float:
    """Seconds that a call takes."""
    began = time.perf_counter()
    await call()
    return time.perf_counter() - began


async def measure(server: Server, figures: dict[str, Figure], pods: int) -> None:
    """One round on a fresh server."""
    address, side = server.address, server.side
    figures["start"].add(side, server.started_in)
    figures["idle"].add(side, server.memory() / 1e6)
    for namespace in ("warm", "plain", "watched", "many"):
        await prepare(address, namespace)
    await create(address, "warm", [f"pod-{n}" for n in range(pods // 10)])
    names = [f"pod-{n}" for n in range(pods)]
    figures["creates"].add(side, await create(address, "plain", names))
    figures["watched"].add(side, await watched(address, "watched", pods, create(address, "watched", names)))
    await _many(server, figures)


async def _many(server: Server, figures: dict[str, Figure]) -> None:
    address, side = server.address, server.side
    async with Connection(address) as connection:
        path = "/api/v1/namespaces/many/pods"
        start = (await connection.json("GET", f"{path}?limit=1"))["metadata"]["resourceVersion"]
        await create(address, "many", [f"pod-{n}" for n in range(5000)])
        for _ in range(3):
            figures["list"].add(side, await timed(lambda: connection.send("GET", path)))
        figures["full"].add(side, server.memory() / 1e6)
        await create(address, "many", [f"more-{n}" for n in range(5000)])
        figures["replay"].add(side, await timed(lambda: read(address, "many", start, 10_000)))


def figures() -> dict[str, Figure]:
    """What is measured, with the guides that the project set itself."""
    return {
        "start": Figure("start to first answer", "s", guide="< 1"),
        "idle": Figure("memory, idle", "MB", guide="< 60"),
        "creates": Figure(f"pod creates, {CLIENTS} clients", "1/s", more_is_better=True, guide=">= 400, ratio 1"),
        "watched": Figure(f"the same with {WATCHERS} watchers", "1/s", more_is_better=True, guide="ratio 1"),
        "list": Figure("list 5,000 pods", "s", guide="< 0.3"),
        "full": Figure("memory, 5,000 pods and what came before", "MB", guide="< 150"),
        "replay": Figure("watch replays 10,000 events", "s", guide="< 1"),
    }


@click.command()
@click.option(
    "--rounds", type=click.IntRange(1), default=3, show_default=True, help="Fresh servers of each side, in turns."
)
@click.option(
    "--pods",
    type=click.IntRange(100),
    default=2000,
    show_default=True,
    help="Pods that a measurement of creates makes.",
)
def main(rounds: int, pods: int) -> None:
    """Measure the embedded API server beside a real one."""
    kinds = [servers.embedded, servers.real] if servers.has_real() else [servers.embedded]
    taken = figures()
    for number in range(rounds):
        # ABBA: neither side always comes first.
        for kind in kinds if number % 2 == 0 else reversed(kinds):
            with kind() as server:
                click.echo(f"round {number + 1} of {rounds}: {server.side}", err=True)
                asyncio.run(measure(server, taken, pods))
    sides = [servers.EMBEDDED, servers.REAL]
    click.echo("\n".join(table(list(taken.values()), sides)))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(as_json(list(taken.values())), indent=1) + "\n")
    if not servers.has_real():
        click.echo("no kwokctl on PATH: the real server was not measured")


if __name__ == "__main__":
    sys.exit(main())
