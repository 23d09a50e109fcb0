"""Rules about single values that several kinds share: ports, keys, paths, selectors, numbers.

Every function yields the `FieldError`s of one field at a path. `names.py` of the server holds the syntax of names and
labels; the validation modules of this package call both.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from twinloop.apiserver import gofmt, names
from twinloop.apiserver.fielderrors import FieldError, forbidden, invalid, not_supported, required

Object = dict[str, Any]
Errors = Iterator[FieldError]

NOT_NEGATIVE = "must be greater than or equal to 0"
PORT_RANGE = "must be between 1 and 65535, inclusive"
FILE_MODE = "must be a number between 0 and 0777 (octal), both inclusive"
_PORT_CHARACTERS = re.compile(r"[-a-z0-9]+").fullmatch
_CONFIG_MAP_KEY = re.compile(r"[-._a-zA-Z0-9]+").fullmatch
_KEY_MESSAGE = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' "
    "(e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)


def words(path: str, value: Any, messages: Iterable[str]) -> Errors:
    """An error for each thing that is wrong with a value."""
    return (invalid(path, value, each) for each in messages)


def one_of(path: str, value: str | None, supported: Iterable[str], *, needed: bool = True) -> Errors:
    """A value of a closed set, listed in the order in which the original lists it."""
    if not value:
        if needed:
            yield required(path)
    elif value not in supported:
        yield not_supported(path, value, supported)


def dns_label(path: str, value: str) -> Errors:
    """A DNS label."""
    return words(path, value, names.label(value))


def subdomain(path: str, value: str) -> Errors:
    """A DNS subdomain."""
    return words(path, value, names.subdomain(value))


def qualified(path: str, value: str) -> Errors:
    """A qualified name, such as a label's key."""
    return words(path, value, names.qualified_name(value))


def not_negative(path: str, value: int) -> Errors:
    """A number from 0 on."""
    if value < 0:
        yield invalid(path, value, NOT_NEGATIVE)


def port_number(path: str, value: int) -> Errors:
    """A TCP or UDP port."""
    if not 1 <= value <= 65535:
        yield invalid(path, value, PORT_RANGE)


def port_name_problems(value: str) -> list[str]:
    """What is wrong with a port's name."""
    found = [names.too_long(15)] if len(value) > 15 else []
    if not _PORT_CHARACTERS(value):
        found.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search("[a-z]", value):
        found.append("must contain at least one letter (a-z)")
    if "--" in value:
        found.append("must not contain consecutive hyphens")
    if value.startswith("-") or value.endswith("-"):
        found.append("must not begin or end with a hyphen")
    return found


def port_number_or_name(path: str, value: int | str) -> Errors:
    """A port by number or by the name that a container gives it."""
    if isinstance(value, str):
        return words(path, value, port_name_problems(value))
    return port_number(path, value)


def config_key_problems(value: str) -> list[str]:
    """What is wrong with a key of a ConfigMap or Secret."""
    found = [names.too_long(253)] if len(value) > 253 else []
    if not _CONFIG_MAP_KEY(value):
        found.append(_KEY_MESSAGE)
    if value in {".", ".."}:
        found.append(f"must not be '{value}'")
    elif value.startswith(".."):
        found.append("must not start with '..'")
    return found


def file_mode(path: str, value: int | None) -> Errors:
    """Permission bits of a file."""
    if value is not None and not 0 <= value <= 0o777:
        yield invalid(path, value, FILE_MODE)


def no_backsteps(path: str, value: str) -> Errors:
    """A path in a file system that stays below where it starts."""
    if ".." in value.split("/"):
        yield invalid(path, value, "must not contain '..'")


def descending_path(path: str, value: str) -> Errors:
    """A relative path without steps back."""
    if value.startswith("/"):
        yield invalid(path, value, "must be a relative path")
    yield from no_backsteps(path, value)


def not_reserved_path(path: str, value: str) -> Errors:
    """The same, and no name that begins with two dots."""
    yield from descending_path(path, value)
    if value.startswith("..") and not value.startswith("../"):
        yield invalid(path, value, "must not start with '..'")


def ip_address(path: str, value: str) -> Errors:
    """An IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(value)
    except ValueError:
        yield invalid(path, value, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")


def labels(path: str, value: Object | None) -> Errors:
    """A map of labels."""
    for key, each in (value or {}).items():
        yield from qualified(path, key)
        yield from words(path, each, names.label_value(each))


def label_selector(path: str, selector: Object | None) -> Errors:
    """A LabelSelector."""
    if not selector:
        return
    yield from labels(f"{path}.matchLabels", selector.get("matchLabels"))
    for index, each in enumerate(selector.get("matchExpressions") or ()):
        yield from requirement(f"{path}.matchExpressions[{index}]", each)


def shown_struct(path: str, value: Object, detail: str) -> Errors:
    """An invalid value that Go prints as a struct: its fields in the order in which they stand here."""
    yield FieldError("FieldValueInvalid", path, f"Invalid value: {gofmt.struct(value)}: {detail}")


def requirement(path: str, expression: Object, numeric: tuple[str, ...] = ()) -> Errors:
    """One expression of a selector; `numeric` are the operators of nodes that compare with one number."""
    operator, values = expression.get("operator", ""), expression.get("values") or []
    if operator in {"In", "NotIn"}:
        if not values:
            yield required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'")
    elif operator in {"Exists", "DoesNotExist"}:
        if values:
            yield forbidden(f"{path}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
    elif operator not in numeric:
        yield invalid(f"{path}.operator", operator, "not a valid selector operator")
    elif len(values) != 1:
        yield required(f"{path}.values", "must be specified single value when `operator` is 'Lt' or 'Gt'")
    yield from qualified(f"{path}.key", expression.get("key", ""))
    for index, value in enumerate(values):
        yield from words(f"{path}.values[{index}]", value, names.label_value(value))


def each_of(items: Iterable[Any] | None, path: str, check: Callable[[str, Any], Iterable[FieldError]]) -> Errors:
    """The errors of every item of a list, each at its index."""
    for index, item in enumerate(items or ()):
        yield from check(f"{path}[{index}]", item)
