"""Query parameters: what the options of a verb say, and which of them make no sense.

`verbs/` ask for the options of their verb. Parsing follows apimachinery's conversion/queryparams (a flag is true unless
it says false or 0, a number must be one), checking its meta validation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

from twinloop.apiserver import failures
from twinloop.apiserver.fielderrors import FieldError, forbidden, invalid, not_supported, required, too_long
from twinloop.apiserver.request import Request

_FIELD_MANAGER_LIMIT = 128
_INT64 = 1 << 63


@dataclass(frozen=True, slots=True)
class ListOptions:
    """What a list or watch asks for. Selectors are still text, versions still strings."""

    label_selector: str = ""
    field_selector: str = ""
    watch: bool = False
    bookmarks: bool = False
    version: str = ""
    match: str = ""
    timeout: int | None = None
    limit: int = 0
    token: str = ""
    initial_events: bool | None = None


@dataclass(slots=True)
class WriteOptions:
    """What a create, update or patch asks for."""

    dry_run: bool = False
    field_manager: str = ""
    field_validation: str = "Warn"
    force: bool = False


@dataclass(slots=True)
class DeleteOptions:
    """What a delete asks for. None: not said."""

    grace: int | None = None
    uid: str | None = None
    version: str | None = None
    orphan: bool | None = None
    propagation: str | None = None
    dry_run: list[Any] = field(default_factory=list)


def list_options(request: Request, *, forced: bool = False) -> ListOptions:
    """The options of a list or watch; raises 400 for what cannot be read, 422 for what cannot be together.

    `forced`: the path itself says that it is a watch.
    """
    found = ListOptions(
        label_selector=request.first("labelSelector"),
        field_selector=request.first("fieldSelector"),
        watch=flag(request, "watch"),
        bookmarks=flag(request, "allowWatchBookmarks"),
        version=request.first("resourceVersion"),
        match=request.first("resourceVersionMatch"),
        timeout=number(request, "timeoutSeconds"),
        limit=number(request, "limit") or 0,
        token=request.first("continue"),
        initial_events=flag(request, "sendInitialEvents") if _has(request, "sendInitialEvents") else None,
    )
    found = _with_initial_events(found)
    _refuse("ListOptions", _watch_errors(found) if found.watch else _list_errors(found))
    return replace(found, watch=True) if forced else found


def _with_initial_events(options: ListOptions) -> ListOptions:
    """A watch from no version, or from 0, is one with initial events since WatchList is on by default."""
    legacy = options.watch and options.version in {"", "0"}
    if not legacy or options.initial_events is not None or options.match:
        return options
    return replace(options, initial_events=True, match="NotOlderThan")


def _list_errors(options: ListOptions) -> list[FieldError]:
    found: list[FieldError] = []
    match = options.match
    if match and not options.version:
        found.append(_no_match("resourceVersionMatch is forbidden unless resourceVersion is provided"))
    if match and options.token:
        found.append(_no_match("resourceVersionMatch is forbidden when continue is provided"))
    if match not in {"", "Exact", "NotOlderThan"}:
        found.append(not_supported("resourceVersionMatch", match, ["Exact", "NotOlderThan", ""]))
    if match == "Exact" and options.version == "0":
        found.append(_no_match('resourceVersionMatch "exact" is forbidden for resourceVersion "0"'))
    if options.initial_events is not None:
        found.append(forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"))
    return found


def _watch_errors(options: ListOptions) -> list[FieldError]:
    found: list[FieldError] = []
    match = options.match
    if options.initial_events is not None and match != "NotOlderThan":
        found.append(_no_match("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"))
    if match and options.initial_events is None:
        found.append(_no_match("resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"))
    if match not in {"", "NotOlderThan"}:
        found.append(not_supported("resourceVersionMatch", match, ["NotOlderThan"]))
    if match and options.token:
        found.append(_no_match("resourceVersionMatch is forbidden when continue is provided"))
    return found


def _no_match(why: str) -> FieldError:
    return forbidden("resourceVersionMatch", why)


def write_options(request: Request, kind: str, *, apply: bool = False) -> WriteOptions:
    """The options of a write; `kind` is CreateOptions, UpdateOptions or PatchOptions."""
    manager, validation = request.first("fieldManager"), request.first("fieldValidation")
    dry_run = [value for key, value in request.query if key == "dryRun"]
    force = flag(request, "force")
    errors: list[FieldError] = []
    if apply and not manager:
        errors.append(required("fieldManager", "is required for apply patch"))
    if not apply and kind == "PatchOptions" and _has(request, "force"):
        errors.append(forbidden("force", "may not be specified for non-apply patch"))
    errors += [*field_manager_errors(manager), *dry_run_errors(dry_run)]
    if validation not in {"", "Ignore", "Warn", "Strict"}:
        errors.append(not_supported("fieldValidation", validation, ["", "Ignore", "Strict", "Warn"]))
    _refuse(kind, errors)
    return WriteOptions(bool(dry_run), manager, validation or "Warn", force)


def delete_options(request: Request, body: dict[str, Any] | None) -> DeleteOptions:
    """The options of a delete: those of the body, or without one those of the query."""
    found = _from_body(body) if body is not None else _from_query(request)
    errors: list[FieldError] = []
    if found.orphan is not None and found.propagation is not None:
        detail = "orphanDependents and deletionPropagation cannot be both set"
        errors.append(invalid("propagationPolicy", found.propagation, detail))
    if found.propagation not in {None, "Foreground", "Background", "Orphan"}:
        allowed = ["Foreground", "Background", "Orphan", "nil"]
        errors.append(not_supported("propagationPolicy", found.propagation, allowed))
    errors += dry_run_errors(found.dry_run)
    _refuse("DeleteOptions", errors)
    return found


def _from_query(request: Request) -> DeleteOptions:
    orphan = flag(request, "orphanDependents") if _has(request, "orphanDependents") else None
    return DeleteOptions(
        grace=number(request, "gracePeriodSeconds"),
        orphan=orphan,
        propagation=request.first("propagationPolicy") if _has(request, "propagationPolicy") else None,
        dry_run=[value for key, value in request.query if key == "dryRun"],
    )


def _from_body(body: dict[str, Any]) -> DeleteOptions:
    preconditions = body.get("preconditions") or {}
    return DeleteOptions(
        grace=body.get("gracePeriodSeconds"),
        uid=preconditions.get("uid"),
        version=preconditions.get("resourceVersion"),
        orphan=body.get("orphanDependents"),
        propagation=body.get("propagationPolicy"),
        dry_run=body.get("dryRun") or [],
    )


def dry_run_errors(values: list[Any]) -> list[FieldError]:
    """Only All can be asked for."""
    if all(value == "All" for value in values):
        return []
    return [not_supported("dryRun", values, ["All"])]


def field_manager_errors(manager: str, path: str = "fieldManager") -> list[FieldError]:
    """A manager's name is short and printable."""
    found = [too_long(path, _FIELD_MANAGER_LIMIT)] if len(manager.encode()) > _FIELD_MANAGER_LIMIT else []
    for position, letter in enumerate(manager):
        if not letter.isprintable():
            detail = f"invalid character U+{ord(letter):04X} (at position {position})"
            found.append(invalid(path, manager, detail))
    return found


def manager_of(options: WriteOptions, user_agent: str) -> str:
    """Whom managedFields name: the field manager, else the program that asks."""
    if options.field_manager:
        return options.field_manager
    program = "".join(letter for letter in user_agent.partition("/")[0] if letter.isprintable())
    return program.encode()[:_FIELD_MANAGER_LIMIT].decode(errors="ignore")


def flag(request: Request, name: str) -> bool:
    """A boolean parameter: there, and neither false nor 0."""
    return _has(request, name) and request.first(name).lower() not in {"false", "0"}


def number(request: Request, name: str) -> int | None:
    """An integer parameter; None when it is not there; raises 400 in strconv's words."""
    if not _has(request, name):
        return None
    text = request.first(name)
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        raise failures.bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    value = int(text)
    if not -_INT64 <= value < _INT64:
        raise failures.bad_request(f'strconv.ParseInt: parsing "{text}": value out of range')
    return value


def _has(request: Request, name: str) -> bool:
    return any(key == name for key, _ in request.query)


def _refuse(kind: str, errors: list[FieldError]) -> None:
    if errors:
        raise failures.invalid("meta.k8s.io", kind, "", errors)
