"""Cases as data: what a YAML file of `cases/` says, turned into `Case` and `Step` objects.

First stop of a case; `play.py` takes over. A file holds `templates` (objects that bodies build on with `$use`) and
`cases`. A case with `each` stands for several: one for every entry, whose values replace `$name` in the steps.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from string import Template
from typing import Any

import yaml

HERE = Path(__file__).parent
CASES = HERE / "cases"

CONTENT_TYPES = {
    "json": "application/json",
    "yaml": "application/yaml",
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "patch": "application/json-patch+json",
    "apply": "application/apply-patch+yaml",
}
ACCEPTS = {
    "table": "application/json;as=Table;v=v1;g=meta.k8s.io",
    # What kubectl get sends.
    "kubectl": "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json",
    "partial": "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
    "partiallist": "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
}


class BadCase(ValueError):
    """A case that says something impossible; the message names it."""


@dataclass(frozen=True, repr=False)
class Step:
    """One request, one look at an open watch, or one comparison of saved values. See docs/conformance.md for the words."""

    do: str = ""  # METHOD path?query
    body: Any = None
    raw: str | None = None  # a body that is not JSON made from data
    fill: int = 0  # how many letters replace $fill in the body
    type: str = ""  # Content-Type, or a short name for one
    accept: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    user: str = "admin"  # admin, nobody (no credentials) or wrong (a bearer token that nobody gave out)
    save: Mapping[str, str] = field(default_factory=dict)  # name: path in the answer
    until: Mapping[str, Any] = field(default_factory=dict)  # path (or `code`): value; the request repeats until then
    watch: str = ""  # the name under which the stream stays open
    read: str = ""  # a watch opened before
    events: int = 0  # how many events to wait for
    upto: str = ""  # wait for an event about the object of this name instead
    last: bool = False  # what the stream brings after these events does not count
    end: bool = False  # wait until the server ends the stream
    relate: tuple[str, ...] = ()  # two resource versions: which is older
    pause: float = 0.0  # seconds, where only time helps
    pick: tuple[str, ...] = ()  # the only parts of the body that count
    drop: tuple[str, ...] = ()  # parts of the body that do not count
    quiet: bool = False  # only the code counts: a preparation that another case compares
    unordered: str = ""  # a list in the body, or `events`, whose order means nothing

    def __repr__(self) -> str:
        said = {each.name: getattr(self, each.name) for each in fields(self)}
        shown = (f"{name}={value!r}" for name, value in said.items() if value != getattr(Step, name, None))
        return f"Step({', '.join(shown)})"


@dataclass(frozen=True)
class Case:
    """A story of steps in a namespace of its own."""

    name: str
    group: str  # the file it comes from
    steps: tuple[Step, ...]
    operator: bool = False  # kopf, the reflector or kubectl sends exactly this
    why: str = ""  # what is special, for a reader

    @property
    def watches(self) -> bool:
        """Whether the case counts as one on watch."""
        return any(step.watch for step in self.steps)


def load_all(folder: Path = CASES) -> list[Case]:
    """Every case of every file, in the order of the files' names."""
    cases = [case for path in sorted(folder.glob("*.yaml")) for case in load(path)]
    names = [case.name for case in cases]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise BadCase(f"two cases of one name: {sorted(twice)}")
    return cases


def load(path: Path) -> Iterator[Case]:
    """The cases of one file."""
    document = yaml.safe_load(path.read_text())
    templates = {**_shared_templates(path.parent), **document.get("templates", {})}
    for entry in document["cases"]:
        yield from _expanded(
            entry, path.stem.partition("-")[2] or path.stem, templates, document.get("operator", False)
        )


def _shared_templates(folder: Path) -> dict[str, Any]:
    shared = folder.parent / "templates.yaml"
    return dict(yaml.safe_load(shared.read_text())) if shared.exists() else {}


def _expanded(entry: dict[str, Any], group: str, templates: Mapping[str, Any], operator: bool) -> Iterator[Case]:
    for suffix, values in (entry.get("each") or {"": {}}).items():
        name = f"{entry['case']}-{suffix}" if suffix else entry["case"]
        steps = resolve(substitute(entry["steps"], values), templates)
        try:
            made = tuple(_step(step) for step in steps)
        except (TypeError, KeyError) as error:
            raise BadCase(f"case {name}: {error}") from error
        yield Case(f"{group}/{name}", group, made, entry.get("operator", operator), entry.get("why", ""))


_KNOWN = {each.name for each in fields(Step)}


def _step(data: dict[str, Any]) -> Step:
    unknown = set(data) - _KNOWN
    if unknown:
        raise BadCase(f"no such words in a step: {sorted(unknown)}")
    lists: dict[str, Any] = {key: tuple(data[key]) for key in ("relate", "pick", "drop") if key in data}
    accept, content = data.get("accept", "application/json"), data.get("type", "")
    media = {"accept": ACCEPTS.get(accept, accept), "type": CONTENT_TYPES.get(content, content)}
    return Step(**{**data, **lists, **media})


def resolve(value: Any, templates: Mapping[str, Any]) -> Any:
    """`value` with every mapping that has `$use` laid over the template of that name."""
    if isinstance(value, list):
        return [resolve(each, templates) for each in value]
    if not isinstance(value, dict):
        return value
    own = {key: resolve(each, templates) for key, each in value.items() if key != "$use"}
    if "$use" not in value:
        return own
    return merged(resolve(templates[value["$use"]], templates), own)


def merged(base: Any, over: Any) -> Any:
    """`over` laid over `base`: mappings by key, null takes a key away, all else replaces."""
    if not (isinstance(base, dict) and isinstance(over, dict)):
        return copy.deepcopy(over)
    kept = {key: merged(base[key], over[key]) if key in over else copy.deepcopy(base[key]) for key in base}
    return {key: each for key, each in {**over, **kept}.items() if each is not None}


def substitute(value: Any, values: Mapping[str, Any]) -> Any:
    """`value` with $name replaced everywhere; a string that is nothing but $name takes the value's own type."""
    if isinstance(value, dict):
        return {str(substitute(key, values)): substitute(each, values) for key, each in value.items()}
    if isinstance(value, list):
        return [substitute(each, values) for each in value]
    if not isinstance(value, str) or "$" not in value:
        return value
    whole = re.fullmatch(r"\$(\w+)", value)
    if whole and whole[1] in values:
        return copy.deepcopy(values[whole[1]])
    return Template(value).safe_substitute({key: str(each) for key, each in values.items()})
