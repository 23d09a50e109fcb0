r"""Regular expressions as Go has them, for `pattern` in schemas and `matches` in rules.

RE2 and not Python's `re`: the two differ in what they accept and in what `$` and `\d` match, and RE2 never takes
exponential time over a pattern that a stranger wrote. google-re2 is the library that Go's regexp descends from; it is
imported with the first pattern (3 MB, 10 ms), so that an idle server does without.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol, cast

# What the C++ library says -> what Go's regexp/syntax says; where they agree nothing stands here.
_GO_WORDS = {
    "missing ]": "missing closing ]",
    "missing )": "missing closing )",
    "unexpected )": "unexpected )",
    "bad repetition operator": "invalid nested repetition operator",
    "no argument for repetition operator": "missing argument to repetition operator",
    "invalid perl operator": "invalid or unsupported Perl syntax",
    "invalid repetition size": "invalid repeat count",
    "invalid named capture group": "invalid named capture",
    "trailing \\": "trailing backslash at end of expression",
}


class Pattern(Protocol):
    """As much of a compiled expression as is used here; `search` finds a match anywhere in the text."""

    def search(self, text: str) -> object | None:
        """The first match."""


class BadPattern(Exception):
    """Not a regular expression; the text is Go's error."""


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> Pattern:
    """The compiled expression, or `BadPattern`."""
    import re2  # noqa: PLC0415 - see above

    options = re2.Options()
    options.log_errors = False
    try:
        return cast("Pattern", re2.compile(pattern, options=options))
    except re2.error as error:
        raise BadPattern(_as_go_says(error.args[0], pattern)) from error


def _as_go_says(error: bytes | str, pattern: str) -> str:
    text = error.decode("utf-8", "replace") if isinstance(error, bytes) else str(error)
    problem, _, where = text.partition(": ")
    return f"error parsing regexp: {_GO_WORDS.get(problem, problem)}: `{where or pattern}`"


def problem_of(pattern: str) -> str:
    """Why a pattern cannot be used, or nothing."""
    try:
        compiled(pattern)
    except BadPattern as error:
        return str(error)
    return ""
