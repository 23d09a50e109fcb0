"""`python -m handwritten`: flags, signals, and the order in which an operator process comes up and goes down.

Coming up: configuration (exit 2 with one line if it cannot be used) -> probes and metrics -> informers -> workers.
Going down on SIGTERM or SIGINT: workers finish what they hold -> informers -> events are flushed -> exit 0.
"""

from __future__ import annotations

import random
import sys
from typing import Literal

import click
from prometheus_client import disable_created_metrics

from handwritten.clock import RealClock
from handwritten.nginxpod import NginxPodOperator, Sources
from handwritten.signals import setup_signal_handler
from twinloop import __version__, logs
from twinloop.errors import EXIT_CONFIGURATION, ConfigurationError
from twinloop.kube import Client, EventRecorder, load_configuration
from twinloop.serving import metrics_answer, probe, serve


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--kubeconfig", help="Kubeconfig file; default: $KUBECONFIG, the pod's service account, ~/.kube/config.")
@click.option("--context", help="Context of the kubeconfig.")
@click.option("--namespace", "-n", help="Serve this namespace only; default: all.")
@click.option("--workers", type=click.IntRange(1, 256), default=4, show_default=True, help="NginxPods visited at once.")
@click.option(
    "--resync",
    type=click.FloatRange(0),
    default=600.0,
    show_default=True,
    help="Seconds after which every NginxPod is visited again from the cache; 0 = never.",
)
@click.option("--metrics-bind-address", default=":8080", show_default=True, help="For /metrics; 0 = off.")
@click.option("--health-probe-bind-address", default=":8081", show_default=True, help="For /healthz, /readyz; 0 = off.")
@click.option("--log-format", type=click.Choice(["json", "text"]), default="json", show_default=True)
@click.option(
    "--log-level", type=click.Choice(["debug", "info", "warning", "error"]), default="info", show_default=True
)
@click.version_option(__version__, prog_name="handwritten")
def main(
    kubeconfig: str | None,
    context: str | None,
    namespace: str | None,
    workers: int,
    resync: float,
    metrics_bind_address: str,
    health_probe_bind_address: str,
    log_format: Literal["json", "text"],
    log_level: str,
) -> None:
    """Keep the nginx pods of NginxPods as their specs say."""
    logs.configure(log_level, log_format)
    # client-go's pages have no *_created series, and dashboards do not expect them.
    disable_created_metrics()  # type: ignore[no-untyped-call]
    stop = setup_signal_handler()
    try:
        configuration = load_configuration(kubeconfig, context)
        # A worker each, and room for the event recorder.
        client = Client(configuration, user_agent=f"twinloop-handwritten/{__version__}", pool_size=workers + 2)
        recorder = EventRecorder(client)
        operator = NginxPodOperator(
            client,
            recorder,
            sources=Sources.of(client, namespace),
            clock=RealClock(),
            rng=random.Random(),  # noqa: S311 - spreads requests over time, hides nothing
            resync=resync,
            workers=workers,
        )
        probes = {"/healthz": probe(lambda: True), "/readyz": probe(operator.ready)}
        with serve(health_probe_bind_address, probes), serve(metrics_bind_address, {"/metrics": metrics_answer}):
            operator.run(stop)
        recorder.close(1.0)
    except ConfigurationError as error:
        click.echo(error.for_a_person(), err=True)
        sys.exit(EXIT_CONFIGURATION)


if __name__ == "__main__":
    main()
