"""The types of CEL, and what a schema's values are in it.

`checker.py` reasons with them; `of_schema` follows apiserver's SchemaDeclType. Two types are the same when name and
parameters are: the type of an object is named after its place in the schema.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Type:
    """A type; `fields` are those of an object, by their escaped names."""

    name: str
    params: tuple[Type, ...] = ()
    fields: Mapping[str, Type] | None = field(default=None, compare=False, hash=False)

    def __str__(self) -> str:
        if not self.params:
            return self.name
        return f"{self.name}({', '.join(map(str, self.params))})"

    @property
    def variable(self) -> bool:
        """A type parameter in a signature: A, B, T."""
        return len(self.name) == 1 and self.name.isupper()


DYN, BOOL, INT, UINT, DOUBLE = Type("dyn"), Type("bool"), Type("int"), Type("uint"), Type("double")
STRING, BYTES, NULL = Type("string"), Type("bytes"), Type("null")
DURATION, TIMESTAMP, TYPE = Type("duration"), Type("timestamp"), Type("type")

# null may stand for these and for any object.
_NULLABLE = frozenset({"duration", "timestamp", "null", "optional_type"})
_OPAQUE = "kubernetes."

RESERVED = frozenset(
    {
        "true",
        "false",
        "null",
        "in",
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
    }
    | {"loop", "package", "namespace", "return", "var", "void", "while"}
)
_ESCAPES = {"__": "__underscores__", ".": "__dot__", "-": "__dash__", "/": "__slash__"}


def list_of(item: Type) -> Type:
    """The type of a list."""
    return Type("list", (item,))


def map_of(key: Type, value: Type) -> Type:
    """The type of a map."""
    return Type("map", (key, value))


def optional_of(value: Type) -> Type:
    """The type of a value that may be missing."""
    return Type("optional_type", (value,))


def escape(name: str) -> str | None:
    """A property's name as rules write it; None when no rule can."""
    if not name or name[0].isdigit() or not re.fullmatch(r"[A-Za-z0-9_./-]+", name):
        return None
    if name in RESERVED:
        return f"__{name}__"
    return re.sub(r"__|[./-]", lambda found: _ESCAPES[found[0]], name)


def of_schema(schema: Schema, name: str = "selfType", *, root: bool = False) -> Type | None:
    """The type of a schema's values; None when rules cannot use them."""
    if schema.get("x-kubernetes-int-or-string"):
        return DYN
    kind = schema.get("type")
    if kind == "array":
        return _of_array(schema, name)
    if kind == "object":
        return _of_object(schema, name, root=root or bool(schema.get("x-kubernetes-embedded-resource")))
    if kind == "string":
        formats = {"byte": BYTES, "duration": DURATION, "date": TIMESTAMP, "date-time": TIMESTAMP}
        return formats.get(schema.get("format") or "", STRING)
    return {"boolean": BOOL, "number": DOUBLE, "integer": INT}.get(kind or "")


def _of_array(schema: Schema, name: str) -> Type | None:
    item = of_schema(schema["items"], f"{name}.@idx") if isinstance(schema.get("items"), Mapping) else None
    return list_of(item) if item else None


def _of_object(schema: Schema, name: str, *, root: bool) -> Type | None:
    additional = schema.get("additionalProperties")
    if isinstance(additional, Mapping):
        value = of_schema(additional, f"{name}.@elem")
        return map_of(STRING, value) if value else None
    fields: dict[str, Type] = {}
    for key, each in (schema.get("properties") or {}).items():
        escaped, found = escape(key), of_schema(each, f"{name}.{key}")
        if escaped and found:
            fields[escaped] = found
    return Type(name, fields={**fields, **_type_and_metadata(name)} if root else fields)


def _type_and_metadata(name: str) -> dict[str, Type]:
    """What rules see of an object's metadata: its names and nothing else."""
    metadata = Type(f"{name}.metadata", fields={"name": STRING, "generateName": STRING})
    return {"apiVersion": STRING, "kind": STRING, "metadata": metadata}


Bound = dict[str, Type]


def assignable(wanted: Type, given: Type, bound: Bound) -> bool:
    """Whether a value may stand where `wanted` is asked for; binds the type parameters of `wanted` on the way."""
    if wanted.variable:
        return _bind(wanted.name, given, bound)
    if "dyn" in {wanted.name, given.name} or given.variable:
        return True
    if given.name == "null":
        return wanted.name in _NULLABLE or wanted.fields is not None or wanted.name.startswith(_OPAQUE)
    if wanted.name == "null":
        return given.name in _NULLABLE or given.fields is not None or given.name.startswith(_OPAQUE)
    if wanted.name != given.name or len(wanted.params) != len(given.params):
        return wanted.name == given.name == "type"
    return all(assignable(each, other, bound) for each, other in zip(wanted.params, given.params, strict=True))


def _bind(name: str, given: Type, bound: Bound) -> bool:
    present = bound.get(name)
    if present is None or (present.name == "null" and assignable(given, present, {})):
        bound[name] = given
        return True
    if not assignable(present, given, {}):
        return False
    if given.name == "dyn":  # the less specific of the two is what is known
        bound[name] = given
    return True


def substituted(type_: Type, bound: Bound) -> Type:
    """A signature's type with its parameters filled in; what nothing bound is dyn."""
    if type_.variable:
        return bound.get(type_.name, DYN)
    if not type_.params:
        return type_
    return Type(type_.name, tuple(substituted(each, bound) for each in type_.params))
