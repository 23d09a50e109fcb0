"""The verbs of the embedded API server by themselves: two made-up kinds, no built-in ones, no admission, no controllers.

`BareServer` answers requests like `ApiServer` does, with strategies that a test can read in a minute. `Thing` is typed
and lenient as built-in kinds are, `Gadget` strict as custom resources are, with status and scale, and served in two
versions.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from twinloop.apiserver.answer import Answer, WatchAnswer
from twinloop.apiserver.clock import ManualClock
from twinloop.apiserver.dispatch import dispatch, not_found_page
from twinloop.apiserver.failures import Failure
from twinloop.apiserver.fielderrors import FieldError, invalid
from twinloop.apiserver.kinds import Kind, Registry
from twinloop.apiserver.media import PLAIN
from twinloop.apiserver.patches.typed import Typed, custom
from twinloop.apiserver.render import failed
from twinloop.apiserver.request import Request, locate
from twinloop.apiserver.scale import register
from twinloop.apiserver.storage import HISTORY, Storage
from twinloop.apiserver.strategy import ScalePaths, Strategy
from twinloop.apiserver.verbs.call import Admit, Phase

Object = dict[str, Any]

THINGS = "/api/v1/namespaces/here/things"
GADGETS = "/apis/example.com/v1/namespaces/here/gadgets"
NODES = "/api/v1/machines"
MERGE = "application/merge-patch+json"
KNOWN = {"apiVersion", "kind", "metadata", "spec", "status", "data"}

TYPED = custom(
    {
        "type": "object",
        "properties": {
            "spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
            "data": {"type": "object", "additionalProperties": {"type": "string"}},
        },
    }
)

register()


class ThingStrategy(Strategy):
    """Knows spec, status and data; takes a grace period where spec says so; refuses spec.bad."""

    graceful = True

    def decode(self, obj: Object) -> list[str]:
        unknown = [name for name in obj if name not in KNOWN]
        for name in unknown:
            del obj[name]
        return [f'unknown field "{name}"' for name in unknown]

    def default(self, obj: Object) -> None:
        obj.setdefault("spec", {}).setdefault("colour", "grey")

    def validate(self, obj: Object) -> list[FieldError]:
        return [invalid("spec.bad", True, "must not be")] if obj["spec"].get("bad") else []

    def merges_strategically(self) -> bool:
        return True

    def typed(self) -> Typed:
        return TYPED

    def selectable(self, obj: Mapping[str, Any]) -> dict[str, str]:
        return {"spec.colour": obj["spec"]["colour"]}

    def selectable_names(self) -> frozenset[str]:
        return frozenset({"spec.colour"})

    def grace_period(self, obj: Object, asked: int | None) -> int | None:
        usual = obj["spec"].get("grace")
        return usual if asked is None or usual is None else asked

    def warnings(self, obj: Object, old: Object | None) -> list[str]:
        return ["spec.old: no longer used"] if "old" in obj["spec"] else []


class GadgetStrategy(Strategy):
    """A custom resource with a status of its own and a scale."""

    allow_unconditional_update = False

    def decode(self, obj: Object) -> list[str]:
        unknown = [name for name in obj if name not in KNOWN]
        for name in unknown:
            del obj[name]
        return [f'unknown field "{name}"' for name in unknown]

    def prepare_create(self, obj: Object, now: float) -> None:
        obj.pop("status", None)
        obj["metadata"]["generation"] = 1

    def prepare_update(self, obj: Object, old: Object, subresource: str) -> None:
        name = "spec" if subresource == "status" else "status"
        obj.pop(name, None)
        if name in old:
            obj[name] = old[name]
        obj["metadata"]["generation"] = old["metadata"]["generation"] + (obj.get("spec") != old.get("spec"))

    def scale(self) -> ScalePaths:
        return ScalePaths(("spec", "replicas"), ("status", "replicas"), ("status", "selector"))

    def unknown_field(self, name: str) -> str:
        return f"field label not supported: {name}"


def kinds() -> list[Kind]:
    """What a bare server serves."""
    gadgets = GadgetStrategy()
    return [
        Kind("", "v1", "Thing", "things", ThingStrategy(), subresources=("status",)),
        Kind("", "v1", "Machine", "machines", ThingStrategy(), namespaced=False),
        Kind("example.com", "v1", "Gadget", "gadgets", gadgets, subresources=("status", "scale")),
        Kind("example.com", "v2", "Gadget", "gadgets", gadgets, storage_version=False),
    ]


class Reply:
    """An answer as a client sees it."""

    def __init__(self, answer: Answer | WatchAnswer) -> None:
        self.answer = answer
        self.code, self.warnings = answer.code, answer.warnings

    @property
    def body(self) -> bytes:
        assert isinstance(self.answer, Answer), "this is a watch"
        return self.answer.body

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def meta(self) -> Any:
        return self.json["metadata"]

    @property
    def message(self) -> str:
        return str(self.json["message"])

    @property
    def reason(self) -> str:
        return str(self.json.get("reason", ""))

    @property
    def names(self) -> list[str]:
        return [item["metadata"]["name"] for item in self.json["items"]]


class Watching:
    """An open watch as a client sees it."""

    def __init__(self, answer: Answer | WatchAnswer) -> None:
        assert isinstance(answer, WatchAnswer), answer
        self.answer, self.stream = answer, answer.stream

    def read(self) -> list[Object]:
        """The events that are ready."""
        found: list[Object] = []
        while lines := self.stream.read():
            assert lines.endswith(b"\n"), "an incomplete line"
            found += map(json.loads, lines.splitlines())
        return found

    def short(self) -> list[tuple[str, str, int]]:
        """The events that are ready, as (type, name, revision)."""
        return [
            (
                each["type"],
                each["object"]["metadata"].get("name", ""),
                int(each["object"]["metadata"]["resourceVersion"]),
            )
            for each in self.read()
        ]

    def types(self) -> list[str]:
        return [each["type"] for each in self.read()]


class BareServer:
    """Storage, registry and the verbs."""

    def __init__(self, *, history: int = HISTORY, seed: int = 1) -> None:
        self.clock, self.rng = ManualClock(), random.Random(seed)
        self.storage, self.registry = Storage(history), Registry()
        self.admission: dict[Phase, Sequence[Admit]] = {"mutating": (), "validating": ()}
        for kind in kinds():
            self.registry.add(kind)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """Send a request; `path` may carry a query, header names are written with underscores."""
        return Reply(self._answer(self.request(method, path, body, **headers)))

    @staticmethod
    def request(method: str, path: str, body: Any = None, **headers: str) -> Request:
        path, _, query = path.partition("?")
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        named = {"user-agent": "tester/1.0", **{name.replace("_", "-"): value for name, value in headers.items()}}
        return Request(method, path, parse_qsl(query, keep_blank_values=True), named, raw)

    def _answer(self, request: Request) -> Answer | WatchAnswer:
        try:
            target = locate(request.path, self.registry)
            return dispatch(self, request, target) if target else not_found_page()
        except Failure as failure:
            return failed(failure, PLAIN)

    def get(self, path: str, **headers: str) -> Reply:
        return self.send("GET", path, **headers)

    def post(self, path: str, body: Any, **headers: str) -> Reply:
        return self.send("POST", path, body, **headers)

    def put(self, path: str, body: Any, **headers: str) -> Reply:
        return self.send("PUT", path, body, **headers)

    def patch(self, path: str, body: Any, content_type: str = MERGE, **headers: str) -> Reply:
        return self.send("PATCH", path, body, content_type=content_type, **headers)

    def delete(self, path: str, body: Any = None, **headers: str) -> Reply:
        return self.send("DELETE", path, body, **headers)

    def watch(self, path: str, **headers: str) -> Watching:
        joint = "&" if "?" in path else "?"
        return Watching(self._answer(self.request("GET", f"{path}{joint}watch=true", **headers)))

    def thing(self, name: str, **spec: Any) -> Reply:
        """Create a Thing."""
        return self.post(THINGS, thing(name, **spec))

    @property
    def version(self) -> int:
        return self.storage.revision


def thing(name: str, *, labels: Mapping[str, str] | None = None, meta: Object | None = None, **spec: Any) -> Object:
    """A Thing to send."""
    metadata: Object = {"name": name, **(meta or {})}
    if labels is not None:
        metadata["labels"] = dict(labels)
    return {"apiVersion": "v1", "kind": "Thing", "metadata": metadata, "spec": spec}


def gadget(name: str, *, meta: Object | None = None, **spec: Any) -> Object:
    """A Gadget to send."""
    return {"apiVersion": "example.com/v1", "kind": "Gadget", "metadata": {"name": name, **(meta or {})}, "spec": spec}
