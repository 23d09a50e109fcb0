r"""How Go prints values: the quoting, the numbers and the JSON that messages of a Kubernetes API server contain.

`fielderrors.py` shows a bad value with this, `schemas/` and `publish/` words and cells. People compare messages with
those of a real cluster, so the details count: 1e+06 is not 1000000, and `<` is \u003c inside JSON but not inside %q.
"""

from __future__ import annotations

import json
from typing import Any

_SHORT = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}
_ESCAPED = {**_SHORT, '"': '\\"', "\\": "\\\\"}
HTML = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})
# Where Go switches to an exponent: %v and strconv's g from 1e6 on, JSON only from 1e21 on.
_SMALL, _LARGE, _LARGE_JSON = 1e-4, 1e6, 1e21


def quote(text: str) -> str:
    """strconv.Quote, which is %q."""
    return '"' + "".join(_ESCAPED.get(char) or _printable(char) for char in text) + '"'


def _printable(char: str) -> str:
    if char.isprintable():
        return char
    code = ord(char)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def number(value: float) -> str:
    """A float64 as %v shows it; whole numbers have no point."""
    if value and not _SMALL <= abs(value) < _LARGE:
        mantissa, _, exponent = f"{value!r}".partition("e")
        if not exponent:  # Python takes to exponents later
            mantissa, _, exponent = f"{value:e}".partition("e")
            mantissa = _shortest_mantissa(value, mantissa)
        return f"{mantissa.removesuffix('.0')}e{int(exponent):+03d}"
    return str(int(value)) if value == int(value) else repr(value)


def _shortest_mantissa(value: float, mantissa: str) -> str:
    for digits in range(17):
        short = f"{value:.{digits}e}"
        if float(short) == value:
            return short.partition("e")[0]
    return mantissa


def shown(value: Any) -> str:
    """A bad value in a message: strings quoted, numbers plain, the rest as JSON with sorted keys."""
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, float):
        return number(value)
    return marshal(value)


def marshal(value: Any) -> str:
    """encoding/json: keys sorted, HTML escaped."""
    return json.dumps(_shrink(value), separators=(",", ":"), ensure_ascii=False, sort_keys=True).translate(HTML)


def _shrink(value: Any) -> Any:
    """The same value with whole floats as integers, which is how Go writes them."""
    if isinstance(value, float) and value == value // 1 and abs(value) < _LARGE_JSON:
        return int(value)
    if isinstance(value, dict):
        return {key: _shrink(each) for key, each in value.items()}
    return [_shrink(each) for each in value] if isinstance(value, list) else value


def printed(value: Any) -> str:
    """A JSON value as %v shows it: map[a:1], [1 2], <nil>, strings bare."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{printed(value[key])}' for key in sorted(value))}]"
    if isinstance(value, list):
        return f"[{' '.join(map(printed, value))}]"
    return number(value) if isinstance(value, float) else str(value)


def struct(value: Any) -> str:
    """A Go struct, or a list of them, in a message: JSON with the fields in the order in which they stand here."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).translate(HTML)
