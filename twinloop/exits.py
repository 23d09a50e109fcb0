"""How a command of ours ends when something went wrong: one line on standard error and a status that says whose turn it is.

Used by every command of `twinloop.cli` and `twinloop.harness.commands`; errors and their hints come from `twinloop.errors`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from twinloop.errors import EXIT_CONFIGURATION, ConfigurationError, TwinloopError


@contextmanager
def one_line_errors(otherwise: int = 1) -> Iterator[None]:
    """End with one line: status 2 for what a person has to put right, `otherwise` for what went wrong by itself."""
    try:
        yield
    except TwinloopError as error:
        click.echo(error.for_a_person(), err=True)
        sys.exit(EXIT_CONFIGURATION if isinstance(error, ConfigurationError) else otherwise)
