"""The demo from beginning to end: server up, resource installed, operators up, the story, the table, all down again.

`twinloop.cli` calls `demo`. Every step is done in both lanes at the same moment and the next one waits for both.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml

from twinloop import __version__
from twinloop.apiserver.http.local import LocalServer
from twinloop.demo.lane import DemoFailedError, Lane
from twinloop.demo.operators import SOURCES, VARIANTS, Operator
from twinloop.demo.screen import Screen, table
from twinloop.demo.story import STORY, Step
from twinloop.demo.writes import count_writes, fetch
from twinloop.errors import ConfigurationError
from twinloop.kube import NAMESPACES, Client, Resource, load_configuration

DEFINITIONS = Resource(
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", namespaced=False
)

# Seconds for one step, of which the slowest takes four; and for the start of two Python processes on a busy machine.
PATIENCE = 30.0


def demo(write: Callable[[str], None]) -> None:
    """Run the whole story, `write` gets each line. DemoFailedError when it does not come to its end."""
    began = time.monotonic()
    # All of it is on loopback, operators included, and Python's clients would ask a proxy for that too.
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="twinloop-demo-")))
        server = stack.enter_context(LocalServer())
        write(f"embedded API server: {server.url}, up after {time.monotonic() - began:.1f} s")
        client = Client(load_configuration(str(server.kubeconfig)), user_agent=f"twinloop-demo/{__version__}")
        stack.callback(client.close)
        _install(client)
        screen = Screen(VARIANTS, write)
        lanes = [stack.enter_context(_lane(variant, client, screen)) for variant in VARIANTS]
        with _operators(server.kubeconfig, folder) as operators:
            write(f"both operators: watching after {time.monotonic() - began:.1f} s; the same story for both:")
            write("")
            screen.head()
            _tell(server, lanes, operators, screen, write)
    write(f"all of it took {time.monotonic() - began:.0f} s; nothing is left running")


def _install(client: Client) -> None:
    crd = SOURCES / "crds" / "nginxpods.yaml"
    if not crd.is_file():
        raise ConfigurationError(f"{crd} is not there", hint="run it from a clone of the project: make demo")
    client.create(DEFINITIONS, yaml.safe_load(crd.read_text()))
    for variant in VARIANTS:
        client.create(NAMESPACES, {"metadata": {"name": f"demo-{variant}"}})


@contextlib.contextmanager
def _lane(variant: str, client: Client, screen: Screen) -> Iterator[Lane]:
    lane = Lane(variant, client, f"demo-{variant}", screen.tell)
    lane.open()
    try:
        yield lane
    finally:
        lane.close()


@contextlib.contextmanager
def _operators(kubeconfig: Path, folder: Path) -> Iterator[dict[str, Operator]]:
    """Both operators, ready; when the demo fails, the ends of their logs go along with the error."""
    with contextlib.ExitStack() as stack:
        running = {
            variant: stack.enter_context(Operator(variant, f"demo-{variant}", kubeconfig, folder / f"{variant}.log"))
            for variant in VARIANTS
        }
        try:
            _wait_until_ready(running)
            yield running
        except DemoFailedError as error:
            raise DemoFailedError(f"{error}\n{_last_lines(running)}") from error


def _wait_until_ready(running: dict[str, Operator]) -> None:
    deadline = time.monotonic() + PATIENCE
    for variant, operator in running.items():
        while not operator.ready():
            if operator.died() or time.monotonic() > deadline:
                raise DemoFailedError(f"{variant}: the operator did not come up")
            time.sleep(0.05)


def _last_lines(running: dict[str, Operator], count: int = 5) -> str:
    ends = {
        variant: operator.log.read_text(errors="replace").splitlines()[-count:] for variant, operator in running.items()
    }
    return "\n".join(f"{variant}: {line}" for variant, lines in ends.items() for line in lines)


def _tell(
    server: LocalServer, lanes: list[Lane], operators: dict[str, Operator], screen: Screen, write: Callable[[str], None]
) -> None:
    seconds: dict[str, dict[str, float]] = {}
    writes: dict[str, dict[str, int]] = {}
    for step in STORY:
        before = count_writes(fetch(server.url, server.token))
        screen.step(step.title)
        seconds[step.title] = _both(step, lanes, operators)
        after = count_writes(fetch(server.url, server.token))
        writes[step.title] = {variant: after[variant] - before[variant] for variant in VARIANTS}
    write("")
    for line in table(VARIANTS, seconds, writes):
        write(line)
    write("")


def _both(step: Step, lanes: list[Lane], operators: dict[str, Operator]) -> dict[str, float]:
    """Do a step in all lanes at once; how many seconds each lane took."""
    start = threading.Barrier(len(lanes))

    def one(lane: Lane) -> float:
        start.wait()
        began = time.monotonic()
        remembered = step.act(lane)
        lane.wait(lambda seen: step.done(seen, remembered), PATIENCE, lambda: not operators[lane.name].died())
        return time.monotonic() - began

    with ThreadPoolExecutor(len(lanes)) as pool:
        return dict(zip((lane.name for lane in lanes), pool.map(one, lanes), strict=True))
