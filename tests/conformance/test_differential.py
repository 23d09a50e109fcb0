"""Random sequences of requests get the same answers from the embedded server and from a real one.

Covered: create, update, the patch types, apply, delete with preconditions, deletecollection, get, list with selectors
and pages, and a watch over all of it, on a built-in and on a custom resource, with fresh, stale and missing versions.
Seeded and bounded: CONFORMANCE_SEED and CONFORMANCE_EXAMPLES change both. A failure is shrunk to the shortest
sequence that still differs.

Left out: anything that needs a controller, and times. Without a real server (CONFORMANCE_KUBECONFIG) nothing is
checked, and the test says so.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, note, seed, settings
from hypothesis import strategies as st

from conformance.case import CONTENT_TYPES, Case, Step
from conformance.compare import differences
from conformance.normal import calm, normalised
from conformance.play import Player
from conformance.servers import embedded, real
from conformance.suite import install_fixtures
from conformance.wire import Server

KUBECONFIG = os.environ.get("CONFORMANCE_KUBECONFIG", "")
EXAMPLES = int(os.environ.get("CONFORMANCE_EXAMPLES", "15"))
SEED = int(os.environ.get("CONFORMANCE_SEED", "20260101"))

pytestmark = [
    pytest.mark.skipif(
        not KUBECONFIG, reason="not checked: CONFORMANCE_KUBECONFIG names no real server (make conformance)"
    ),
    pytest.mark.timeout(900),
]

NAMES = ["a", "b", "c"]
LAST = "zz"  # made at the end of every sequence, so that a watch knows when it has seen everything
KINDS = {
    "secrets": ("$core/secrets", "v1", "Secret"),
    "widgets": ("$widgets", "conformance.twinloop.dev/v1", "Widget"),
}


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Server, Server]]:
    reference = real(KUBECONFIG, os.environ.get("CONFORMANCE_CONTEXT") or None)
    install_fixtures(reference)
    with embedded() as ours:
        yield reference, ours


# --- sequences --------------------------------------------------------------------------------------------------------

names = st.sampled_from(NAMES)
values = st.sampled_from(["", "eA==", "eQ=="])
labels = st.fixed_dictionaries({}, optional={"app": st.sampled_from(["web", "db"]), "tier": st.just("front")})
dry_runs = st.sampled_from(["", "", "", "dryRun=All"])
finalizers = st.sampled_from([None, None, None, ["example.com/f"], ["example.com/f", "example.com/g"]])


@st.composite
def metadata(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """What a body says about itself; a version is the newest that a GET saw, an old one, or none."""
    found: dict[str, Any] = {"name": name, "labels": draw(labels), "finalizers": draw(finalizers)}
    version = draw(st.sampled_from([None, None, f"$rv_{name}", "1"]))
    if version:
        found["resourceVersion"] = version
    return {key: each for key, each in found.items() if each}


@st.composite
def content(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    """What is particular to the kind, valid or not."""
    if kind == "secrets":
        return {"data": {"x": draw(values)}} if draw(st.booleans()) else {}
    spec = {
        "size": st.sampled_from(["small", "large", "huge"]),
        "replicas": st.integers(-1, 3),
        "tags": st.lists(st.sampled_from(["p", "q"]), max_size=2),
        "unknown": st.just(1),
        "anything": st.just({"deep": {"a": 1}}),
    }
    return {"spec": draw(st.fixed_dictionaries({}, optional=spec))}


@st.composite
def creation(draw: st.DrawFn, path: str, name: str, body: dict[str, Any]) -> Step:
    """A POST; a version in it is refused, which one case says and a sequence need not say again."""
    kept = {key: each for key, each in body["metadata"].items() if key != "resourceVersion"}
    save = {f"rv_{name}": "metadata.resourceVersion"}
    return Step(do=f"POST {path}?{draw(dry_runs)}", body={**body, "metadata": kept}, save=save)


@st.composite
def update(draw: st.DrawFn, path: str, name: str, body: dict[str, Any]) -> Step:
    """A PUT with a version that is new, old, or none at all."""
    return Step(do=f"PUT {path}/{name}?{draw(dry_runs)}", body=body)


@st.composite
def merge_patch(draw: st.DrawFn, path: str, name: str, body: dict[str, Any]) -> Step:
    """A merge patch of metadata and content."""
    patch = {key: each for key, each in body.items() if key not in {"apiVersion", "kind"}}
    return Step(do=f"PATCH {path}/{name}?{draw(dry_runs)}", type=CONTENT_TYPES["merge"], body=patch)


@st.composite
def json_patch(draw: st.DrawFn, path: str, name: str, body: dict[str, Any]) -> Step:
    """One or two operations, some of which cannot be done."""
    operations = draw(st.lists(st.sampled_from(OPERATIONS), min_size=1, max_size=2))
    return Step(do=f"PATCH {path}/{name}", type=CONTENT_TYPES["patch"], body=operations)


@st.composite
def apply(draw: st.DrawFn, path: str, name: str, body: dict[str, Any]) -> Step:
    """A server-side apply by one of two managers."""
    query = f"fieldManager={draw(st.sampled_from(['one', 'two']))}&force={draw(st.sampled_from(['true', 'false']))}"
    # Without empty maps: who owns one that defaults fill later is told differently, see docs/conformance.md.
    applied = {key: value for key, value in body.items() if value != {}}
    applied["metadata"] = {
        "name": name,
        **({"labels": body["metadata"]["labels"]} if body["metadata"].get("labels") else {}),
    }
    # Go words a conflict of several fields in any order; everything else is compared.
    vague = ("message", "details.causes")
    return Step(do=f"PATCH {path}/{name}?{query}", type=CONTENT_TYPES["apply"], body=applied, drop=vague)


@st.composite
def status(draw: st.DrawFn, path: str, name: str, body: dict[str, Any]) -> Step:
    """A patch of the status subresource, where a kind has one; what it says about the spec must not count."""
    patch = {"status": {"phase": draw(st.sampled_from(["Working", "Done"]))}, "spec": {"size": "small"}}
    return Step(do=f"PATCH {path}/{name}/status", type=CONTENT_TYPES["merge"], body=patch)


def release(path: str, name: str, body: dict[str, Any]) -> st.SearchStrategy[Step]:
    """The finalizers go: the end of an object that is being deleted."""
    patch = {"metadata": {"finalizers": None}}
    return st.just(Step(do=f"PATCH {path}/{name}", type=CONTENT_TYPES["merge"], body=patch))


@st.composite
def deletion(draw: st.DrawFn, path: str, name: str, body: dict[str, Any]) -> Step:
    """A delete, with conditions or without, of one object."""
    if draw(st.sampled_from([False, False, False, True])):
        # A collection of one: the order in which more of them go is the real server's chance.
        return Step(do=f"DELETE {path}?fieldSelector=metadata.name%3D{name}")
    own = {"preconditions": {"resourceVersion": f"$rv_{name}"}}
    return Step(do=f"DELETE {path}/{name}", body=draw(st.sampled_from([None, None, own, *OPTIONS])))


@st.composite
def reading(draw: st.DrawFn, path: str, name: str, body: dict[str, Any]) -> Step:
    """One object, or a list with a selector."""
    if draw(st.booleans()):
        return Step(do=f"GET {path}/{name}", save={f"rv_{name}": "metadata.resourceVersion"})
    return Step(do=f"GET {path}?{draw(st.sampled_from(SELECTORS))}")


VERBS = [
    creation,
    creation,
    update,
    merge_patch,
    merge_patch,
    json_patch,
    apply,
    status,
    release,
    deletion,
    reading,
    reading,
]
SELECTORS = [
    "",
    "labelSelector=app",
    "labelSelector=app%3Dweb",
    "labelSelector=!tier",
    "fieldSelector=metadata.name%3Da",
    "limit=2",
]
OPTIONS: list[dict[str, Any]] = [
    {"propagationPolicy": "Background"},
    {"preconditions": {"uid": "11111111-2222-3333-4444-555555555555"}},
    {"dryRun": ["All"]},
]


@st.composite
def step(draw: st.DrawFn, kind: str) -> Step:
    """One request of a sequence."""
    path, version, word = KINDS[kind]
    name = draw(names)
    body = {"apiVersion": version, "kind": word, "metadata": draw(metadata(name)), **draw(content(kind))}
    verb: Callable[..., st.SearchStrategy[Step]] = draw(st.sampled_from(VERBS))
    return draw(verb(path, name, body))


OPERATIONS: list[dict[str, Any]] = [
    {"op": "add", "path": "/metadata/labels", "value": {"app": "web"}},
    {"op": "replace", "path": "/metadata/labels/app", "value": "db"},
    {"op": "remove", "path": "/metadata/labels/app"},
    {"op": "test", "path": "/metadata/name", "value": "a"},
    {"op": "add", "path": "/metadata/annotations", "value": {"n": "m"}},
    {"op": "remove", "path": "/metadata/finalizers"},
]


def story(kind: str, steps: list[Step], selector: str) -> Case:
    """A watch opened before the steps, read after them; what holds objects back is taken away at the end."""
    path, version, word = KINDS[kind]
    labelled = {"app": "web"} if selector else {}
    last = {"apiVersion": version, "kind": word, "metadata": {"name": LAST, "labels": labelled}}
    known = {f"rv_{name}": "metadata.resourceVersion" for name in NAMES}
    tidy = [
        Step(
            do=f"PATCH {path}/{name}", type=CONTENT_TYPES["merge"], body={"metadata": {"finalizers": None}}, quiet=True
        )
        for name in NAMES
    ]
    return Case(
        "differential/sequence",
        "differential",
        (
            Step(do=f"GET {path}", save={"start": "metadata.resourceVersion", **known}, quiet=True),
            Step(do=f"GET {path}?watch=1&resourceVersion=$start&{selector}", watch="w"),
            *steps,
            *tidy,
            Step(do=f"POST {path}", body=last),
            Step(do=f"GET {path}"),
            Step(read="w", upto=LAST),
        ),
    )


@st.composite
def stories(draw: st.DrawFn) -> Case:
    kind = draw(st.sampled_from(sorted(KINDS)))
    selector = draw(st.sampled_from(["", "labelSelector=app%3Dweb"]))
    return story(kind, draw(st.lists(step(kind), min_size=1, max_size=25)), selector)


# --- the comparison ---------------------------------------------------------------------------------------------------


def answers(server: Server, case: Case) -> Any:
    player = Player(server, case)
    try:
        return calm(normalised(player.play()))
    finally:
        player.clean_up()


@seed(SEED)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    print_blob=False,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
@given(case=stories())
def test_random_sequences_agree(servers: tuple[Server, Server], case: Case) -> None:
    reference, ours = servers
    found = differences(case.name, answers(reference, case), answers(ours, case))
    for each in case.steps:
        note(f"{each.do} {each.body if each.body is not None else ''}")
    assert not found, "\n" + "\n".join(map(str, found[:5]))
