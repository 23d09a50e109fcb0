"""Records as answers: an object, a list, a Table or metadata only, in JSON or YAML.

The verbs give records, `media.py` says which form the client accepts; here the two meet. What is served as it is stored
is never decoded: a list joins the stored bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from twinloop.apiserver import codec
from twinloop.apiserver.answer import Answer
from twinloop.apiserver.failures import Failure
from twinloop.apiserver.history import Record
from twinloop.apiserver.kinds import Kind
from twinloop.apiserver.media import Form
from twinloop.apiserver.publish import table
from twinloop.apiserver.verbs.call import load, served
from twinloop.apiserver.verbs.read import Page
from twinloop.apiserver.verbs.watch import Encode

Object = dict[str, Any]
Buffer = bytes | memoryview


def one(kind: Kind, record: Record, form: Form, now: float, code: int = 200) -> Answer:
    """The answer with one object."""
    if form.shape == "table":
        raw = codec.encode(table.table(kind, [record], _included(form), now))
    elif form.shape == "metadata":
        raw = codec.encode(partial(kind, record, form.group_version))
    else:
        raw = served(kind, record)
    return written(raw, form, code)


def many(kind: Kind, page: Page, form: Form, now: float) -> Answer:
    """The answer with a list."""
    if form.shape == "table":
        body = table.table(kind, page.records, _included(form), now)
        body["metadata"] = _list_meta(page)
        return written(codec.encode(body), form)
    if form.shape == "metadata":
        head = {"kind": "PartialObjectMetadataList", "apiVersion": form.group_version, "metadata": _list_meta(page)}
        encoded = (codec.encode(partial(kind, each, form.group_version)) for each in page.records)
        return written(_joined(head, b",", encoded), form)
    head = {
        "kind": kind.list_kind,
        "apiVersion": kind.api_version,
        "metadata": _list_meta(page, always_token=kind.custom),
    }
    if kind.custom:
        return written(_joined(head, b",", (served(kind, record) for record in page.records)), form)
    return written(_joined(head, b",{", _tails(kind, page.records)), form)


def _joined(head: Object, joint: bytes, items: Iterable[Buffer]) -> bytes:
    """A list's JSON, copied together once: lists are the largest thing that is ever sent.

    `joint` comes before each item; the first has no comma.
    """
    parts: list[Buffer] = [codec.encode(head)[:-1], b',"items":[']
    for item in items:
        parts += (joint, item)
    if len(parts) > 2:
        parts[2] = joint[1:]
    parts.append(b"]}")
    return b"".join(parts)


def _tails(kind: Kind, records: Iterable[Record]) -> Iterator[Buffer]:
    """The objects without their opening brace, kind and apiVersion, which items of built-in lists leave out."""
    head = len(codec.head_of(kind.kind, kind.api_version))
    for record in records:
        raw = served(kind, record)
        yield memoryview(raw)[record.head if raw is record.raw else head :]


def _list_meta(page: Page, *, always_token: bool = False) -> Object:
    meta: Object = {"resourceVersion": str(page.revision)}
    if page.token or always_token:
        meta["continue"] = page.token
    if page.remaining:
        meta["remainingItemCount"] = page.remaining
    return meta


def partial(kind: Kind, record: Record, group_version: str) -> Object:
    """An object's metadata by itself."""
    metadata = load(kind, record)["metadata"]
    return {"kind": "PartialObjectMetadata", "apiVersion": group_version, "metadata": metadata}


def in_watch(kind: Kind, form: Form, now: float) -> Encode:
    """How an object stands in a watch event of this form."""
    if form.shape == "table":
        return _Rows(kind, form, now)
    return _Metadata(kind, form) if form.shape == "metadata" else _Objects(kind)


@dataclass(frozen=True, slots=True)
class _Objects:
    """Events with whole objects."""

    kind: Kind

    def __call__(self, record: Record) -> bytes:
        return served(self.kind, record)

    def bookmark(self, metadata: Object) -> bytes:
        """An object with nothing but metadata, and the fields that a Go struct always has, such as an empty spec."""
        empty = {"kind": self.kind.kind, "apiVersion": self.kind.api_version, "metadata": metadata}
        if not self.kind.custom:
            self.kind.strategy.decode(empty)
        return codec.encode(empty)


@dataclass(frozen=True, slots=True)
class _Metadata:
    """Events with metadata alone."""

    kind: Kind
    form: Form

    def __call__(self, record: Record) -> bytes:
        return codec.encode(partial(self.kind, record, self.form.group_version))

    def bookmark(self, metadata: Object) -> bytes:
        """The metadata of no object."""
        return codec.encode(
            {"kind": "PartialObjectMetadata", "apiVersion": self.form.group_version, "metadata": metadata}
        )


@dataclass(slots=True)
class _Rows:
    """Events with Tables of one row, of which only the first says what the columns are."""

    kind: Kind
    form: Form
    now: float
    headers: bool = True

    def __call__(self, record: Record) -> bytes:
        made = table.table(self.kind, [record], _included(self.form), self.now, headers=self.headers)
        self.headers = False
        return codec.encode(made)

    def bookmark(self, metadata: Object) -> bytes:
        """A row of empty cells, whose object carries the metadata."""
        made = table.table(self.kind, [], _included(self.form), self.now, headers=self.headers)
        columns = len(self.kind.strategy.columns) or 2
        shown = {"kind": "PartialObjectMetadata", "apiVersion": self.form.group_version, "metadata": metadata}
        self.headers = False
        made["metadata"] = {"resourceVersion": metadata["resourceVersion"]}
        made["rows"] = [{"cells": ["", *[None] * (columns - 1)], "object": shown}]
        return codec.encode(made)


def _included(form: Form) -> str:
    return form.include_object or "Metadata"


def value(body: Object, form: Form, code: int = 200) -> Answer:
    """The answer with an object that is not stored, such as a Status or a Scale."""
    return written(codec.encode(body), form, code)


def failed(failure: Failure, form: Form) -> Answer:
    """The answer that says what went wrong."""
    answer = written(codec.encode(failure.status), form, failure.code)
    answer.headers.update(failure.headers)
    return answer


def written(raw: bytes, form: Form, code: int = 200) -> Answer:
    """JSON in the dress that was asked for."""
    if form.yaml:
        text = yaml.safe_dump(json.loads(raw), sort_keys=True, allow_unicode=True)
        return Answer(code, text.encode(), "application/yaml")
    if form.pretty:
        return Answer(code, json.dumps(json.loads(raw), indent=2, ensure_ascii=False).encode())
    return Answer(code, raw)
