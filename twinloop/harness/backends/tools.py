"""Runs the programs that make clusters; `kind.py` and `kwok.py` get it from outside, so that tests need no cluster."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

from twinloop.harness.backends.backend import BackendError

# What a program printed, by its words; BackendError with its own last words when it failed.
Run = Callable[..., str]

# Seconds: a node image may have to be fetched first.
PATIENCE = 900.0
LAST_WORDS = 500


def run(*words: str) -> str:
    """Run a program to its end and return what it printed. Raises BackendError."""
    try:
        done = subprocess.run(  # noqa: S603 - our own words, see the callers
            words, capture_output=True, text=True, check=False, timeout=PATIENCE, stdin=subprocess.DEVNULL
        )
    except FileNotFoundError:
        raise BackendError(f"{words[0]} is not on the PATH") from None
    except subprocess.TimeoutExpired:
        raise BackendError(f"{words[0]} {words[1]} did not come to its end in {PATIENCE:g} s") from None
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split())[-LAST_WORDS:]
        raise BackendError(f"{' '.join(words[:3])} failed: {said or f'status {done.returncode}'}")
    return done.stdout
