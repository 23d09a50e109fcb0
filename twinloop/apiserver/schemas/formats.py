"""The string formats that schemas may ask for, as kube-openapi's strfmt checks them.

`validation.py` asks `check` for a schema's format; a format that is not in `KNOWN` counts for nothing, not even int32,
as on a real server. A definition that names an unknown one for a string is accepted with a warning.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from datetime import date

from twinloop.apiserver.schemas.patterns import compiled

Check = Callable[[str], bool]

_UUID = r"[0-9a-f]{8}-?[0-9a-f]{4}-?%s[0-9a-f]{3}-?%s[0-9a-f]{3}-?[0-9a-f]{12}"
_CARD = (
    r"4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}"
    r"|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35[0-9]{3})[0-9]{11}"
)
_COLOUR = r"\s*(0|[1-9][0-9]?|1[0-9][0-9]?|2[0-4][0-9]|25[0-5])\s*"
_BASE64 = r"(?:[A-Za-z0-9+\/]{4})*(?:[A-Za-z0-9+\/]{2}==|[A-Za-z0-9+\/]{3}=|[A-Za-z0-9+\/]{4})"
_HOSTNAME = (
    r"^([a-zA-Z0-9\p{S}\p{L}]((-?[a-zA-Z0-9\p{S}\p{L}]{0,62})?)|([a-zA-Z0-9\p{S}\p{L}]"
    r"(([a-zA-Z0-9-\p{S}\p{L}]{0,61}[a-zA-Z0-9\p{S}\p{L}])?)(\.)){1,}([a-zA-Z\p{L}]){2,63})$"
)
_TIME_OF_DAY = re.compile(r"([0-9]{2}):([0-9]{2}):([0-9]{2})(.[0-9]+)?(z|([+-][0-9]{2}:[0-9]{2}))", re.ASCII)
_GO_DURATION = re.compile(r"[-+]?(0|((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)", re.ASCII)
_LONG_DURATION = re.compile(r"(\d+)\s*([A-Za-zµ]+)", re.ASCII)
_UNITS = ("ns", "us", "µs", "ms", "s", "m", "h", "d", "w", "sec", "min", "hr", "wk")
_UNIT_WORDS = ("nano", "micro", "milli", "sec", "min", "hour", "day", "week")


def check(name: str) -> Check | None:
    """The check for a format; None for an unknown one."""
    return KNOWN.get(name.replace("-", ""))


def _matches(pattern: str, flags: int = 0) -> Check:
    found = re.compile(pattern, flags | re.ASCII)
    return lambda text: found.fullmatch(text) is not None


def is_date(text: str) -> bool:
    """A full-date of RFC 3339."""
    if len(text) != 10 or not text.isascii():
        return False
    try:
        return text[4] == text[7] == "-" and bool(date.fromisoformat(text))
    except ValueError:
        return text.startswith("0000-") and is_date("0004" + text[4:])  # Go knows a year 0, Python does not


def is_datetime(text: str) -> bool:
    """A date-time of RFC 3339 with a zone, letters in either case."""
    day, separator, time = text.lower().partition("t")
    found = _TIME_OF_DAY.fullmatch(time.partition("t")[0]) if separator and is_date(day) else None
    return found is not None and found[1] <= "23" and found[2] <= "59" and found[3] <= "59"


def is_duration(text: str) -> bool:
    """As time.ParseDuration reads it, or in words: "2 days"."""
    if _GO_DURATION.fullmatch(text):
        return True
    units = [unit.lower() for _, unit in _LONG_DURATION.findall(text)]
    return any(unit in _UNITS or unit.startswith(_UNIT_WORDS) for unit in units)


def is_ip(text: str, version: int = 0) -> bool:
    """An address; leading zeros are tolerated in version 4."""
    mark = {4: ".", 6: ":"}.get(version, "")
    if mark not in text or "%" in text:
        return False
    try:
        return bool(ipaddress.ip_address(_without_leading_zeros(text)))
    except ValueError:
        return False


def is_cidr(text: str) -> bool:
    """An address and a prefix length."""
    address, separator, length = text.partition("/")
    bits = 128 if ":" in address else 32
    return bool(separator) and is_ip(address) and length.isascii() and length.isdigit() and int(length) <= bits


def _without_leading_zeros(text: str) -> str:
    parts = text.split(".")
    return (
        ".".join(str(int(part)) if part.isascii() and part.isdigit() else part for part in parts)
        if ":" not in text
        else text
    )


def is_mac(text: str) -> bool:
    """Six, eight or twenty bytes, in one of net.ParseMAC's spellings."""
    plain = re.fullmatch(r"[0-9a-fA-F]{2}(([:-])[0-9a-fA-F]{2})(\2[0-9a-fA-F]{2})*", text)
    dotted = re.fullmatch(r"[0-9a-fA-F]{4}(\.[0-9a-fA-F]{4})+", text)
    bare = re.fullmatch(r"[0-9a-fA-F]+", text)
    return any((plain, dotted, bare)) and len(re.sub("[^0-9a-fA-F]", "", text)) in {12, 16, 40}


