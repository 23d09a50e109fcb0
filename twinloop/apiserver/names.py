"""What is a name, a label, an annotation key: the syntax checks that every kind shares.

`metadata.py` applies them to objects, `selectors.py` to selectors, the strategies of kinds to names of their own. Each
returns what is wrong in the words of apimachinery's util/validation, an empty list when nothing is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

NameCheck = Callable[[str], list[str]]

_QUALIFIED = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL_VALUE = f"({_QUALIFIED})?"
_DNS_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_DNS_SUBDOMAIN = rf"{_DNS_LABEL}(\.{_DNS_LABEL})*"
_DNS_1035 = r"[a-z]([-a-z0-9]*[a-z0-9])?"

_qualified = re.compile(_QUALIFIED).fullmatch
_label_value = re.compile(_LABEL_VALUE).fullmatch
_dns_label = re.compile(_DNS_LABEL).fullmatch
_dns_subdomain = re.compile(_DNS_SUBDOMAIN).fullmatch
_dns_1035 = re.compile(_DNS_1035).fullmatch

_MUST_BE_QUALIFIED = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
    f"(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{_QUALIFIED}')"
)
_MUST_BE_LABEL_VALUE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character "
    f"(e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '{_LABEL_VALUE}')"
)
_MUST_BE_DNS_LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    f"an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '{_DNS_LABEL}')"
)
_MUST_BE_DNS_SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character "
    rf"(e.g. 'example.com', regex used for validation is '{_DNS_SUBDOMAIN}')"
)
_MUST_BE_DNS_1035 = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character "
    f"(e.g. 'my-name',  or 'abc-123', regex used for validation is '{_DNS_1035}')"
)


def too_long(maximum: int) -> str:
    """The message about a string of more characters than `maximum`."""
    return f"must be no more than {maximum} characters"


def qualified_name(value: str) -> list[str]:
    """A label key, annotation key or finalizer: a name with an optional DNS subdomain and a slash before it."""
    return [*_qualified_name(value)]


@lru_cache(maxsize=4096)  # a program uses the same few keys for all of its objects
def _qualified_name(value: str) -> tuple[str, ...]:
    prefix, slash, name = value.rpartition("/")
    if "/" in prefix:
        optional = "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        return (f"a qualified name {_MUST_BE_QUALIFIED} {optional}",)
    found = _prefix_errors(prefix) if slash else []
    if not name:
        found.append("name part must be non-empty")
    elif len(name) > 63:
        found.append(f"name part {too_long(63)}")
    if not _qualified(name):
        found.append(f"name part {_MUST_BE_QUALIFIED}")
    return tuple(found)


def _prefix_errors(prefix: str) -> list[str]:
    problems = subdomain(prefix) if prefix else ["must be non-empty"]
    return [f"prefix part {each}" for each in problems]


def label_value(value: str) -> list[str]:
    """A label's value."""
    found = [too_long(63)] if len(value) > 63 else []
    if not _label_value(value):
        found.append(_MUST_BE_LABEL_VALUE)
    return found


def label(value: str) -> list[str]:
    """A DNS label, as namespaces are named."""
    found = [too_long(63)] if len(value) > 63 else []
    if not _dns_label(value):
        found.append("must not contain dots" if _dns_subdomain(value) else _MUST_BE_DNS_LABEL)
    return found


def label_1035(value: str) -> list[str]:
    """A DNS label that starts with a letter, as services are named."""
    found = [too_long(63)] if len(value) > 63 else []
    if not _dns_1035(value):
        found.append(_MUST_BE_DNS_1035)
    return found


def subdomain(value: str) -> list[str]:
    """A DNS subdomain, as most objects are named."""
    found = [too_long(253)] if len(value) > 253 else []
    if not _dns_subdomain(value):
        found.append(_MUST_BE_DNS_SUBDOMAIN)
    return found


def path_segment(value: str) -> list[str]:
    """What can stand in a URL: the least that is asked of any name."""
    if value in {".", ".."}:
        return [f"may not be '{value}'"]
    return [f"may not contain '{each}'" for each in "/%" if each in value]


def path_segment_prefix(value: str) -> list[str]:
    """The same for what a name begins with."""
    return [f"may not contain '{each}'" for each in "/%" if each in value]


def prefixed(check: NameCheck, name: str, *, prefix: bool) -> list[str]:
    """Check a name, or a generateName, whose last dash is never the name's last character."""
    return check(f"{name[:-1]}a" if prefix and len(name) > 1 and name.endswith("-") else name)


def dns_subdomain(name: str, *, prefix: bool = False) -> list[str]:
    """The name of most objects."""
    return prefixed(subdomain, name, prefix=prefix)


def dns_label(name: str, *, prefix: bool = False) -> list[str]:
    """The name of a namespace."""
    return prefixed(label, name, prefix=prefix)


def dns_1035_label(name: str, *, prefix: bool = False) -> list[str]:
    """The name of a service."""
    return prefixed(label_1035, name, prefix=prefix)


def any_segment(name: str, *, prefix: bool = False) -> list[str]:
    """The name of an RBAC object: whatever can stand in a URL."""
    return path_segment_prefix(name) if prefix else path_segment(name)
