"""The API server without its HTTP: a request in, an answer out.

`http/` calls `handle` for each request and `tick` when time has passed; tests do the same with a `ManualClock`. A
request for a resource goes through `dispatch.py` to one of the verbs, one for a document to `publish/`. Whatever goes
wrong becomes a Status here, and a bug becomes a 500 with a traceback in the log: `handle` never raises.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Mapping, Sequence

from twinloop.apiserver import admission, builtin, failures, media, pods, render, scale, service_tokens
from twinloop.apiserver.answer import Answer, WatchAnswer
from twinloop.apiserver.clock import Clock
from twinloop.apiserver.controllers import Controllers
from twinloop.apiserver.dispatch import dispatch
from twinloop.apiserver.expiry import Expiry
from twinloop.apiserver.failures import Failure
from twinloop.apiserver.internal import Internal
from twinloop.apiserver.kinds import Registry
from twinloop.apiserver.publish.paths import Documents
from twinloop.apiserver.request import Request, locate
from twinloop.apiserver.schemas.definitions import Definitions
from twinloop.apiserver.storage import HISTORY, Storage
from twinloop.apiserver.tally import Tally
from twinloop.apiserver.verbs.call import Admit, Phase

pods.register()
scale.register()
service_tokens.register()
log = logging.getLogger(__name__)


# What every cluster has from the beginning.
SYSTEM_NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")


class ApiServer:
    """A cluster's API. `controllers` says which of them run: all, none, or those of these names."""

    def __init__(
        self,
        *,
        clock: Clock,
        rng: random.Random,
        controllers: bool | set[str] = True,
        history: int = HISTORY,
    ) -> None:
        self.clock, self.rng = clock, rng
        self.storage = Storage(history)
        self.registry = Registry()
        self.admission: Mapping[Phase, Sequence[Admit]] = {
            "mutating": admission.MUTATING,
            "validating": admission.VALIDATING,
        }
        self.tally = Tally()
        self.internal = Internal(self)
        builtin.register(self.registry)
        self.definitions = Definitions(self)
        self.storage.on_restore.append(self.definitions.resync)
        self.documents = Documents(self)
        # Definitions hear of an event first: the controllers, which enlist themselves, find the registry in step.
        self.storage.listeners.append(self.definitions.observe)
        self.expiry = Expiry(self.storage, clock)
        self.controllers = Controllers(self, controllers)
        self._create_system_namespaces()

    def _create_system_namespaces(self) -> None:
        kind = self.registry.find("", "v1", "namespaces")
        assert kind is not None  # noqa: S101 - `builtin.register` has just added it
        for name in SYSTEM_NAMESPACES:
            self.internal.create(kind, {"metadata": {"name": name}}, manager="kube-apiserver")

    def handle(self, request: Request) -> Answer | WatchAnswer:
        """Answer a request."""
        try:
            return self._answer(request)
        except Failure as failure:
            return render.failed(failure, media.of_failure(request))
        except Exception:
            log.exception("%s %s", request.method, request.path)
            return render.failed(failures.internal_error("see the server's log"), media.PLAIN)

    def _answer(self, request: Request) -> Answer | WatchAnswer:
        target = locate(request.path, self.registry)
        if target is not None:
            answer = dispatch(self, request, target)
            self.tally.note(request, target, answer.code)
            return answer
        return self.documents.answer(request)

    def tick(self) -> float | None:
        """Let the controllers do what is due; returns the clock time at which there is something to do again."""
        now = self.clock.now()
        working = (self.definitions, self.expiry, *self.controllers)
        for each in working:
            try:
                each.run(now)
            except Exception:  # or nobody would ever set the timer again
                log.exception("a controller failed")
        return min((at for each in working if (at := each.due()) is not None), default=None)
