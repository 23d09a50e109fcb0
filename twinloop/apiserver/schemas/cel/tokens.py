"""The tokens of a CEL expression, and what string literals mean.

`parser.py` takes them apart. What is no token is reported and left out, so that the parser can tell what else is wrong.
"""

from __future__ import annotations

import re
from typing import Any

from twinloop.apiserver.schemas.cel.syntax import CelSyntaxError

Token = tuple[str, str, int]  # kind, text, offset

_TOKENS = re.compile(
    r"""(?P<space>[\s]+|//[^\n]*)
    |(?P<string>(?:[rR][bB]?|[bB][rR]?)?(?:\"\"\"(?s:(?:\\.|[^\\])*?)\"\"\"|'''(?s:(?:\\.|[^\\])*?)'''
        |"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))
    |(?P<double>(?:[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+|\.[0-9]+(?:[eE][+-]?[0-9]+)?))
    |(?P<int>0x[0-9a-fA-F]+[uU]?|[0-9]+[uU]?)
    |(?P<word>[_a-zA-Z][_a-zA-Z0-9]*)
    |(?P<mark>==|!=|<=|>=|&&|\|\||[-+*/%<>!?:.,()\[\]{}])""",
    re.VERBOSE,
)
_ESCAPE = re.compile(
    r"\\(?:x([0-9a-fA-F]{2})|X([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|(.))", re.DOTALL
)
_SIMPLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def tokens_of(text: str) -> tuple[list[Token], list[tuple[str, int]]]:
    """The tokens, with an end, and the problems with what is none: messages and offsets."""
    found: list[Token] = []
    problems: list[tuple[str, int]] = []
    position = 0
    while position < len(text):
        match = _TOKENS.match(text, position)
        if match is None:
            wrong = text[position:].partition("\n")[0] if text[position] in "\"'" else text[position]
            problems.append((f"Syntax error: token recognition error at: '{wrong}'", position))
            position += len(wrong)
            continue
        if match.lastgroup != "space":
            found.append((str(match.lastgroup), match[0], position))
        position = match.end()
    return [*found, ("end", "", len(text))], problems


def string_value(token: str, offset: int) -> Any:
    """The value of a string or bytes literal."""
    prefix = token[: min(token.find("'") % 999, token.find('"') % 999)].lower()
    body = token[len(prefix) :]
    body = body[3:-3] if len(body) >= 6 and body[:3] in {'"""', "'''"} else body[1:-1]
    text = body if "r" in prefix else _ESCAPE.sub(lambda found: _unescaped(found, offset), body)
    if "b" not in prefix:
        return text
    return text.encode("latin-1") if all(ord(char) < 256 for char in text) and "\\" in body else text.encode()


def _unescaped(found: re.Match[str], offset: int) -> str:
    hexadecimal = next((each for each in found.groups()[:4] if each), None)
    if hexadecimal:
        return chr(int(hexadecimal, 16))
    if found[5]:
        return chr(int(found[5], 8))
    if found[6] in _SIMPLE:
        return _SIMPLE[found[6]]
    if found[6] in "\\?\"'`":
        return found[6]
    raise CelSyntaxError(f"Syntax error: token recognition error at: '{found[0]}'", offset)
