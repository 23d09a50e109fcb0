"""`twinloop`: the project's own commands, one function each. Flags and words for people; the work is done elsewhere.

`apiserver` runs `twinloop.apiserver` until a signal, `demo` runs `twinloop.demo` to its end; the commands of the harness
are in `twinloop.harness.commands`. What a person got wrong ends in one line and exit status 2, what went wrong by itself in
one line and exit status 1.
"""

from __future__ import annotations

import logging
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from twinloop import __version__
from twinloop.exits import one_line_errors
from twinloop.harness import commands
from twinloop.harness.interruption import ended_by_the_first_signal

if TYPE_CHECKING:
    from twinloop.apiserver.http.process import Running


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(__version__, prog_name="twinloop")
def main() -> None:
    """One Kubernetes reconciliation, two control loops, and the means to see how they differ."""


@main.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Port on loopback; 0, the default: any free one."
)
@click.option(
    "--kubeconfig-out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write the kubeconfig (mode 0600); default: a temporary file, removed at the end.",
)
@click.option(
    "--controllers",
    default="all",
    show_default=True,
    help="Which of the controllers inside run: all, none, or names with commas between them.",
)
@click.option("--start-after", type=click.FloatRange(0), help="Seconds from a pod's arrival on its node to Running.")
@click.option("--ready-after", type=click.FloatRange(0), help="Seconds from there to Ready, with a readiness probe.")
@click.option("--stop-after", type=click.FloatRange(0), help="Seconds that a deleted pod takes to stop.")
@click.option("--history", type=click.IntRange(1), help="Events kept for watches and old lists.")
@click.option("--seed", type=int, help="Make uids and generated names the same in each run.")
@click.option(
    "--log-level", type=click.Choice(["debug", "info", "warning", "error"]), default="warning", show_default=True
)
def apiserver(
    port: int,
    kubeconfig_out: Path | None,
    controllers: str,
    start_after: float | None,
    ready_after: float | None,
    stop_after: float | None,
    history: int | None,
    seed: int | None,
    log_level: str,
) -> None:
    """Run the embedded API server: enough of Kubernetes for operators and kubectl, on this machine, in one process.

    It prints how to reach it and runs until Ctrl-C or SIGTERM. Nothing is kept.
    """
    # Imported late: the other commands need no server.
    from twinloop.apiserver.http.process import serve  # noqa: PLC0415
    from twinloop.apiserver.http.settings import Settings  # noqa: PLC0415

    logging.basicConfig(level=log_level.upper(), format="%(levelname)s %(name)s: %(message)s")
    delays = {"start_after": start_after, "ready_after": ready_after, "stop_after": stop_after}
    settings = Settings(
        port=port,
        kubeconfig=str(kubeconfig_out or ""),
        controllers=_names(controllers),
        delays={name: seconds for name, seconds in delays.items() if seconds is not None},
        seed=seed,
        log_level=log_level,
    )
    if history is not None:
        settings = replace(settings, history=history)
    with one_line_errors():
        serve(settings, _announce)


def _names(text: str) -> tuple[str, ...] | None:
    if text in {"all", "none"}:
        return None if text == "all" else ()
    return tuple(filter(None, (each.strip() for each in text.split(","))))


def _announce(running: Running) -> None:
    click.echo(f"API server at {running.url}; use it with: export KUBECONFIG={running.kubeconfig}")


@main.command()
@click.option(
    "--results", type=click.Path(file_okay=False, path_type=Path), default=commands.RESULTS, show_default=True
)
def demo(results: Path) -> None:
    """Let both operators live through the same short story, side by side, on an embedded API server.

    A short `compare` that is shown as it happens; it leaves the same report and has the same exit status.
    """
    from twinloop.demo.run import demo as run  # noqa: PLC0415 - as above

    with one_line_errors(otherwise=2), ended_by_the_first_signal():
        sys.exit(run(click.echo, results))


for command in commands.COMMANDS:
    main.add_command(command)


if __name__ == "__main__":
    main()
