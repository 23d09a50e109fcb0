"""Which form of an answer a client accepts: the object itself, its metadata only, or a Table; JSON or YAML.

`server.py` asks before a verb runs, so that an answer nobody can read changes nothing. The rules are those of
apiserver's content negotiation; protobuf and CBOR are not spoken here, which clients cope with by asking for JSON too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from twinloop.apiserver import failures
from twinloop.apiserver.fielderrors import invalid
from twinloop.apiserver.kinds import Kind
from twinloop.apiserver.request import Request

Shape = Literal["object", "metadata", "table"]

_JSON, _YAML = "application/json", "application/yaml"
_WRITTEN = {_JSON, _YAML, "*/*", "application/*", ""}
_READ = (_JSON, _YAML, "application/vnd.kubernetes.protobuf")
_ROUTED = {*_READ, "*/*"}  # what the router of built-in kinds knows, which does not understand application/*
_SHAPES: dict[str, Shape] = {
    "Table": "table",
    "PartialObjectMetadata": "metadata",
    "PartialObjectMetadataList": "metadata",
}


@dataclass(frozen=True, slots=True)
class Form:
    """How to answer. `group_version` is that of a Table or PartialObjectMetadata, such as meta.k8s.io/v1."""

    shape: Shape = "object"
    yaml: bool = False
    pretty: bool = False
    target: str = ""  # the kind that was asked for in place of the object's own
    group_version: str = ""
    include_object: str = ""


PLAIN = Form()


def negotiate(request: Request, *, watch: bool = False, listing: bool = False, custom: bool = False) -> Form:
    """The form of the answer to a request. Raises 406.

    `listing` and `custom` say what the request is for, which changes how a refusal is worded.
    """
    accept = request.headers.get("accept", "")
    if accept in {"", _JSON, "*/*"} and not request.query:
        return PLAIN
    clauses = _clauses(accept or "*/*")
    # Built-in kinds are routed by what they can write, before anybody looks at the details; a router knows no application/*.
    if not custom and not any(media_type in _ROUTED for media_type, _ in clauses):
        raise failures.not_routable(listing=listing)
    for media_type, parameters in clauses:
        form = _form(media_type, parameters, request, watch=watch)
        if form is not None:
            return form
    raise failures.not_acceptable(watch=watch)


def check_single(kind: Kind, form: Form) -> None:
    """Raises when a list's form is asked for and there is one object."""
    if form.target == "PartialObjectMetadataList":
        if kind.custom:
            raise failures.Failure(500, "", "content is not a list")
        why = f"you requested {form.target}, but the requested object is not a list (*{kind.go_package}.{kind.kind})"
        raise failures.Failure(406, "NotAcceptable", why)


def check_list(kind: Kind, form: Form) -> None:
    """Raises when one object's form is asked for and there is a list."""
    if form.target == "PartialObjectMetadata":
        name = "unstructured.UnstructuredList" if kind.custom else f"{kind.go_package}.{kind.list_kind}"
        why = f"you requested {form.target}, but the requested object is a list (*{name})"
        raise failures.Failure(406, "NotAcceptable", why)


def check_included(form: Form) -> None:
    """Raises 400 for a Table whose rows shall include something that there is not."""
    if form.shape == "table" and form.include_object not in {"", "None", "Metadata", "Object"}:
        shown = f'includeObject: Invalid value: "{form.include_object}"'
        why = f"Unable to convert to Table as requested: {shown}: must be 'Metadata', 'Object', 'None', or empty"
        raise failures.bad_request(why)


def _clauses(accept: str) -> list[tuple[str, dict[str, str]]]:
    """The media ranges of an Accept header, the most wanted first."""
    found = []
    for clause in accept.split(","):
        media_type, *rest = (part.strip() for part in clause.split(";"))
        parameters = dict(part.split("=", 1) for part in rest if "=" in part)
        found.append((media_type.lower(), parameters))
    return sorted(found, key=lambda each: -_quality(each[1]))


def _quality(parameters: dict[str, str]) -> float:
    try:
        return float(parameters.get("q", "1"))
    except ValueError:
        return 1.0


def _form(media_type: str, parameters: dict[str, str], request: Request, *, watch: bool) -> Form | None:
    if media_type not in _WRITTEN or (watch and media_type == _YAML):
        return None
    target = parameters.get("as", "")
    if target and (target not in _SHAPES or parameters.get("g") != "meta.k8s.io"):
        return None
    if target and parameters.get("v") not in {"v1", "v1beta1"}:
        return None
    included = request.first("includeObject")
    if target == "Table" and included not in {"", "None", "Metadata", "Object"}:
        why = str(invalid("includeObject", included, "must be 'Metadata', 'Object', 'None', or empty"))
        raise failures.bad_request(f"Unable to convert to Table as requested: {why}")
    return Form(
        shape=_SHAPES[target] if target else "object",
        yaml=media_type == _YAML,
        pretty=_pretty(request, parameters),
        target=target,
        group_version=f"meta.k8s.io/{parameters['v']}" if target else "",
        include_object=included,
    )


def _pretty(request: Request, parameters: dict[str, str]) -> bool:
    asked = request.first("pretty") or parameters.get("pretty", "")
    return asked in {"true", "1"}


def body_type(request: Request) -> str:
    """The media type of a request's body, JSON when nothing is said. Raises 415."""
    header = request.headers.get("content-type", "")
    media_type = header.split(";")[0].strip().lower() or _JSON
    if media_type not in {_JSON, _YAML}:
        raise failures.unsupported_media_type(_READ)
    return media_type


def of_failure(request: Request) -> Form:
    """The form in which a failure is told: a Status, in YAML to who reads nothing else."""
    accept = request.headers.get("accept", "")
    try:
        form = negotiate(request)
    except failures.Failure:
        return Form(pretty=True)  # as Go's fallback writes it
    return Form(yaml=form.yaml, pretty=form.pretty) if accept else PLAIN
