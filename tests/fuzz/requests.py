"""Malformed requests by the thousand: a seeded generator of bytes as they go over the wire.

It begins with requests that make sense (`SENSIBLE`) and breaks one to four things about each: the method, the path, a
query parameter, a header, a value anywhere in the body, the body's text. `test_fuzz.py` sends them and judges the
answers.
"""

from __future__ import annotations

import copy
import json
import random
from dataclasses import dataclass, field, replace
from typing import Any

NAMESPACE = "fuzz"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
CONFIGMAPS = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
WIDGETS = f"/apis/fuzz.example/v1/namespaces/{NAMESPACE}/widgets"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"

JSON, MERGE, STRATEGIC = "application/json", "application/merge-patch+json", "application/strategic-merge-patch+json"
JSON_PATCH, APPLY = "application/json-patch+json", "application/apply-patch+yaml"

POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p", "labels": {"a": "b"}, "annotations": {"c": "d"}, "finalizers": ["x.example/f"]},
    "spec": {
        "schedulerName": "none",
        "containers": [
            {
                "name": "c",
                "image": "i:1",
                "ports": [{"containerPort": 80, "protocol": "TCP"}],
                "env": [{"name": "E", "value": "v"}],
                "resources": {"requests": {"cpu": "100m", "memory": "1Gi"}},
                "readinessProbe": {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 1},
            }
        ],
        "tolerations": [{"key": "k", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 3}],
    },
}
CONFIGMAP: dict[str, Any] = {"metadata": {"name": "m"}, "data": {"k": "v"}, "binaryData": {"b": "YQ=="}}
WIDGET: dict[str, Any] = {
    "apiVersion": "fuzz.example/v1",
    "kind": "Widget",
    "metadata": {"name": "w"},
    "spec": {"size": 3, "names": ["a", "b"], "parts": [{"id": "x", "weight": 1.5}], "mode": "fast"},
}
CRD: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.fuzz.example"},
    "spec": {
        "group": "fuzz.example",
        "scope": "Namespaced",
        "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "shortNames": ["wg"]},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {
                    "status": {},
                    "scale": {"specReplicasPath": ".spec.size", "statusReplicasPath": ".status.size"},
                },
                "additionalPrinterColumns": [{"name": "Size", "type": "integer", "jsonPath": ".spec.size"}],
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {
                                "type": "object",
                                "x-kubernetes-validations": [{"rule": "self.size <= 10 || has(self.mode)"}],
                                "required": ["size"],
                                "properties": {
                                    "size": {"type": "integer", "minimum": 0, "maximum": 100},
                                    "mode": {"type": "string", "enum": ["fast", "slow"], "default": "slow"},
                                    "names": {
                                        "type": "array",
                                        "x-kubernetes-list-type": "set",
                                        "items": {"type": "string", "pattern": "^[a-z]+$"},
                                    },
                                    "parts": {
                                        "type": "array",
                                        "x-kubernetes-list-type": "map",
                                        "x-kubernetes-list-map-keys": ["id"],
                                        "items": {
                                            "type": "object",
                                            "required": ["id"],
                                            "properties": {"id": {"type": "string"}, "weight": {"type": "number"}},
                                        },
                                    },
                                },
                            },
                            "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                        },
                    }
                },
            }
        ],
    },
}


