"""Plays one case against one server and writes down what the server said, step by step, as it was said.

Between `case.py` and `normal.py`. A case gets a fresh namespace (`$ns`), a second one that exists when a step makes it
(`$ns2`), and a group of its own for CustomResourceDefinitions (`$group`); their names are random, for the real
server forgets a namespace or a definition only after a while.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance import paths
from conformance.case import BadCase, Case, Step, substitute
from conformance.wire import Exchange, Server, Stream

USER_AGENT = "conformance/1"
FIXTURES = "conformance.twinloop.dev"
# Longer than the real server takes for anything that a case waits for, garbage collection and namespaces included.
PATIENCE = 30.0
# An event that comes at all comes within milliseconds; this is for a machine that is busy with other things.
EVENT_PATIENCE = 5.0
# How long a watch is listened to after its last expected event, for one that should not come.
QUIET = 0.15
POLL = 0.05

# Headers that differ by nature (dates, audit ids, lengths, flow control's uids) are not among these.
COMPARED_HEADERS = ("content-type", "warning", "allow", "retry-after", "content-encoding", "www-authenticate")


@dataclass
class Transcript:
    """What a server said to a case. `names` are the values that were made up for it, by their symbol."""

    names: dict[str, str]
    records: list[dict[str, Any]] = field(default_factory=list)
    generated: list[str] = field(default_factory=list)  # the generateName prefixes that were sent


class Player:
    """Plays one case once."""

    def __init__(self, server: Server, case: Case, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._server, self._case, self._sleep = server, case, sleep
        mark = secrets.token_hex(4)
        self.names = {"ns": f"t{mark}", "ns2": f"u{mark}", "group": f"g{mark}.example.com"}
        self._values: dict[str, Any] = {**self.names, **_shortcuts(self.names)}
        self._streams: dict[str, Stream] = {}
        self.transcript = Transcript({**self.names})

    def play(self) -> Transcript:
        """Every step in order, then a last look at the watches that are still open."""
        self._make_namespace()
        try:
            for step in self._case.steps:
                self.transcript.records.append(self._played(step))
            self._look_once_more()
        finally:
            for stream in self._streams.values():
                stream.close()
            self._clean_up()
        return self.transcript

    # --- steps --------------------------------------------------------------------------------------------------

    def _played(self, step: Step) -> dict[str, Any]:
        if step.pause:
            self._sleep(step.pause)
            return {"pause": step.pause}
        if step.relate:
            return {"relate": list(step.relate), "is": self._relation(*step.relate)}
        if step.read:
            return self._read(step)
        if step.watch:
            return self._opened(step)
        exchange = self._until_settled(step) if step.until else self._sent(step)
        self._save(step, exchange.body)
        return _record(step, exchange)

    def _relation(self, one: str, other: str) -> str:
        a, b = int(self._values[one]), int(self._values[other])
        return "older" if a < b else "newer" if a > b else "equal"

    def _save(self, step: Step, body: Any) -> None:
        for name, path in step.save.items():
            found = paths.find(body, path)
            self._values[name] = "absent" if found is None else found

    def _until_settled(self, step: Step) -> Exchange:
        deadline = time.monotonic() + PATIENCE
        exchange = self._sent(step)
        while not _settled(step.until, exchange) and time.monotonic() < deadline:
            self._sleep(POLL)
            exchange = self._sent(step)
        return exchange

    # --- requests -----------------------------------------------------------------------------------------------

    def _sent(self, step: Step) -> Exchange:
        method, path, headers, body = self._request(step)
        return self._server.request(method, path, headers=headers, body=body, user=step.user)

    def _request(self, step: Step) -> tuple[str, str, dict[str, str], bytes | None]:
        method, _, path = substitute(step.do, self._values).partition(" ")
        if not path.startswith("/"):
            raise BadCase(f"{self._case.name}: no path in {step.do!r}")
        body = self._body(step)
        headers = {"Accept": step.accept, "User-Agent": USER_AGENT}
        if body is not None:
            headers["Content-Type"] = step.type or "application/json"
        given = substitute(dict(step.headers), self._values)
        headers = {**headers, **given}
        return method, path, {name: value for name, value in headers.items() if value}, body

    def _body(self, step: Step) -> bytes | None:
        values = {**self._values, "fill": "x" * step.fill} if step.fill else self._values
        if step.raw is not None:
            return str(substitute(step.raw, values)).encode("latin-1" if "\xff" in step.raw else "utf-8")
        if step.body is None:
            return None
        body = substitute(step.body, values)
        prefix = paths.find(body, "metadata.generateName")
        if isinstance(prefix, str) and prefix not in self.transcript.generated:
            self.transcript.generated.append(prefix)
        return json.dumps(body).encode()

    # --- watches ------------------------------------------------------------------------------------------------

    def _opened(self, step: Step) -> dict[str, Any]:
        _, path, headers, _ = self._request(step)
        bookmarks = int("sendInitialEvents=true" in path)
        answer = self._server.watch(path, headers=headers, user=step.user, bookmarks=bookmarks)
        if isinstance(answer, Exchange):
            return _record(step, answer)
        self._streams[step.watch] = answer
        return {"do": step.do, "code": answer.code, "headers": _headers(answer.headers), "stream": step.watch}

    def _read(self, step: Step) -> dict[str, Any]:
        stream = self._streams.get(step.read)
        if stream is None:
            return {"read": step.read, "events": [], "ended": True}
        events = stream.take(step.events, EVENT_PATIENCE) if step.events else []
        if step.end:
            events += stream.take(10_000, PATIENCE)
        for event in events:
            self._save(step, event)
        record = {"read": step.read, "events": events, "ended": stream.ended}
        return _cut(step, record, "events")

    def _look_once_more(self) -> None:
        """What came after a case had seen enough; nothing, if all is well. The end of a stream is left to `end`."""
        if not self._streams:
            return
        self._sleep(QUIET)
        late = {name: stream.take(0, 0) for name, stream in self._streams.items() if not stream.ended}
        self.transcript.records.append({"late": {name: events for name, events in late.items() if events}})

    # --- namespaces ---------------------------------------------------------------------------------------------

    def _make_namespace(self) -> None:
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.names["ns"]}}
        made = self._prepared("POST", "/api/v1/namespaces", body)
        if made.code != 201:
            raise BadCase(f"{self._case.name}: no namespace: {made.code} {made.body}")
        # A pod is refused before its service account exists; the ConfigMap with the cluster's certificate comes in
        # its own time on the real server and would turn up in the middle of a case's list.
        for path in ("serviceaccounts/default", "configmaps/kube-root-ca.crt"):
            self._wait_for(f"/api/v1/namespaces/{self.names['ns']}/{path}")

    def _wait_for(self, path: str) -> None:
        deadline = time.monotonic() + PATIENCE / 10
        while self._prepared("GET", path).code != 200 and time.monotonic() < deadline:
            self._sleep(POLL)

    def _clean_up(self) -> None:
        for name in (self.names["ns"], self.names["ns2"]):
            self._prepared("DELETE", f"/api/v1/namespaces/{name}", {"propagationPolicy": "Background"})

    def _prepared(self, method: str, path: str, body: Any = None) -> Exchange:
        data = None if body is None else json.dumps(body).encode()
        headers = {"User-Agent": USER_AGENT, "Content-Type": "application/json"}
        return self._server.request(method, path, headers=headers, body=data)


def _shortcuts(names: Mapping[str, str]) -> dict[str, str]:
    """What stands for the beginnings of paths that nearly every step has."""
    space = f"namespaces/{names['ns']}"
    return {
        "core": f"/api/v1/{space}",
        "apps": f"/apis/apps/v1/{space}",
        "leases": f"/apis/coordination.k8s.io/v1/{space}/leases",
        "widgets": f"/apis/{FIXTURES}/v1/{space}/widgets",
        "gadgets": f"/apis/{FIXTURES}/v1/{space}/gadgets",
        "nginxpods": f"/apis/twinloop.dev/v1alpha1/{space}/nginxpods",
        "crds": "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    }


def _settled(until: Mapping[str, Any], exchange: Exchange) -> bool:
    return all((exchange.code if path == "code" else paths.find(exchange.body, path)) == value for path, value in until.items())


def _headers(headers: list[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in headers:
        if name.lower() in COMPARED_HEADERS:
            found.setdefault(name.lower(), []).append(value)
    return found


def _record(step: Step, exchange: Exchange) -> dict[str, Any]:
    record = {"do": step.do, "code": exchange.code}
    if step.quiet:
        return record
    return _cut(step, {**record, "headers": _headers(exchange.headers), "body": exchange.body}, "body")


def _cut(step: Step, record: dict[str, Any], part: str) -> dict[str, Any]:
    """The record with what the step drops dropped, what it picks picked, and what has no order in order."""
    value = record[part]
    for path in step.drop:
        value = paths.without(value, path)
    if step.unordered:
        value = _ordered(value, step.unordered, part)
    if step.pick:
        value = {path: paths.find(value, path) for path in step.pick}
    return {**record, part: value}


def _ordered(value: Any, where: str, part: str) -> Any:
    if where == part:
        return sorted(value, key=_key)
    rows = paths.find(value, where)
    if isinstance(rows, list):
        rows.sort(key=_key)
    return value


def _key(row: Any) -> str:
    found = paths.find(row, "object.metadata.name") or paths.find(row, "metadata.name") or paths.find(row, "name")
    return str(found or json.dumps(row, sort_keys=True))
