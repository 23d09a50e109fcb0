"""/metrics: the few figures that say how full this server is, under kube-apiserver's names where it has one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from twinloop.apiserver.answer import Answer
from twinloop.apiserver.failures import qualified
from twinloop.apiserver.publish.host import Host
from twinloop.apiserver.storage import Storage
from twinloop.apiserver.tally import Tally

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def answer(host: Host) -> Answer:
    """The page, in the Prometheus text format."""
    lines = [*_lines(host.storage), *_requests(host.tally)]
    return Answer(200, "\n".join([*lines, ""]).encode("utf-8", "replace"), CONTENT_TYPE)


def _lines(storage: Storage) -> Iterator[str]:
    counts = {qualified(*resource): len(storage.list(resource)) for resource in storage.resources()}
    yield from _gauge("apiserver_storage_objects", "Stored objects by resource.", counts.items())
    watches = {qualified(*resource): len(found) for resource, found in storage.watches.items()}
    yield from _gauge("apiserver_longrunning_requests", "Open watches by resource.", watches.items())
    yield from _gauge("twinloop_apiserver_revision", "The latest resource version.", [("", storage.revision)])
    yield from _gauge(
        "twinloop_apiserver_history_events", "Events that a watch can replay.", [("", len(storage.history))]
    )


def _requests(tally: Tally) -> Iterator[str]:
    yield "# HELP apiserver_request_total Answered requests; clients are told apart by their User-Agent."
    yield "# TYPE apiserver_request_total counter"
    for asked, count in sorted(tally.counts.items()):
        labels = ",".join(f'{name}="{_escaped(str(value))}"' for name, value in asked._asdict().items())
        yield f"apiserver_request_total{{{labels}}} {count}"


def _escaped(value: str) -> str:
    """A label's value: a User-Agent may hold anything."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _gauge(name: str, text: str, values: Iterable[tuple[str, int]]) -> Iterator[str]:
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} gauge"
    for resource, value in values:
        yield f'{name}{{resource="{resource}"}} {value}' if resource else f"{name} {value}"
