"""A server for tests and demos: `with LocalServer() as server:` and it answers.

By default a process of its own, which ends with the block, or with this process if that dies first. With
`in_process=True` it runs in a thread of this process on a clock that stands still until `advance` moves it, and
`server` and `call` reach behind the API.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import yaml

from twinloop.apiserver.http.control import CONTROL
from twinloop.apiserver.http.hosts import PATIENCE, LocalServerError, ProcessHost, ThreadHost
from twinloop.apiserver.http.settings import Settings
from twinloop.apiserver.server import ApiServer
from twinloop.apiserver.storage import HISTORY

__all__ = ["LocalServer", "LocalServerError"]

T = TypeVar("T")


class LocalServer:
    """A running server. `url` is for clients that send the token over plain HTTP, the kubeconfig's says https.

    `controllers`: the names of those that run, None for all; `delays`: the kubelet's, see its `Delays`; `manual_clock`:
    time stands still but for `advance`, which is so with `in_process` unless it is False; `log`:
    where the process's standard error goes, by default to this one's.
    """

    def __init__(
        self,
        *,
        in_process: bool = False,
        manual_clock: bool | None = None,
        controllers: Iterable[str] | None = None,
        delays: Mapping[str, float] | None = None,
        history: int = HISTORY,
        seed: int | None = None,
        log: Path | None = None,
    ) -> None:
        self._in_process, self._log = in_process, log
        self._settings = Settings(
            controllers=None if controllers is None else tuple(controllers),
            delays=dict(delays or {}),
            history=history,
            seed=seed,
            manual_clock=in_process if manual_clock is None else manual_clock,
            with_parent=not in_process,
        )
        self._host: ProcessHost | ThreadHost | None = None
        self._folder: Path | None = None
        self.kubeconfig = Path()
        self.url = self.token = ""

    def __enter__(self) -> Self:
        # Only here: what is never entered leaves nothing behind.
        self._folder = Path(tempfile.mkdtemp(prefix="twinloop-"))
        self.kubeconfig = self._folder / "kubeconfig"
        settings = replace(self._settings, kubeconfig=str(self.kubeconfig))
        self._host = ThreadHost(settings) if self._in_process else ProcessHost(settings, self._log)
        try:
            self._host.start(self.kubeconfig)
        except BaseException:
            self.close()
            raise
        config = yaml.safe_load(self.kubeconfig.read_text())
        self.url = config["clusters"][0]["cluster"]["server"].replace("https:", "http:")
        self.token = config["users"][0]["user"]["token"]
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop the server; the kubeconfig goes too."""
        if self._host is not None:
            self._host.stop()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def pid(self) -> int:
        """The server's process, which is this one with `in_process`; 0 when there is none."""
        return self._host.pid if self._host is not None else 0

    # ------------------------------------------------------------------ control

    def compact(self, revision: int | None = None) -> None:
        """Forget the history up to a revision, by default all of it: older watches and continue tokens get 410."""
        self._control("compact", revision=revision)

    def limit_history(self, limit: int) -> None:
        """Keep so many events from now on."""
        self._control("history", limit=limit)

    def snapshot(self) -> int:
        """Remember all objects as they are now; the number is for `restore`."""
        return int(self._control("snapshot")["snapshot"])

    def restore(self, snapshot: int | None = None) -> None:
        """Go back to a snapshot, by default the last; resource versions rewind and all watches end."""
        self._control("restore", snapshot=snapshot)

    def freeze_kubelet(self, *, frozen: bool = True) -> None:
        """Pods stay as they are until `frozen=False`."""
        self._control("kubelet", frozen=frozen)

    def delay_kubelet(self, **delays: float) -> None:
        """Change how long the kubelet takes: `start_after`, `ready_after`, `stop_after` and so on, in seconds."""
        self._control("kubelet", delays=delays)

    def order_pod(self, namespace: str, name: str, **said: str) -> None:
        """Tell a pod what to do: `ready="false"`, `phase="Failed"`, `crashes="3"`, `image="missing"` and so on."""
        self._control("kubelet", order={"namespace": namespace, "name": name, **said})

    def advance(self, seconds: float) -> None:
        """Let time pass on a manual clock; returns when all that was due has been done."""
        self._control("clock", advance=seconds)

    def _control(self, command: str, **values: Any) -> Any:
        given = {name: value for name, value in values.items() if value is not None}
        return post(self.url + CONTROL + command, self.token, given)

    # ------------------------------------------------------------------ in_process only

    @property
    def server(self) -> ApiServer:
        """What answers. It belongs to the server's thread: use `call` while requests may come."""
        return self._thread.running.server

    def call(self, function: Callable[[ApiServer], T]) -> T:
        """Run a function in the server's thread, between two requests."""
        return self._thread.call(function)

    @property
    def _thread(self) -> ThreadHost:
        if not isinstance(self._host, ThreadHost):
            raise LocalServerError("this server is a process of its own", hint="Use LocalServer(in_process=True).")
        return self._host


# A proxy of the environment is not for loopback.
_DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def post(url: str, token: str, values: Mapping[str, Any]) -> Any:
    """POST JSON and return the answer's. Raises LocalServerError with the server's message."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(values).encode(), headers, method="POST")  # noqa: S310
    try:
        with _DIRECTLY.open(request, timeout=PATIENCE) as answer:
            return json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            message = json.loads(error.read())["message"]
        raise LocalServerError(message, hint="docs/apiserver.md lists the control commands.") from None