def is_uri(text: str) -> bool:
    """As url.ParseRequestURI takes it: absolute, or an absolute path."""
    before_query = text.partition("?")[0]
    scheme = re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:", text)
    if not text or re.search(r"[\x00-\x20\x7f]", before_query) or not (scheme or text.startswith("/")):
        return False
    rest = text[scheme.end() :] if scheme else text
    if not rest.startswith("/"):
        return bool(rest)  # opaque, as mailto: is
    return not re.search(r"%(?![0-9a-fA-F]{2})", before_query) and _has_good_host(rest)


def _has_good_host(rest: str) -> bool:
    host = re.match(r"//([^/?#]*@)?([^/?#]*)", rest)
    if host is None:
        return True
    return re.fullmatch(r"(\[[0-9a-fA-F:.%]*\]|[^\[\]:]*)(:[0-9]*)?", host[2]) is not None


def is_email(text: str) -> bool:
    """An address of RFC 5322, with a display name or without."""
    from email.headerregistry import Address  # noqa: PLC0415 - 13 ms for a format that hardly any schema has

    found = re.fullmatch(r'(?:.*<([^<>]+)>|((?:"[^"]*"|[^<>\s"]+)@[^<>\s]+))\s*', text)
    if not found:
        return False
    try:
        address = Address(addr_spec=found[1] or found[2])
    except Exception:  # noqa: BLE001 - the standard library raises whatever its parser meets
        return False
    return bool(address.username and address.domain)


def is_hostname(text: str) -> bool:
    """A host name, of up to 255 bytes in labels of up to 63."""
    short = len(text.encode()) <= 255 and all(len(label.encode()) <= 63 for label in text.split("."))
    return short and compiled(_HOSTNAME).search(text) is not None


def is_credit_card(text: str) -> bool:
    """A card number with a right check digit."""
    digits = re.sub("[^0-9]", "", text)
    doubled = [int(digit) * (1 + index % 2) for index, digit in enumerate(reversed(digits))]
    return re.fullmatch(_CARD, digits) is not None and sum(each - 9 * (each > 9) for each in doubled) % 10 == 0


def is_isbn10(text: str) -> bool:
    """An ISBN of the old kind."""
    digits = re.sub(r"[\s-]+", "", text)
    if not re.fullmatch("[0-9]{9}[0-9X]", digits):
        return False
    return sum((index + 1) * (10 if digit == "X" else int(digit)) for index, digit in enumerate(digits)) % 11 == 0


def is_isbn13(text: str) -> bool:
    """An ISBN of the new kind."""
    digits = re.sub(r"[\s-]+", "", text)
    if not re.fullmatch("[0-9]{13}", digits):
        return False
    return sum(int(digit) * (1, 3)[index % 2] for index, digit in enumerate(digits)) % 10 == 0


# The names have no dashes: date-time and datetime are one. k8s-short-name and k8s-long-name are left out: a server of
# version 1.34 still takes them for unknown, since an older one beside it would.
KNOWN: dict[str, Check] = {
    "bsonobjectid": _matches("[0-9a-fA-F]{24}"),
    "uri": is_uri,
    "email": is_email,
    "hostname": is_hostname,
    "ipv4": lambda text: is_ip(text, 4),
    "ipv6": lambda text: is_ip(text, 6),
    "cidr": is_cidr,
    "mac": is_mac,
    "uuid": _matches(_UUID % ("[0-9a-f]", "[0-9a-f]"), re.IGNORECASE),
    "uuid3": _matches(_UUID % ("3", "[0-9a-f]"), re.IGNORECASE),
    "uuid4": _matches(_UUID % ("4", "[89ab]"), re.IGNORECASE),
    "uuid5": _matches(_UUID % ("5", "[89ab]"), re.IGNORECASE),
    "isbn": lambda text: is_isbn10(text) or is_isbn13(text),
    "isbn10": is_isbn10,
    "isbn13": is_isbn13,
    "creditcard": is_credit_card,
    "ssn": lambda text: len(text) == 11 and re.fullmatch("[0-9]{3}[- ]?[0-9]{2}[- ]?[0-9]{4}", text) is not None,
    "hexcolor": _matches("#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})"),
    "rgbcolor": _matches(rf"rgb\({_COLOUR},{_COLOUR},{_COLOUR}\)"),
    "byte": _matches(_BASE64),
    "password": lambda _text: True,
    "date": is_date,
    "duration": is_duration,
    "datetime": is_datetime,
}
