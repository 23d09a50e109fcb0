"""/openapi/v3: an index of group versions with their hashes, and a document for each.

`paths.py` calls `OpenApi.answer`. kubectl reads the index before `apply`, `create`, `diff` and `explain`, then the
document of the one group version that it is about, under a URL that carries its hash, and keeps that for good. Documents
of built-in groups come as they are from `builtin/documents.py`, those of custom resources from `custom_openapi.py`.

Only JSON is served, and no /openapi/v2: kubectl asks for that under `explain --output=plaintext-openapiv2` alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from twinloop.apiserver import codec
from twinloop.apiserver.answer import Answer
from twinloop.apiserver.builtin import documents
from twinloop.apiserver.publish.custom_openapi import CustomDocuments
from twinloop.apiserver.publish.formats import JSON, accepted, cached, digest
from twinloop.apiserver.publish.host import Host
from twinloop.apiserver.request import Request

_FOREVER = "Thu, 31 Dec 2099 23:59:59 GMT"


class OpenApi:
    """The index and the documents."""

    def __init__(self, host: Host) -> None:
        self._custom = CustomDocuments(host)

    def answer(self, request: Request, path: str) -> Answer:
        """The index for an empty path, else the document of a path such as apis/apps/v1."""
        if not path and not request.path.endswith("/"):
            return self._index()
        body = self._document(path)
        if body is None:
            return Answer(404, b"", "")
        if not any(media_type in {JSON, "*/*", "application/*"} for media_type, _ in accepted(request)):
            return Answer(406, b"", "", {"Vary": "Accept"})
        return _served(request, path, body, self._hashes()[path])

    def _index(self) -> Answer:
        paths = {path: {"serverRelativeURL": _url(path, tag)} for path, tag in sorted(self._hashes().items())}
        return Answer(200, codec.encode({"paths": paths}), "text/plain; charset=utf-8")

    def _hashes(self) -> Mapping[str, str]:
        custom = {path: digest(body) for path, body in self._custom.all().items()}
        return {**{path: _builtin_digest(path) for path in documents.document_paths()}, **custom}

    def _document(self, path: str) -> bytes | None:
        if path in documents.document_paths():
            return documents.document_bytes(path)
        return self._custom.all().get(path)


@cache
def _builtin_digest(path: str) -> str:
    return digest(documents.document_bytes(path))


def _url(path: str, tag: str) -> str:
    return f"/openapi/v3/{path}?hash={tag}"


def _served(request: Request, path: str, body: bytes, tag: str) -> Answer:
    """The document; for good under its right hash, from there also when another was asked for."""
    wanted = request.first("hash")
    if wanted and wanted != tag:
        return Answer(301, b"", JSON, {"Location": _url(path, tag), "Etag": f'"{tag}"', "Vary": "Accept"})
    headers = {"Vary": "Accept"}
    if wanted:
        headers |= {"Cache-Control": "public, immutable", "Expires": _FOREVER}
    return cached(request, Answer(200, body, JSON, headers), tag)
