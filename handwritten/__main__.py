"""`python -m handwritten`: flags, signals, and the order in which an operator process comes up and goes down.

Coming up: configuration (exit 2 with one line if it cannot be used) -> probes and metrics -> informers -> workers, with
--leader-elect as soon as this process leads.
Going down on SIGTERM or SIGINT: workers finish what they hold -> the lease is released -> informers -> events are flushed
-> exit 0. When the lease is lost: exit 1 at once.
"""

from __future__ import annotations

import random
import socket
import sys
import uuid
from pathlib import Path
from typing import Final, Literal

import click
from prometheus_client import disable_created_metrics

from handwritten.clock import RealClock
from handwritten.leaderelection import RENEW_DEADLINE
from handwritten.leaderelection_metrics import PrometheusLeaderElectionMetrics
from handwritten.manager import EXIT_LEADERSHIP_LOST, Election, LeadershipLost
from handwritten.nginxpod import NginxPodOperator, Sources
from handwritten.pipeline import CLASSIC, CURRENT
from handwritten.resourcelock import LeaseLock
from handwritten.signals import setup_signal_handler
from twinloop import __version__, logs
from twinloop.errors import EXIT_CONFIGURATION, ConfigurationError
from twinloop.kube import Client, Configuration, EventRecorder, load_configuration
from twinloop.serving import metrics_answer, probe, serve

USER_AGENT: Final = f"twinloop-handwritten/{__version__}"
PIPELINES: Final = {"classic": CLASSIC, "current": CURRENT}
# Where the kubelet tells a pod which namespace it is in.
NAMESPACE_FILE: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


def new_election(
    configuration: Configuration,
    name: str,
    namespace: str | None,
    identity: str | None,
    *,
    namespace_file: Path = NAMESPACE_FILE,
) -> Election:
    """Return this process's election. Raises ConfigurationError when nobody says where the Lease is."""
    if not namespace and not namespace_file.is_file():
        raise ConfigurationError(
            "leader election needs a namespace for its Lease, and this process is in none",
            hint="Set --leader-elect-resource-namespace.",
        )
    lock = LeaseLock(
        # A client of its own, with less patience than the renew deadline: one slow answer must not cost the lease.
        Client(configuration, user_agent=USER_AGENT, pool_size=1, read_timeout=RENEW_DEADLINE / 2),
        namespace=namespace or namespace_file.read_text().strip(),
        name=name,
        identity=identity or f"{socket.gethostname()}_{uuid.uuid4()}",
    )
    return Election(
        lock,
        name=name,
        clock=RealClock(),
        rng=random.Random(),  # noqa: S311 - spreads requests over time, hides nothing
        metrics=PrometheusLeaderElectionMetrics(),
    )


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
@click.option(
    "--pipeline",
    type=click.Choice([*PIPELINES]),
    default="classic",
    show_default=True,
    help="classic: DeltaFIFO and lists, as client-go up to 1.32; current: RealFIFO and watch lists, as 1.36.",
)
@click.option("--leader-elect", is_flag=True, help="Work only while holding a Lease, for more than one replica.")
@click.option(
    "--leader-elect-resource-name", default="twinloop-handwritten", show_default=True, help="The Lease's name."
)
@click.option("--leader-elect-resource-namespace", help="The Lease's namespace; default: the pod's own.")
@click.option("--leader-elect-identity", help="Our name in the Lease; default: host name and a random suffix.")
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
    pipeline: str,
    leader_elect: bool,
    leader_elect_resource_name: str,
    leader_elect_resource_namespace: str | None,
    leader_elect_identity: str | None,
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
        client = Client(configuration, user_agent=USER_AGENT, pool_size=workers + 2)
        recorder = EventRecorder(client)
        operator = NginxPodOperator(
            client,
            recorder,
            sources=Sources.of(client, namespace),
            clock=RealClock(),
            rng=random.Random(),  # noqa: S311 - spreads requests over time, hides nothing
            resync=resync,
            workers=workers,
            pipeline=PIPELINES[pipeline],
        )
        election = None
        if leader_elect:
            election = new_election(
                configuration, leader_elect_resource_name, leader_elect_resource_namespace, leader_elect_identity
            )
        healthy = election.healthy if election is not None else lambda: True
        probes = {"/healthz": probe(healthy), "/readyz": probe(operator.ready)}
        with serve(health_probe_bind_address, probes), serve(metrics_bind_address, {"/metrics": metrics_answer}):
            operator.run(stop, election)
        recorder.close(1.0)
    except LeadershipLost as error:
        # No flush, no farewell: whoever leads now must not meet us.
        click.echo(error.for_a_person(), err=True)
        sys.exit(EXIT_LEADERSHIP_LOST)
    except ConfigurationError as error:
        click.echo(error.for_a_person(), err=True)
        sys.exit(EXIT_CONFIGURATION)


if __name__ == "__main__":
    main()