@dataclass(frozen=True)
class Sketch:
    """A request before it is bytes; `text` takes the body's place when it is set."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: Any = None
    kind: str = JSON
    text: bytes | None = None

    def wire(self, host: str, token: str) -> bytes:
        """The request as bytes, its framing intact."""
        content = self.text if self.text is not None else b"" if self.body is None else json.dumps(self.body).encode()
        query = "?" + "&".join(f"{key}={value}" for key, value in self.query) if self.query else ""
        given = dict(self.headers)
        head = {"Host": host, "Authorization": f"Bearer {token}", "Content-Type": self.kind, **given}
        lines = "".join(f"{key}: {value}\r\n" for key, value in head.items())
        first = f"{self.method} {self.path}{query} HTTP/1.1\r\n{lines}Content-Length: {len(content)}\r\n\r\n"
        return first.encode("utf-8", "surrogatepass") + content


PATCHES: tuple[tuple[str, Any], ...] = (
    (MERGE, {"metadata": {"labels": {"x": "y", "a": None}}, "spec": {"size": 4}}),
    (
        STRATEGIC,
        {"spec": {"containers": [{"name": "c", "image": "i:2", "$patch": "merge"}], "$retainKeys": ["containers"]}},
    ),
    (
        JSON_PATCH,
        [{"op": "add", "path": "/metadata/labels/n", "value": "1"}, {"op": "test", "path": "/kind", "value": "Pod"}],
    ),
    (APPLY, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": {"k": "w"}}),
)
OPTIONS = {"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0, "preconditions": {"uid": "u"}}
WATCH = (("watch", "true"), ("timeoutSeconds", "1"), ("allowWatchBookmarks", "true"))

SENSIBLE: tuple[Sketch, ...] = (
    *(
        Sketch("POST", path, body=body)
        for path, body in ((PODS, POD), (CONFIGMAPS, CONFIGMAP), (WIDGETS, WIDGET), (CRDS, CRD))
    ),
    *(
        Sketch("PUT", path, body=body)
        for path, body in ((f"{CONFIGMAPS}/m", CONFIGMAP), (f"{WIDGETS}/w", WIDGET), (f"{PODS}/p", POD))
    ),
    *(
        Sketch("PATCH", path, (("fieldManager", "f"),), kind=kind, body=body)
        for path in (f"{PODS}/p", f"{CONFIGMAPS}/m", f"{WIDGETS}/w", f"{WIDGETS}/w/status", f"{WIDGETS}/w/scale")
        for kind, body in PATCHES
    ),
    *(
        Sketch("GET", path, (("limit", "2"), ("labelSelector", "a in (b,c)")))
        for path in (PODS, CONFIGMAPS, WIDGETS, CRDS)
    ),
    *(Sketch("GET", path, (*WATCH, ("resourceVersion", "0"))) for path in (PODS, CONFIGMAPS, WIDGETS)),
    *(Sketch("DELETE", path, body=OPTIONS) for path in (f"{PODS}/p", f"{CONFIGMAPS}/m", f"{WIDGETS}/w")),
    Sketch("DELETE", CONFIGMAPS, (("fieldSelector", "metadata.name=m"),)),
    Sketch("POST", f"{PODS}/p/binding", body={"target": {"kind": "Node", "name": "n"}}),
    Sketch(
        "POST", f"{PODS}/p/eviction", body={"kind": "Eviction", "apiVersion": "policy/v1", "metadata": {"name": "p"}}
    ),
    Sketch("GET", f"{PODS}/p/log", (("tailLines", "3"),)),
    Sketch("GET", f"{WIDGETS}/w/scale"),
    *(
        Sketch("GET", path)
        for path in ("/api", "/apis", "/version", "/openapi/v3", "/readyz", "/metrics", "/apis/fuzz.example/v1")
    ),
    Sketch(
        "POST",
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        body={"spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}}},
    ),
)

# What a value is replaced with: every JSON type, the edges of numbers, strings that mean something somewhere.
VALUES: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        -1,
        1.5,
        1e308,
        2**31,
        2**63,
        2**64,
        10**40,
        "",
        " ",
        "a",
        "A",
        "a/b/c",
        "../..",
        "%00",
        "\x00",
    ),
    *(
        "é",
        "\U0001f600",
        "-",
        "x" * 300,
        "1",
        "1e3",
        "100m",
        "0x10",
        "2020-01-01T00:00:00Z",
        "yes",
        "null",
        "$patch",
        "$(X)",
    ),
    *([], [[]], {}, [None], [1, "a", {}], {"": ""}, {"a": {"b": {"c": None}}}, [{"name": "c"}, {"name": "c"}]),
)
PARTS = (
    "..",
    ".",
    "",
    "%2e%2e",
    "%2f",
    "%",
    "%zz",
    "%00",
    "é",
    "%c3%28",
    "namespaces",
    "pods",
    "status",
    "scale",
    "x" * 300,
    "watch",
    "*",
    "a b",
)
QUERIES = (
    *(
        "watch",
        "limit",
        "continue",
        "resourceVersion",
        "resourceVersionMatch",
        "labelSelector",
        "fieldSelector",
        "timeoutSeconds",
    ),
    *("sendInitialEvents", "allowWatchBookmarks", "dryRun", "fieldValidation", "fieldManager", "force", "pretty"),
    *("gracePeriodSeconds", "propagationPolicy", "orphanDependents", "includeObject", "tailLines", "nonsense", ""),
)
TEXTS = (
    *(
        "",
        "true",
        "false",
        "1",
        "0",
        "-1",
        "abc",
        "All",
        "99999999999999999999",
        "Strict",
        "Warn",
        "a=b",
        "a!=b",
        "a in (b",
        "!a",
        "=",
        ",",
    ),
    *(
        "metadata.name=m",
        "status.phase=Running",
        "spec.nope=1",
        "Exact",
        "NotOlderThan",
        "Background",
        "%00",
        "%ff",
        "é",
        "a%3Db",
        "x" * 400,
    ),
)
HEADERS = (
    *(
        ("Accept", value)
        for value in ("*/*", "text/html", "application/json;as=Table;v=v1;g=meta.k8s.io", "application/yaml", ";;", "")
    ),
    ("Accept", "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"),
    *(
        ("Content-Type", value)
        for value in (JSON, MERGE, STRATEGIC, JSON_PATCH, APPLY, "text/plain", "application/yaml", "a", "")
    ),
    *(("Authorization", value) for value in ("Bearer wrong", "Basic eDp5", "Bearer", "")),
    *(("Content-Encoding", value) for value in ("gzip", "br")),
    *(("Accept-Encoding", value) for value in ("gzip", "identity;q=0")),
    *(
        ("Impersonate-User", "x"),
        ("X-Forwarded-For", "1.2.3.4"),
        ("Upgrade", "websocket"),
        ("Expect", "100-continue-not"),
    ),
)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "BREW")


@dataclass
class Fuzzer:
    """An endless supply of broken requests; the same seed gives the same ones."""

    seed: int
    rng: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)

    def next(self) -> Sketch:
        while (sketch := self._broken()).method == "DELETE" and _takes_the_ground_away(sketch.path):
            pass
        return sketch

    def _broken(self) -> Sketch:
        sketch = self.rng.choice(SENSIBLE)
        ways = (self._method, self._path, self._query, self._header, self._value, self._value, self._text)
        for _ in range(self.rng.choice((0, 1, 1, 1, 2, 2, 3, 4))):
            sketch = self.rng.choice(ways)(sketch)
        return sketch

    def _method(self, sketch: Sketch) -> Sketch:
        return replace(sketch, method=self.rng.choice(METHODS))

    def _path(self, sketch: Sketch) -> Sketch:
        parts = sketch.path.split("/")
        place = self.rng.randrange(1, len(parts) + 1)
        change = self.rng.choice(("insert", "replace", "drop"))
        parts[place : place + (change != "insert")] = [] if change == "drop" else [self.rng.choice(PARTS)]
        # Spaces and bare bytes would break the framing, which is another test's matter.
        return replace(sketch, path="/".join(parts).replace(" ", "%20") or "/")

    def _query(self, sketch: Sketch) -> Sketch:
        pair = (self.rng.choice(QUERIES), self.rng.choice(TEXTS).replace(" ", "%20"))
        # A watch that may go on for ever must end, so that the next request can be sent.
        return replace(sketch, query=(*sketch.query, pair, ("timeoutSeconds", "1")))

    def _header(self, sketch: Sketch) -> Sketch:
        return replace(sketch, headers=(*sketch.headers, self.rng.choice(HEADERS)))

    def _value(self, sketch: Sketch) -> Sketch:
        if sketch.body is None:
            return replace(sketch, body=self.rng.choice(VALUES))
        body = copy.deepcopy(sketch.body)
        return replace(sketch, body=self._changed(body))

    def _changed(self, value: Any) -> Any:
        """The value with one place in it, however deep, replaced, removed, doubled or added to."""
        if isinstance(value, dict) and value and self.rng.random() < 0.9:
            return self._changed_map(value)
        if isinstance(value, list) and value and self.rng.random() < 0.9:
            place = self.rng.randrange(len(value))
            value[place : place + 1] = self.rng.choice(([self._changed(value[place])], [], [value[place]] * 2))
            return value
        return self.rng.choice(VALUES)

    def _changed_map(self, value: dict[str, Any]) -> dict[str, Any]:
        key = self.rng.choice(list(value))
        change = self.rng.random()
        if change < 0.1:
            del value[key]
        elif change < 0.2:
            value[self.rng.choice(("unknown", "$patch", "$retainKeys", "", "é", "name"))] = self.rng.choice(VALUES)
        else:
            value[key] = self._changed(value[key])
        return value

    def _text(self, sketch: Sketch) -> Sketch:
        whole = json.dumps(sketch.body).encode() if sketch.text is None else sketch.text
        place = self.rng.randrange(len(whole) + 1)
        junk = self.rng.choice(
            (
                b"",
                b"{",
                b"}",
                b"\x00",
                b"\xff\xfe",
                b'"',
                b",",
                b"NaN",
                b"[" * 2000,
                b'{"a":' * 500,
                b"--- \n",
                b"0" * 5000,
            )
        )
        return replace(sketch, text=whole[:place] + junk + whole[place + self.rng.randrange(3) :])


def _takes_the_ground_away(path: str) -> bool:
    """Whether deleting this would leave nothing for later requests to meet but 404."""
    return path.rstrip("/").endswith(
        (f"/namespaces/{NAMESPACE}", "/namespaces", "/customresourcedefinitions", "/widgets.fuzz.example")
    )
