"""The control endpoint: POST /control/v1/<command>, by which a test tells a running server to misbehave.

`edge.py` hands over every request below that path, with the same token as all others; the answers are JSON, errors are
Status objects. `docs/apiserver.md` lists the commands with their parameters. In the same process the methods of
`Control` do the same without HTTP.

    compact   {"revision": N}                  forget the history up to a revision, by default up to the present one
    history   {"limit": N}                     keep so many events
    snapshot  {}                               remember all objects as they are now
    restore   {"snapshot": N}                  go back to a snapshot, by default the last; resource versions rewind
    kubelet   {"frozen": true, "delays": {...}, "order": {"namespace": ..., "name": ..., "ready": "false", ...}}
    clock     {"advance": S}                   let time pass, on a manual clock only
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from twinloop.apiserver import failures
from twinloop.apiserver.answer import Answer, failure_answer, json_answer
from twinloop.apiserver.clock import ManualClock
from twinloop.apiserver.failures import Failure
from twinloop.apiserver.request import Request
from twinloop.apiserver.storage import Snapshot
from twinloop.errors import ConfigurationError

if TYPE_CHECKING:
    from twinloop.apiserver.controllers.kubelet import Kubelet
    from twinloop.apiserver.server import ApiServer

CONTROL = "/control/v1/"

Values = dict[str, Any]


class Control:
    """What can be done to a server from outside the API. Methods raise `Failure` (400) for what makes no sense."""

    def __init__(self, server: ApiServer) -> None:
        self._server = server
        self._snapshots: list[Snapshot] = []
        self._commands: Mapping[str, tuple[Callable[[Values], Values], set[str]]] = {
            "compact": (self._compact, {"revision"}),
            "history": (self._history, {"limit"}),
            "snapshot": (self._snapshot, set()),
            "restore": (self._restore, {"snapshot"}),
            "kubelet": (self._kubelet, {"frozen", "delays", "order"}),
            "clock": (self._clock, {"advance"}),
        }

    # ------------------------------------------------------------------ over HTTP

    def handle(self, request: Request) -> Answer:
        """Answer a request below `CONTROL`."""
        try:
            return json_answer(200, self._answer(request))
        except Failure as failure:
            return failure_answer(failure)

    def _answer(self, request: Request) -> Values:
        name = request.path.removeprefix(CONTROL)
        if name not in self._commands:
            raise failures.no_such_path()
        if request.method != "POST":
            raise failures.method_not_allowed()
        run, known = self._commands[name]
        values = _decode(request.body)
        if unknown := sorted(set(values) - known):
            raise failures.bad_request(f"{name} takes no {', '.join(unknown)}")
        return run(values)

    # ------------------------------------------------------------------ the commands

    def compact(self, revision: int | None = None) -> None:
        """Forget the history up to a revision: older watches and continue tokens get 410."""
        storage = self._server.storage
        storage.compact(storage.revision if revision is None else revision)

    def limit_history(self, limit: int) -> None:
        """Keep so many events from now on."""
        self._server.storage.history.resize(limit)

    def snapshot(self) -> int:
        """Remember all objects; the number that `restore` takes."""
        self._snapshots.append(self._server.storage.snapshot())
        return len(self._snapshots)

    def restore(self, number: int | None = None) -> None:
        """Go back to a snapshot as an etcd restored from a backup does; all watches end."""
        if not 0 < (len(self._snapshots) if number is None else number) <= len(self._snapshots):
            raise failures.bad_request("there is no such snapshot")
        self._server.storage.restore(self._snapshots[(number or 0) - 1])

    def delay(self, delays: Mapping[str, float]) -> None:
        """Change how long the kubelet takes, see `Delays` for the names."""
        self._the_kubelet.configure(**delays)

    def freeze(self, *, frozen: bool = True) -> None:
        """Stop the kubelet, or let it go on."""
        (self._the_kubelet.freeze if frozen else self._the_kubelet.thaw)()

    def order(self, namespace: str, name: str, **said: str) -> None:
        """Tell a pod what to do, see `controllers/pod_orders.py`."""
        self._the_kubelet.order(namespace, name, **said)

    def advance(self, seconds: float) -> None:
        """Let time pass on a manual clock."""
        clock = self._server.clock
        if not isinstance(clock, ManualClock):
            raise failures.bad_request("this server runs on the machine's clock")
        clock.advance(seconds)

    @property
    def _the_kubelet(self) -> Kubelet:
        if not self._server.controllers.runs("kubelet"):
            raise failures.bad_request("the kubelet is switched off")
        return self._server.controllers.kubelet

    # ------------------------------------------------------------------ from and to JSON

    def _compact(self, values: Values) -> Values:
        self.compact(_number(values, "revision"))
        return {"compacted": self._server.storage.compacted}

    def _history(self, values: Values) -> Values:
        limit = _number(values, "limit")
        if limit is None:
            raise failures.bad_request("history needs a limit")
        self.limit_history(limit)
        return {"limit": limit, "compacted": self._server.storage.compacted}

    def _snapshot(self, values: Values) -> Values:  # noqa: ARG002 - a command takes its values
        return {"snapshot": self.snapshot(), "revision": self._server.storage.revision}

    def _restore(self, values: Values) -> Values:
        self.restore(_number(values, "snapshot"))
        return {"revision": self._server.storage.revision}

    def _kubelet(self, values: Values) -> Values:
        if "frozen" in values:
            self.freeze(frozen=values["frozen"] is True)
        try:
            self.delay(_object(values, "delays"))
            order = _object(values, "order")
            if order:
                self.order(**{key: str(value) for key, value in order.items()})
        except (TypeError, KeyError, ValueError) as error:
            raise failures.bad_request(f"the kubelet does not understand this: {error}") from None
        return {"frozen": self._the_kubelet.frozen}

    def _clock(self, values: Values) -> Values:
        seconds = values.get("advance", 0)
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds < 0:
            raise failures.bad_request("advance is a number of seconds")
        self.advance(seconds)
        return {"now": self._server.clock.now()}


def configure(server: ApiServer, delays: Mapping[str, float]) -> None:
    """Apply delays from the command line. Raises ConfigurationError."""
    if not server.controllers.runs("kubelet"):
        options = ", ".join(f"--{name.replace('_', '-')}" for name in delays)
        raise ConfigurationError(
            f"{options}: only the kubelet takes time, and it is switched off",
            hint="Leave out the delay, or add kubelet to --controllers.",
        )
    try:
        Control(server).delay(delays)
    except (Failure, TypeError, ValueError) as error:
        raise ConfigurationError(f"the kubelet cannot be told its delays: {error}", hint="See --help.") from None


def _decode(body: bytes) -> Values:
    try:
        values = json.loads(body or b"{}")
    except ValueError:
        raise failures.bad_request("the body is no JSON") from None
    if not isinstance(values, dict):
        raise failures.bad_request("the body is no JSON object")
    return values


def _object(values: Values, name: str) -> Values:
    value = values.get(name) or {}
    if not isinstance(value, dict):
        raise failures.bad_request(f"{name} is no JSON object")
    return value


def _number(values: Values, name: str) -> int | None:
    value = values.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
        raise failures.bad_request(f"{name} is a number")
    return value
