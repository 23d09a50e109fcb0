"""kwokctl, for the benchmarks that want a real API server: one cluster of one name, which is deleted again."""

from __future__ import annotations

import subprocess

import click

CLUSTER = "twinloop-bench"


def kwokctl(*arguments: str) -> None:
    """Run it on the benchmarks' cluster; a failure is one line with kwokctl's own last words."""
    done = subprocess.run(  # noqa: S603
        ["kwokctl", "--name", CLUSTER, *arguments],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise click.ClickException(f"kwokctl {arguments[0]}: {done.stderr.strip()[-500:]}")
