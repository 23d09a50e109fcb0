"""An object against its OpenAPI v3 schema: the same findings, in the same words, as kube-openapi's validator.

`schema.py` builds one `Validator` for a schema and asks it on every write. No library does this. jsonschema-rs and
fastjsonschema say whether a value is valid, but their findings are neither these nor in this order: oneOf and anyOf
report the alternative with the most passed checks (`Result.passed` counts as the original does), an integral float
counts as an integer, unknown formats count for nothing, and an update forgives what was wrong before and did not change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from twinloop.apiserver import fielderrors, gofmt
from twinloop.apiserver.fielderrors import FieldError
from twinloop.apiserver.schemas import formats
from twinloop.apiserver.schemas.correlation import Correlation
from twinloop.apiserver.schemas.numbers import bad_factor, check_number, is_integral
from twinloop.apiserver.schemas.patterns import BadPattern, compiled
from twinloop.apiserver.schemas.results import Result
from twinloop.apiserver.schemas.value_types import json_type, same_enum, types_of

Schema = Mapping[str, Any]


class Validator:
    """One schema and the validators below it. `base` is what error paths start with: nothing, or `status`."""

    def __init__(self, schema: Schema, base: str = "") -> None:
        self._base = base
        self.types: tuple[str, ...] = types_of(schema)
        self._nullable = bool(schema.get("nullable"))
        self._read_scalars(schema)
        self._read_structure(schema)
        self._any_of = [Validator(each, base) for each in schema.get("anyOf") or ()]
        self._one_of = [Validator(each, base) for each in schema.get("oneOf") or ()]
        self._all_of = [Validator(each, base) for each in schema.get("allOf") or ()]
        self._not = Validator(schema["not"], base) if schema.get("not") is not None else None
        self._composed = bool(self._any_of or self._one_of or self._all_of or self._not)

    def _read_scalars(self, schema: Schema) -> None:
        self._format_name: str = schema.get("format") or ""
        self._format = formats.check(self._format_name) if self._format_name else None
        if self._format is None:
            self._format_name = ""
        self._enum: list[Any] = schema.get("enum") or []
        self._max_length, self._min_length = schema.get("maxLength"), schema.get("minLength")
        self._pattern: str = schema.get("pattern") or ""
        bounds = ("multipleOf", "minimum", "maximum")
        self._bounded = schema if any(schema.get(each) is not None for each in bounds) else None

    def _read_structure(self, schema: Schema) -> None:
        self._max_items, self._min_items = schema.get("maxItems"), schema.get("minItems")
        self._unique = bool(schema.get("uniqueItems"))
        self._items = Validator(schema["items"], self._base) if isinstance(schema.get("items"), dict) else None
        self._max_properties, self._min_properties = schema.get("maxProperties"), schema.get("minProperties")
        self._required: list[str] = schema.get("required") or []
        additional = schema.get("additionalProperties")
        self._closed = additional is False
        self._additional = Validator(additional, self._base) if isinstance(additional, dict) else None
        properties = schema.get("properties") or {}
        self._properties = {name: Validator(each, self._base) for name, each in properties.items()}

    def check(self, value: Any, old: Correlation | None = None) -> list[FieldError]:
        """The findings about a whole value; with `old`, only those that an update is held to."""
        return list(self.validate(value, "", old).errors.values())

    def validate(self, value: Any, path: str, old: Correlation | None = None) -> Result:
        """What is wrong at and below `path`. What was as wrong before the update is forgiven."""
        result = self._validate(value, path, old)
        if result.errors and old is not None and old.unchanged:
            result.errors = {}
        return result

    def _validate(self, value: Any, path: str, old: Correlation | None) -> Result:
        result = Result()
        if value is None:
            self._check_null(path, result)
            self._check_enum(value, path, result)
            return result
        self._check_type(value, path, result)
        self._check_alternatives(value, path, result, old)
        if isinstance(value, str):
            self._check_string(value, path, result)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            self._check_number(value, path, result)
        elif isinstance(value, list):
            self._check_list(value, path, result, old)
        self._check_enum(value, path, result)
        if isinstance(value, dict):
            self._check_object(value, path, result, old)
        result.passed += 3  # alternatives and enum were asked, and the whole
        return result

    # -------------------------------------------------------------- types

    def _check_null(self, path: str, result: Result) -> None:
        if self.types and not self._nullable:
            self._wrong_type(path, ",".join(self.types), "null", result)
        else:
            result.passed += 1

    def _check_type(self, value: Any, path: str, result: Result) -> None:
        if not self.types and not self._format_name:
            return
        result.passed += 1
        found, found_format = json_type(value)
        integral = found == "number" and "integer" in self.types and is_integral(value)
        fits = found in self.types or integral or (found == "integer" and "number" in self.types)
        textual = isinstance(value, str | list)
        if not textual and self._format_name and not (fits or found_format == self._format_name):
            self._wrong_type(path, self._format_name, found_format, result)
        elif textual and self._format_name and not {"number", "integer"} & set(self.types):
            result.passed += 1  # the format is what is checked
        elif fits:
            result.passed += 1
        else:
            self._wrong_type(path, ",".join(self.types), found, result)

    def _wrong_type(self, path: str, wanted: str, found: str, result: Result) -> None:
        message = f"{path} in body must be of type {wanted}: {gofmt.quote(found)}"
        result.add(message, fielderrors.type_invalid(self._at(path), found, message))

    def _check_enum(self, value: Any, path: str, result: Result) -> None:
        if self._enum and not any(same_enum(value, each) for each in self._enum):
            names = [each if isinstance(each, str) else gofmt.marshal(each) for each in self._enum]
            error = fielderrors.not_supported(self._at(path), value, names)
            result.add(f"{path} in body should be one of {gofmt.printed(self._enum)}", error)

    # -------------------------------------------------------------- anyOf, oneOf, allOf, not

    def _check_alternatives(self, value: Any, path: str, result: Result, old: Correlation | None) -> None:
        result.passed += 1
        if not self._composed:
            return
        if self._any_of:
            self._check_any_of(value, path, result, old)
        if self._one_of:
            self._check_one_of(value, path, result, old)
        if self._all_of:
            self._check_all_of(value, path, result, old)
        if self._not and not self._not._validate(value, path, old).errors:  # noqa: SLF001 - another of this class
            self._composite(path, "must not validate the schema (not)", result)

    def _check_any_of(self, value: Any, path: str, result: Result, old: Correlation | None) -> None:
        best: Result | None = None
        for each in self._any_of:
            found = each._validate(value, path, old)  # noqa: SLF001 - another of this class
            if not found.errors:
                result.merge(found)
                return
            if best is None or found.passed > best.passed:
                best = found
        self._composite(path, "must validate at least one schema (anyOf)", result)
        if best:
            result.merge(best)

    def _check_one_of(self, value: Any, path: str, result: Result, old: Correlation | None) -> None:
        found = [each._validate(value, path, old) for each in self._one_of]  # noqa: SLF001 - another of this class
        valid = [each for each in found if not each.errors]
        if len(valid) == 1:
            result.merge(valid[0])
            return
        what = f"Found {len(valid)} valid alternatives" if valid else "Found none valid"
        self._composite(path, f"must validate one and only one schema (oneOf). {what}", result)
        if not valid:
            result.merge(max(found, key=lambda each: each.passed))

    def _check_all_of(self, value: Any, path: str, result: Result, old: Correlation | None) -> None:
        found = [each._validate(value, path, old) for each in self._all_of]  # noqa: SLF001 - another of this class
        for each in found:
            result.merge(each)
        valid = sum(not each.errors for each in found)
        if valid != len(found):
            self._composite(path, f"must validate all the schemas (allOf){'' if valid else '. None validated'}", result)

    def _composite(self, path: str, what: str, result: Result) -> None:
        """These findings have no path of their own, only words."""
        message = f"{gofmt.quote(path)} {what}"
        result.add(message, fielderrors.invalid(self._base or "<nil>", "", message))

    # -------------------------------------------------------------- scalars

    def _check_string(self, value: str, path: str, result: Result) -> None:
        result.passed += 1
        problem = self._string_problem(value, path)
        if problem:
            result.add(*problem)
        if self._format:
            result.passed += 1
            if not self._format(value):
                message = f"{path} in body must be of type {self._format_name}: {gofmt.quote(value)}"
                result.add(message, fielderrors.type_invalid(self._at(path), value, message))

    def _string_problem(self, value: str, path: str) -> tuple[str, FieldError] | None:
        if self._max_length is not None and len(value) > self._max_length:
            message = f"{path} in body should be at most {self._max_length} chars long"
            return message, fielderrors.too_long(self._at(path), self._max_length)
        if self._min_length is not None and len(value) < self._min_length:
            return self._invalid(path, value, f"should be at least {self._min_length} chars long")
        if self._pattern:
            return self._pattern_problem(value, path)
        return None

    def _pattern_problem(self, value: str, path: str) -> tuple[str, FieldError] | None:
        try:
            found = compiled(self._pattern).search(value)
        except BadPattern as error:
            return self._invalid(path, value, f"should match '{self._pattern}, but pattern is invalid: {error}'")
        return None if found else self._invalid(path, value, f"should match '{self._pattern}'")

    def _check_number(self, value: float, path: str, result: Result) -> None:
        result.passed += 2
        if self._bounded is not None:
            factor = bad_factor(self._bounded, value)
            if factor is not None:
                message = f"factor MultipleOf declared for {path} must be positive: {gofmt.shown(factor)}"
                result.add(message, fielderrors.invalid(self._at(path), factor, message))
            for words in check_number(self._bounded, value):
                result.add(*self._invalid(path, value, words))

    def _invalid(self, path: str, value: Any, words: str) -> tuple[str, FieldError]:
        message = f"{path} in body {words}"
        return message, fielderrors.invalid(self._at(path), value, message)

    # -------------------------------------------------------------- lists and objects

    def _check_list(self, value: list[Any], path: str, result: Result, old: Correlation | None) -> None:
        result.passed += 2
        if self._items:
            for index, each in enumerate(value):
                below = old.index(index) if old else None
                result.merge(self._items.validate(each, f"{path}[{index}]", below))
        size = len(value)
        if self._min_items is not None and size < self._min_items:
            result.add(*self._invalid(path, size, f"should have at least {self._min_items} items"))
        if self._max_items is not None and size > self._max_items:
            message = f"{path} in body should have at most {self._max_items} items"
            result.add(message, fielderrors.too_many(self._at(path), size, self._max_items))
        if self._unique and any(each in value[:index] for index, each in enumerate(value)):
            result.add(*self._invalid(path, "", "shouldn't contain duplicates"))

    def _check_object(self, value: dict[str, Any], path: str, result: Result, old: Correlation | None) -> None:
        result.passed += 1
        self._check_size(len(value), path, result)
        for name, validator in self._declared(value):
            # Only declared properties of the root have no leading dot: the original's paths differ there too.
            where = name if not path and name in self._properties else f"{path}.{name}"
            below = old.key(name) if old and (path or name not in {"apiVersion", "kind"}) else None
            result.merge(validator.validate(value[name], where, below))
        for name in value if self._closed else ():
            if name not in self._properties:
                message = f"{path}.{name} in body is a forbidden property"
                result.add(message, fielderrors.invalid(self._at(path), name, message))
        for name in self._required:
            if name not in value:
                message = f"{path}.{name} in body is required"
                result.add(message, fielderrors.required(self._at(f"{path}.{name}")))

    def _declared(self, value: dict[str, Any]) -> Iterator[tuple[str, Validator]]:
        """The properties that a schema speaks of, with the schema: undeclared ones first."""
        if self._additional:
            yield from ((name, self._additional) for name in value if name not in self._properties)
        yield from ((name, found) for name, found in self._properties.items() if name in value)

    def _check_size(self, size: int, path: str, result: Result) -> None:
        if self._min_properties is not None and size < self._min_properties:
            result.add(*self._invalid(path, size, f"should have at least {self._min_properties} properties"))
        if self._max_properties is not None and size > self._max_properties:
            message = f"{path} in body should have at most {self._max_properties} properties"
            result.add(message, fielderrors.too_many(self._at(path), size, self._max_properties))

    def _at(self, path: str) -> str:
        """A path as field errors show it."""
        if not path or path == ".":
            return self._base or "<nil>"
        name = path.removeprefix(".")
        return f"{self._base}.{name}" if self._base else name
