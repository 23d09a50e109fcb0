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
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, note, seed, settings
from hypothesis import strategies as st

from conformance.case import CONTENT_TYPES, Case, Step
from conformance.compare import differences
from conformance.normal import normalised
from conformance.play import Player
from conformance.servers import embedded, real
from conformance.suite import install_fixtures
from conformance.wire import Server

KUBECONFIG = os.environ.get("CONFORMANCE_KUBECONFIG", "")
EXAMPLES = int(os.environ.get("CONFORMANCE_EXAMPLES", "60"))
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
finalizers = st.sampled_from([None, None, None, ["example.com/f"], ["example.com/f", "example.com/g"]])


@st.composite
def metadata(draw: st.DrawFn, name: str | None) -> dict[str, Any]:
    """What a body says about itself; a version is the newest that was saved, an old one, or none."""
    found: dict[str, Any] = {"labels": draw(labels), "finalizers": draw(finalizers)}
    if name:
        found["name"] = name
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
def step(draw: st.DrawFn, kind: str) -> Step:
    """One request of a sequence."""
    path, version, word = KINDS[kind]
    name = draw(names)
    verb = draw(
        st.sampled_from(
            [
                "create",
                "create",
                "update",
                "merge",
                "merge",
                "json",
                "apply",
                "delete",
                "get",
                "list",
                "status",
                "clear",
            ]
        )
    )
    body: Any = {"apiVersion": version, "kind": word, "metadata": draw(metadata(name)), **draw(content(kind))}
    save = {f"rv_{name}": "metadata.resourceVersion"}
    dry = draw(st.sampled_from(["", "", "", "dryRun=All"]))
    if verb == "create":
        created = {
            **body,
            "metadata": {key: each for key, each in body["metadata"].items() if key != "resourceVersion"},
        }
        return Step(do=f"POST {path}?{dry}", body=created, save={} if dry else save)
    if verb == "update":
        return Step(do=f"PUT {path}/{name}?{dry}", body=body, save={} if dry else save)
    if verb == "merge":
        patch = {"metadata": body["metadata"], **draw(content(kind))}
        return Step(do=f"PATCH {path}/{name}?{dry}", type=CONTENT_TYPES["merge"], body=patch)
    if verb == "json":
        ops = draw(st.lists(st.sampled_from(OPERATIONS), min_size=1, max_size=2))
        return Step(do=f"PATCH {path}/{name}", type=CONTENT_TYPES["patch"], body=ops)
    if verb == "apply":
        manager, force = draw(st.sampled_from(["one", "two"])), draw(st.sampled_from(["true", "false"]))
        applied = {**body, "metadata": {"name": name, "labels": body["metadata"].get("labels", {})}}
        query = f"fieldManager={manager}&force={force}"
        # The words of a conflict or of a schema's refusal go through Go's maps; what differs otherwise stays.
        return Step(
            do=f"PATCH {path}/{name}?{query}",
            type=CONTENT_TYPES["apply"],
            body=applied,
            drop=("message", "details.causes"),
        )
    if verb == "delete":
        return draw(deletion(path, name))
    if verb == "get":
        return Step(do=f"GET {path}/{name}", save=save)
    if verb == "status":
        return Step(
            do=f"PATCH {path}/{name}/status",
            type=CONTENT_TYPES["merge"],
            body={"status": {"phase": "Done"}, "spec": {"size": "small"}},
        )
    if verb == "clear":
        return Step(do=f"PATCH {path}/{name}", type=CONTENT_TYPES["merge"], body={"metadata": {"finalizers": None}})
    selector = draw(
        st.sampled_from(
            [
                "",
                "labelSelector=app",
                "labelSelector=app%3Dweb",
                "labelSelector=!tier",
                "fieldSelector=metadata.name%3Da",
                "limit=2",
            ]
        )
    )
    return Step(do=f"GET {path}?{selector}")


@st.composite
def deletion(draw: st.DrawFn, path: str, name: str) -> Step:
    """A delete: of one object with or without conditions, or of all that a selector chooses."""
    options = draw(
        st.sampled_from(
            [
                None,
                None,
                {"propagationPolicy": "Background"},
                {"preconditions": {"resourceVersion": f"$rv_{name}"}},
                {"preconditions": {"uid": "11111111-2222-3333-4444-555555555555"}},
                {"dryRun": ["All"]},
            ]
        )
    )
    if draw(st.sampled_from([False, False, False, False, True])):
        # Names one object: the order in which a collection goes is the real server's chance.
        return Step(do=f"DELETE {path}?fieldSelector=metadata.name%3D{name}")
    return Step(do=f"DELETE {path}/{name}", body=options)


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
        return normalised(player.play())
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
