"""Mixed load on the embedded server, and etcd's watch guarantees checked over everything that its watchers saw.

`make soak` runs it for 10 minutes (SOAK_SECONDS=600), `make test` for a few seconds. Writers create, patch and delete
ConfigMaps; one watcher stays connected and is the truth, held against the writers' answers; others are cut off and resume
from their last event or bookmark, again and again. At the end: no violation, and memory that stopped growing.

A run of a minute or longer is judged by its memory too, by the rule in `memory.py`: from the full history to the end it
grows by `SLACK` at most.

Left out: the likeness to a real API server (tests/conformance), faults inside the server, watches with selectors.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest

from benchmarks.wire import Address, Connection
from soak.guarantees import Log, Seen, judge, leads_to, told_of_every_write
from soak.memory import LOOK, Memory
from twinloop.apiserver.http.local import LocalServer

SECONDS = float(os.environ.get("SOAK_SECONDS", "4"))
WRITERS, RESUMERS, NAMES = 4, 6, 60
# The one object that is created after all writers have ended.
LAST = "last"
PATH = "/api/v1/namespaces/soak/configmaps"
# Megabytes: the interpreter's own breathing, and holes in the heap, which come to a balance in the first minutes. A leak of
# one event in a hundred would be 14 in 10 minutes.
SLACK = 5.0


@dataclass
class Soak:
    """The run: where the server is, until when, and what was seen and done."""

    address: Address
    ends: float
    rng: random.Random
    truth: Log = field(default_factory=lambda: Log("truth", 0))
    writes: list[tuple[str, int]] = field(default_factory=list)

    def over(self) -> bool:
        return asyncio.get_running_loop().time() >= self.ends


def seen(line: bytes) -> Seen:
    event = json.loads(line)
    metadata = event["object"]["metadata"]
    content = "" if event["type"] == "BOOKMARK" else json.dumps(event["object"], sort_keys=True)
    return Seen(event["type"], metadata.get("name", ""), int(metadata["resourceVersion"]), str(hash(content)))


@contextlib.asynccontextmanager
async def watching(soak: Soak, version: int, query: str = "") -> AsyncIterator[AsyncIterator[bytes]]:
    async with Connection(soak.address) as connection:
        path = f"{PATH}?watch=true&allowWatchBookmarks=true&resourceVersion={version}{query}"
        lines = connection.lines(path)
        async with contextlib.aclosing(lines):  # type: ignore[type-var]
            yield lines


async def truth(soak: Soak) -> None:
    """One watch that is never cut off; it ends when it has seen the last write."""
    async with watching(soak, soak.truth.start) as lines:
        async for line in lines:
            soak.truth.lines.append(seen(line))
            if soak.truth.lines[-1].name == LAST:
                return


async def resumer(soak: Soak, log: Log) -> None:
    """Cut off after a moment, at any place, and on from the last version that it has, of an event or a bookmark."""
    last = log.start
    while not soak.over():
        patience = soak.rng.uniform(0.05, 1.0)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience), watching(soak, last, "&timeoutSeconds=1") as lines:
                async for line in lines:
                    log.lines.append(seen(line))
                    last = log.lines[-1].version
        log.resumes.append(last)


async def writer(soak: Soak, number: int) -> None:
    """Random creates, patches and deletes of names that no other writer touches; some of them fail, as they should."""
    rng = random.Random(number)
    async with Connection(soak.address) as connection:
        while not soak.over():
            name = f"w{number}-{rng.randrange(NAMES)}"
            await write(soak, connection, name, rng)


async def write(soak: Soak, connection: Connection, name: str, rng: random.Random) -> None:
    verb = rng.choice(["POST", "POST", "PATCH", "PATCH", "PATCH", "DELETE"])
    data = {"data": {"value": "x" * rng.randrange(2000), "n": str(rng.random())}}
    if verb == "POST":
        status, answer = await connection.send(verb, PATH, json.dumps({"metadata": {"name": name}, **data}).encode())
    elif verb == "PATCH":
        body = json.dumps(data).encode()
        status, answer = await connection.send(verb, f"{PATH}/{name}", body, kind="application/merge-patch+json")
    else:
        status, answer = await connection.send(verb, f"{PATH}/{name}")
    assert status in {200, 201, 404, 409}, answer
    if status < 300 and verb != "DELETE":
        soak.writes.append((name, int(json.loads(answer)["metadata"]["resourceVersion"])))


async def run(soak: Soak, memory: Memory, process: psutil.Process) -> list[Log]:
    async with Connection(soak.address) as connection:
        await connection.json("POST", "/api/v1/namespaces", {"metadata": {"name": "soak"}})
        soak.truth.start, before = await present(connection)
        logs = [Log(f"resumer {number}", soak.truth.start) for number in range(RESUMERS)]
        background = [asyncio.ensure_future(each) for each in (truth(soak), *(resumer(soak, log) for log in logs))]
        writers = asyncio.gather(*(writer(soak, number) for number in range(WRITERS)))
        while not writers.done():
            memory.look(process.memory_info().rss / 1e6, len(soak.truth.lines))
            await asyncio.wait([writers], timeout=LOOK)
        await writers
        await connection.json("POST", PATH, {"metadata": {"name": LAST}})
        await asyncio.wait_for(asyncio.gather(*background), 30)
        _, now = await present(connection)
        assert leads_to(soak.truth.events(), now, before) == []
    return logs


async def present(connection: Connection) -> tuple[int, dict[str, int]]:
    """The version of a list, and the versions in it by name."""
    listed = await connection.json("GET", PATH)
    names = {item["metadata"]["name"]: int(item["metadata"]["resourceVersion"]) for item in listed["items"]}
    return int(listed["metadata"]["resourceVersion"]), names


@pytest.mark.timeout(SECONDS * 2 + 60)
def test_watch_guarantees_hold_under_mixed_load(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    log = tmp_path / "log"
    with LocalServer(log=log) as server:
        where = urlsplit(server.url)
        address = Address(str(where.hostname), int(where.port or 0), None, {"Authorization": f"Bearer {server.token}"})
        memory = Memory()

        async def whole() -> tuple[Soak, list[Log]]:
            soak = Soak(address, asyncio.get_running_loop().time() + SECONDS, random.Random(1))
            return soak, await run(soak, memory, psutil.Process(server.pid))

        soak, logs = asyncio.run(whole())
    events = soak.truth.events()
    wrong = [line for log in [soak.truth, *logs] for line in judge(log, events)]
    wrong += told_of_every_write(events, soak.writes)
    with capsys.disabled():
        print(_summary(soak, logs, wrong, memory))
    assert not wrong, wrong[:20]
    assert "Traceback" not in log.read_text(), log.read_text()[-3000:]
    assert len(events) > 50 * SECONDS, "too little happened to have shown anything"
    if SECONDS >= 60:
        assert memory.full, "the history was never full: nothing can be said about memory"
        assert memory.growth() <= SLACK, memory.samples


def _summary(soak: Soak, logs: list[Log], wrong: list[str], memory: Memory) -> str:
    resumed = sum(len(log.resumes) for log in logs)
    lines: list[Any] = [
        f"\nsoak of {SECONDS:g} s: {len(soak.writes)} writes answered, {len(soak.truth.events())} events,",
        f"{resumed} resumes of {len(logs)} watchers, {len(wrong)} violations,",
        f"memory by the {'minute' if SECONDS >= 60 else 'second'}: {memory.series(60 if SECONDS >= 60 else 1)} MB,",
        f"{memory.growth():+.1f} MB from the full history to the end" if memory.full else "the history was never full",
    ]
    return " ".join(lines)
