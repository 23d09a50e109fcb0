"""GET: one object, or a list with selectors, pages and resource versions.

A list comes from the present records unless an exact version or a continue token asks for an older state, which the
history can make again until it is compacted. The server turns the records into the form that the client accepts.
"""

from __future__ import annotations

import base64
import binascii
import json
import posixpath
import re
from dataclasses import dataclass

from twinloop.apiserver import codec, failures
from twinloop.apiserver.failures import Failure
from twinloop.apiserver.history import Record
from twinloop.apiserver.options import ListOptions
from twinloop.apiserver.verbs.call import Call
from twinloop.apiserver.verbs.selection import Selection, select

_LATEST = -1  # the revision in a token that goes on with whatever is there now


@dataclass(frozen=True, slots=True)
class Page:
    """A list's records and its metadata. `remaining` is None when it is not known or nothing remains."""

    records: list[Record]
    revision: int
    token: str = ""
    remaining: int | None = None


def get(call: Call, version: str) -> Record:
    """One object; a version is only checked, the answer is always the present state."""
    asked = parse_version(version, bare=True)
    if asked > call.storage.revision:
        raise failures.too_large_version(asked, call.storage.revision)
    return call.find()


def list_page(call: Call, options: ListOptions) -> Page:
    """A list, or a page of one."""
    selection = select(call.kind, call.namespace, call.name, options)
    if options.token:
        return _continued(call, options, selection)
    asked = parse_version(options.version)
    if asked > call.storage.revision:
        raise failures.too_large_version(asked, call.storage.revision)
    if _is_exact(options, asked):
        return _exact(call, options, selection, asked)
    limit = 0 if options.version == "0" else options.limit  # the watch cache answers version 0 whole
    return _page(selection, call.storage.list(call.resource, call.namespace), call.storage.revision, limit)


def _is_exact(options: ListOptions, asked: int) -> bool:
    """Whether the state at a version is asked for, and no later one: said so, or a first page at a version."""
    return options.match == "Exact" or (asked > 0 and options.limit > 0 and not options.match)


def _exact(call: Call, options: ListOptions, selection: Selection, revision: int) -> Page:
    try:
        records = records_at(call, revision)
    except Failure:
        raise failures.list_expired() from None
    return _page(selection, records, revision, options.limit)


def _continued(call: Call, options: ListOptions, selection: Selection) -> Page:
    revision, start = decode_token(options.token)
    if options.version not in {"", "0"}:
        raise failures.bad_request("specifying resource version is not allowed when using continue")
    if revision > call.storage.revision:
        raise failures.too_large_version(revision, call.storage.revision)
    try:
        records = records_at(call, revision) if revision > 0 else call.storage.list(call.resource, call.namespace)
    except Failure:
        raise failures.continue_expired(encode_token(_LATEST, start)) from None
    rest = [record for record in records if _key(call, record) >= start]
    return _page(selection, rest, revision if revision > 0 else call.storage.revision, options.limit)


def records_at(call: Call, revision: int) -> list[Record]:
    """The collection as it was; raises when that is forgotten."""
    records = call.storage.at(call.resource, revision)
    return [each for each in records if each.namespace == call.namespace] if call.namespace else records


def _page(selection: Selection, records: list[Record], revision: int, limit: int) -> Page:
    """As many selected records as the limit allows.

    Whether there is more is told without looking at the selection, so that the next page may be empty.
    """
    if limit <= 0 or len(records) <= limit or selection.one:
        return Page(_selected(selection, records), revision)
    found: list[Record] = []
    end = 0
    while end < len(records) and len(found) < limit:
        if selection.matches(records[end]):
            found.append(records[end])
        end += 1
    if end == len(records):
        return Page(found, revision)
    last = found[-1]
    start = f"/{last.name}\0" if selection.namespace else last.key.removeprefix("/") + "\0"
    return Page(found, revision, encode_token(revision, start), len(records) - end if selection.all else None)


def _selected(selection: Selection, records: list[Record]) -> list[Record]:
    return records if selection.all else [each for each in records if selection.matches(each)]


def _key(call: Call, record: Record) -> str:
    """A record's key below what the request names: what a continue token starts from."""
    return record.name if call.namespace else record.key.removeprefix("/")


def parse_version(text: str, *, bare: bool = False) -> int:
    """A resourceVersion parameter; 0 when it is not there. Raises 400, or `bare` the 500 that get and watch answer."""
    if not text:
        return 0
    if not re.fullmatch(r"[0-9]+", text):
        why = f'strconv.ParseUint: parsing "{text}": invalid syntax'
    elif int(text) >= 1 << 64:
        why = f'strconv.ParseUint: parsing "{text}": value out of range'
    else:
        return int(text)
    message = f'resourceVersion: Invalid value: "{text}": {why}'
    raise Failure(500, "", message) if bare else failures.bad_request(f"invalid resource version: {message}")


def encode_token(revision: int, start: str) -> str:
    """A continue token, in the form that apiserver uses."""
    text = json.dumps({"v": "meta.k8s.io/v1", "rv": revision, "start": start}, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_token(token: str) -> tuple[int, str]:
    """The revision and the first key of the next page. Raises 400."""
    try:
        found = codec.decode(_unpadded(token)).value
    except ValueError as error:
        raise _bad_token(f"continue key is not valid: {error}") from None
    if not isinstance(found, dict):
        what = f"json: cannot unmarshal {codec.go_type(found)} into Go value of type storage.continueToken"
        raise _bad_token(f"continue key is not valid: {what}")
    version, revision, start = found.get("v", ""), found.get("rv", 0), found.get("start", "")
    if version != "meta.k8s.io/v1":
        raise _bad_token(f"continue key is not valid: server does not recognize this encoded version {version}")
    if not isinstance(revision, int) or not revision:
        raise _bad_token("continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)")
    if not isinstance(start, str) or not start:
        raise _bad_token("continue key is not valid: encoded start key empty (version meta.k8s.io/v1)")
    key = start if start.startswith("/") else f"/{start}"
    if key.startswith("//") or posixpath.normpath(key) != key:  # a key that leads out of the collection
        raise _bad_token(f"continue key is not valid: {start}")
    return revision, start.removeprefix("/")


def _unpadded(token: str) -> bytes:
    try:
        return base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise ValueError("illegal base64 data at input byte 0") from None


def _bad_token(why: str) -> Failure:
    return failures.bad_request(f"invalid continue token: {why}")
