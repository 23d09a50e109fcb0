"""What a validator has found out about a value.

`validation.py` fills one for every value and merges those of what is below it.
"""

from __future__ import annotations

from twinloop.apiserver.fielderrors import FieldError


class Result:
    """Findings by their message, in order and without repetition, and how many checks passed."""

    __slots__ = ("errors", "passed")

    def __init__(self) -> None:
        self.errors: dict[str, FieldError] = {}
        self.passed = 0

    def add(self, message: str, error: FieldError) -> None:
        """Note a finding."""
        self.errors.setdefault(message, error)

    def merge(self, other: Result) -> None:
        """Note all that another has found."""
        for message, error in other.errors.items():
            self.errors.setdefault(message, error)
        self.passed += other.passed
