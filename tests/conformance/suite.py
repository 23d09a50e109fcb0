"""Plays many cases at once against one server.

Around `play.py`: it makes sure that the definitions of `fixtures.yaml`, which most cases on custom resources share, are
served, and plays cases on several threads, for most of a case's time is waiting. Cases cannot meet: each has a
namespace and a group of its own.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import yaml

from conformance.case import Case
from conformance.normal import normalised
from conformance.play import PATIENCE, POLL, USER_AGENT, Player
from conformance.wire import Exchange, Server

FIXTURES = Path(__file__).parent / "fixtures.yaml"
PROJECT = Path(__file__).parents[2] / "crds" / "nginxpods.yaml"
THREADS = 8

Progress = Callable[[int, int, Case], None]


class NotPlayed(str):
    """In place of a transcript: why a case could not be played to its end."""

    __slots__ = ()


def play_all(
    server: Server,
    cases: Iterable[Case],
    *,
    progress: Progress | None = None,
    threads: int = THREADS,
    clean_up: bool = False,
) -> dict[str, Any]:
    """The normalised transcript of every case by its name, or a `NotPlayed`.

    `clean_up` gives the namespaces back at the end, for a server that lives on. Not before: a controller manager that is
    busy with hundreds of them would keep the other cases waiting.
    """
    wanted = list(cases)
    install_fixtures(server)
    found: dict[str, Any] = {}
    players = [Player(server, case) for case in wanted]
    with ThreadPoolExecutor(threads, thread_name_prefix="case") as pool:
        running = {pool.submit(play_one, player): player.case for player in players}
        for number, done in enumerate(as_completed(running), 1):
            found[running[done].name] = done.result()
            if progress:
                progress(number, len(wanted), running[done])
        if clean_up:
            list(pool.map(Player.clean_up, players))
    return {case.name: found[case.name] for case in wanted}


def play_one(player: Player) -> Any:
    """One case's normalised transcript; what goes wrong on the way is its result, so that the others go on."""
    try:
        return normalised(player.play())
    except Exception as error:  # noqa: BLE001 - a refused connection, a bad case: reported with the case's name
        return NotPlayed(f"{type(error).__name__}: {error}")


def install_fixtures(server: Server) -> None:
    """The shared definitions, made when they are not there and waited for."""
    documents = [*yaml.safe_load_all(FIXTURES.read_text()), yaml.safe_load(PROJECT.read_text())]
    for document in documents:
        answer = _send(server, "POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", document)
        if answer.code not in (201, 409):
            raise RuntimeError(f"{server.name} refuses the definition {document['metadata']['name']}: {answer.body}")
    for document in documents:
        _wait_until_served(server, document["spec"])


def _wait_until_served(server: Server, spec: dict[str, Any]) -> None:
    """A definition counts once it is listed and in the discovery that kubectl reads."""
    paths = [f"/apis/{spec['group']}/{version['name']}/{spec['names']['plural']}" for version in spec["versions"]]
    deadline = time.monotonic() + PATIENCE
    while not all(_send(server, "GET", path).code == 200 for path in paths):
        if time.monotonic() > deadline:
            raise RuntimeError(f"{server.name} does not serve {spec['names']['plural']}")
        time.sleep(POLL)


def _send(server: Server, method: str, path: str, body: Any = None) -> Exchange:
    data = None if body is None else json.dumps(body).encode()
    headers = {"User-Agent": USER_AGENT, "Content-Type": "application/json"}
    return server.request(method, path, headers=headers, body=data)
