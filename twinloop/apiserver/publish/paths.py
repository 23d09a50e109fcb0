"""The paths that are no resources, and who answers each: `server.py` hands over every request that `locate` knows not.

Which of them take any method, which treat a closing slash as nothing and which 404 is a Status and which plain text is
as it grew in kube-apiserver's handler chain; clients such as kubectl look at none but GET.
"""

from __future__ import annotations

from urllib.parse import unquote

from twinloop.apiserver.answer import Answer
from twinloop.apiserver.publish import health, metrics, version
from twinloop.apiserver.publish.discovery import Discovery
from twinloop.apiserver.publish.formats import indented, page_not_found
from twinloop.apiserver.publish.host import Host
from twinloop.apiserver.publish.openapi import OpenApi
from twinloop.apiserver.request import Request


class Documents:
    """Everything that is published under a path of its own."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._discovery = Discovery(host)
        self._openapi = OpenApi(host)

    def answer(self, request: Request) -> Answer:
        """The document of a path. Raises the 404 and 405 that are a Status."""
        path = unquote(request.path)
        return self._find(request, path) or page_not_found()

    def _find(self, request: Request, path: str) -> Answer | None:  # noqa: PLR0911 - a table of paths
        match path.split("/")[1:]:
            case [""] | ["index.html"]:
                return self._index()
            case ["api" | "apis", *rest]:
                return self._discovery.answer(request, path, rest)
            case ["openapi", "v3", *rest]:
                return self._openapi.answer(request, "/".join(rest))
            case ["version", *rest]:
                return version.answer(request, rest)
            case ["healthz" | "livez" | "readyz" as probe, *rest]:
                return health.answer(request, probe, rest)
            case ["metrics"]:
                return metrics.answer(self._host)
            case _:
                return None

    def _index(self) -> Answer:
        paths = ["/openapi/v3", "/version", "/metrics", *self._discovery.paths(), *health.paths()]
        return indented(200, {"paths": sorted(paths)})
