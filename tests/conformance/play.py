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
from typing import Any

from conformance import paths
from conformance.case import BadCase, Case, Step, substitute
from conformance.record import Transcript, compared, cut, recorded
from conformance.wire import Exchange, Server, Stream

USER_AGENT = "conformance/1"
FIXTURES = "conformance.twinloop.dev"
# Longer than the real server takes for anything that a case waits for, even the end of a definition on a busy machine.
PATIENCE = 90.0
# An event that comes at all comes within milliseconds; this is for a machine that is busy with other things.
EVENT_PATIENCE = 15.0
# How long a watch is listened to after its last expected event, for one that should not come.
QUIET = 0.15
POLL = 0.05


class Player:
    """Plays one case once."""

    def __init__(self, server: Server, case: Case, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._server, self.case, self._sleep = server, case, sleep
        mark = secrets.token_hex(4)
        self.names = {"ns": f"t{mark}", "ns2": f"u{mark}", "group": f"g{mark}.example.com"}
        self._values: dict[str, Any] = {**self.names, **_shortcuts(self.names)}
        self._streams: dict[str, Stream] = {}
        self.transcript = Transcript({**self.names})

    def play(self) -> Transcript:
        """Every step in order, then a last look at the watches that are still open."""
        self._make_namespace()
        try:
            for step in self.case.steps:
                self.transcript.records.append(self._played(step))
            self._look_once_more()
        finally:
            for stream in self._streams.values():
                stream.close()
        return self.transcript

    def clean_up(self) -> None:
        """Give the namespaces back; the server takes its time for it, so best after all cases."""
        for name in (self.names["ns"], self.names["ns2"]):
            self._prepared("DELETE", f"/api/v1/namespaces/{name}", {"propagationPolicy": "Background"})

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
        return {**recorded(step, exchange), **({} if self._settled(step, exchange) else {"settled": False})}

    def _relation(self, one: str, other: str) -> str:
        a, b = str(self._values.get(one)), str(self._values.get(other))
        if not (a.isdigit() and b.isdigit()):
            return "not a version"
        return "older" if int(a) < int(b) else "newer" if int(a) > int(b) else "equal"

    def _save(self, step: Step, body: Any) -> None:
        for name, path in step.save.items():
            found = paths.find(body, path)
            self._values[name] = "absent" if found is None else found

    def _until_settled(self, step: Step) -> Exchange:
        deadline = time.monotonic() + PATIENCE
        exchange = self._sent(step)
        while not self._settled(step, exchange) and time.monotonic() < deadline:
            self._sleep(POLL)
            exchange = self._sent(step)
        return exchange

    def _settled(self, step: Step, exchange: Exchange) -> bool:
        def found(path: str) -> Any:
            return exchange.code if path == "code" else paths.find(exchange.body, path)

        until = substitute(dict(step.until), self._values)
        return all(found(path) == value for path, value in until.items())

    # --- requests -----------------------------------------------------------------------------------------------

    def _sent(self, step: Step) -> Exchange:
        method, path, headers, body = self._request(step)
        return self._server.request(method, path, headers=headers, body=body, user=step.user)

    def _request(self, step: Step) -> tuple[str, str, dict[str, str], bytes | None]:
        method, _, path = substitute(step.do, self._values).partition(" ")
        if not path.startswith("/"):
            raise BadCase(f"{self.case.name}: no path in {step.do!r}")
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
            return recorded(step, answer)
        self._streams[step.watch] = answer
        return {"do": step.do, "code": answer.code, "headers": compared(answer.headers), "stream": step.watch}

    def _read(self, step: Step) -> dict[str, Any]:
        stream = self._streams.get(step.read)
        if stream is None:
            return {"read": step.read, "events": [], "ended": True}
        events = stream.take(step.events, EVENT_PATIENCE) if step.events else []
        if step.upto:
            events += self._upto(stream, step.upto)
        if step.end:
            events += stream.take(10_000, PATIENCE)
        if step.last:
            self._streams.pop(step.read).close()
            events = events[: step.events]
        for event in events:
            self._save(step, event)
        record = {"read": step.read, "events": events, "ended": stream.ended and not step.last}
        if len(events) < step.events and not step.end:
            record["settled"] = False
        return cut(step, record, "events")

    def _upto(self, stream: Stream, name: str) -> list[Any]:
        """The events up to the first about the object `name`, which is how a case says that it made its last change."""
        found: list[Any] = []
        while not any(paths.find(event, "object.metadata.name") == name for event in found):
            new = stream.take(1, EVENT_PATIENCE)
            if not new:
                break
            found += new
        return found

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
            raise BadCase(f"{self.case.name}: no namespace: {made.code} {made.body}")
        # A pod is refused before its service account exists; the ConfigMap with the cluster's certificate comes in
        # its own time on the real server and would turn up in the middle of a case's list.
        for path in ("serviceaccounts/default", "configmaps/kube-root-ca.crt"):
            self._wait_for(f"/api/v1/namespaces/{self.names['ns']}/{path}")

    def _wait_for(self, path: str) -> None:
        deadline = time.monotonic() + PATIENCE / 30
        while self._prepared("GET", path).code != 200 and time.monotonic() < deadline:
            self._sleep(POLL)

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
