"""The API server without its HTTP: a request in, an answer out.

`http/` calls `handle` for each request and `tick` when time has passed; tests do the same with a `ManualClock`. A
request for a resource goes through `dispatch.py` to one of the verbs, one for a document to `publish/`. Whatever goes
wrong becomes a Status here, and a bug becomes a 500 with a traceback in the log: `handle` never raises.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Mapping, Sequence

from twinloop.apiserver import failures, media, render
from twinloop.apiserver.answer import Answer, WatchAnswer, text_answer
from twinloop.apiserver.clock import Clock
from twinloop.apiserver.dispatch import dispatch
from twinloop.apiserver.failures import Failure
from twinloop.apiserver.history import Event
from twinloop.apiserver.internal import Internal
from twinloop.apiserver.kinds import Registry
from twinloop.apiserver.request import Request, locate
from twinloop.apiserver.storage import HISTORY, Storage
from twinloop.apiserver.verbs.call import Admit, Phase

log = logging.getLogger(__name__)


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
        self.admission: Mapping[Phase, Sequence[Admit]] = {"mutating": (), "validating": ()}
        self.internal = Internal(self)
        self.controllers = ()
        self.storage.listeners.append(self._observe)

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
            return dispatch(self, request, target)
        return text_answer(404, "404 page not found\n")

    def tick(self) -> float | None:
        """Let the controllers do what is due; returns the clock time at which there is something to do again."""
        for controller in self.controllers:
            controller.run(self.clock.now())
        due = [at for each in self.controllers if (at := each.due()) is not None]
        return min(due, default=None)

    def _observe(self, event: Event) -> None:
        for controller in self.controllers:
            controller.observe(event)
