"""The article's example: a controller that prints which pods of a namespace come, change and go.

    python -m handwritten.podwatch --namespace nginx

client-go: examples/workqueue/main.go, in the form that a well-known article about workqueues gives it. It is the
smallest whole program on this machinery, and the place to begin reading:

    informer -> handlers print "add pod: " and put the key into the queue -> workers -> sync looks the key up in the
    indexer and prints what it finds

stdout has what the handlers and the sync say, a line at a time; stderr has the rest in klog's format. What differs
from the article's transcripts, and what `operator/podwatch.py` makes of it, is in docs/podwatch.md.
"""

from __future__ import annotations

import logging
import random
import sys
import threading
from collections.abc import Callable
from typing import Final

import click

from handwritten.clock import Clock, RealClock
from handwritten.controller import Controller
from handwritten.fifo import deletion_handling_key
from handwritten.handlers import ResourceEventHandlerFuncs
from handwritten.informer import SharedInformer
from handwritten.listwatch import ListerWatcher, ListWatch
from handwritten.ratelimit import RateLimitingQueue, default_controller_rate_limiter
from handwritten.signals import setup_signal_handler
from handwritten.store import meta_namespace_key
from twinloop import __version__, logs
from twinloop.errors import EXIT_CONFIGURATION, ConfigurationError
from twinloop.kube import PODS, Client, load_configuration
from twinloop.sync import DONE, Outcome

# Not __name__: run as a program, this module is called __main__.
log = logging.getLogger("handwritten.podwatch")

MAX_RETRIES: Final = 5
# How long the informer may take to end after the workers have; it waits on nothing but its threads.
INFORMER_PATIENCE: Final = 1.0

Say = Callable[[str], None]


class PodController(Controller):
    """Informer, queue and workers for the pods of one source."""

    def __init__(
        self, source: ListerWatcher, say: Say, *, clock: Clock, rng: random.Random, resync: float = 0.0
    ) -> None:
        """`say` gets the lines for stdout, from several threads; `resync` in seconds, 0 = never."""
        self._say = say
        # The default limiter, token bucket included: 5 ms doubling for a pod, 10 a second for all that fail.
        self.queue: RateLimitingQueue[str] = RateLimitingQueue(
            rate_limiter=default_controller_rate_limiter(clock=clock), name="pods", clock=clock
        )
        self.informer = SharedInformer(source, clock=clock, rng=rng, name="pods", resync_period=resync)
        self.informer.add_event_handler(
            ResourceEventHandlerFuncs(
                add=lambda obj, _: self._enqueue("add", meta_namespace_key(obj)),
                update=lambda _, new: self._enqueue("update", meta_namespace_key(new)),
                # A deletion that the watch missed comes as a tombstone, which has the key and maybe no object.
                delete=lambda obj: self._enqueue("delete", deletion_handling_key(obj)),
            )
        )
        super().__init__(
            "pods",
            self.queue,
            self.sync_to_stdout,
            has_synced=[self.informer.has_synced],
            clock=clock,
            max_retries=MAX_RETRIES,
        )

    def run(self, workers: int, stop: threading.Event) -> None:
        """Run until `stop` is set: first the informer, and workers as soon as its cache is filled."""
        log.info("Starting Pod controller")
        informer = threading.Thread(target=self.informer.run, args=(stop,), name="informer-pods", daemon=True)
        informer.start()
        super().run(workers, stop)
        informer.join(INFORMER_PATIENCE)
        log.info("Stopping Pod controller")

    def _enqueue(self, what: str, key: str) -> None:
        # Two spaces, as Go's Println puts one between its arguments and the article's text ends with one.
        self._say(f"{what} pod:  {key}")
        self.queue.add(key)

    def sync_to_stdout(self, key: str) -> Outcome:
        """Say what the cache knows of a key. Retries are none of its business."""
        pod = self.informer.indexer.get_by_key(key)
        if pod is None:
            self._say(f"Pod {key} does not exists anymore")
        else:
            self._say(f"Sync/Add/Update for Pod {pod['metadata']['name']}")
        return DONE

    def retrying(self, key: str, failure: str) -> None:
        """See `Controller.retrying`."""
        log.info("Error syncing pod %s: %s", key, failure)

    def dropping(self, key: str, failure: str) -> None:
        """See `Controller.dropping`."""
        log.error("%s", failure)  # runtime.HandleError
        log.info('Dropping pod "%s" out of the queue: %s', key, failure)


def say_until_closed(stop: threading.Event) -> Say:
    """Print lines to stdout, each at once and whole; set `stop` when nobody reads them any more (`| head`)."""

    def say(line: str) -> None:
        try:
            click.echo(line)
        except BrokenPipeError:
            # A Go program dies of SIGPIPE here. Python ignores the signal, for its sockets' sake: the end is asked for.
            stop.set()

    return say


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--kubeconfig", help="Kubeconfig file; default: $KUBECONFIG, the pod's service account, ~/.kube/config.")
@click.option(
    "--namespace", "-n", default="nginx", show_default=True, help='Watch the pods of this namespace; "" = all.'
)
@click.option("--workers", type=click.IntRange(1, 256), default=1, show_default=True, help="Pods synced at once.")
@click.option(
    "--resync",
    type=click.FloatRange(0),
    default=0.0,
    show_default=True,
    help="Seconds after which every pod is shown as updated again from the cache; 0 = never.",
)
def main(kubeconfig: str | None, namespace: str, workers: int, resync: float) -> None:
    """Print which pods of a namespace come, change and go."""
    # Our own lines from I on, of the machinery below what goes wrong: client-go hides the rest behind klog's -v.
    logs.configure("warning", "klog")
    log.setLevel(logging.INFO)
    stop = setup_signal_handler()
    try:
        client = Client(load_configuration(kubeconfig), user_agent=f"twinloop-podwatch/{__version__}")
    except ConfigurationError as error:
        click.echo(error.for_a_person(), err=True)
        sys.exit(EXIT_CONFIGURATION)
    say = say_until_closed(stop)
    controller = PodController(
        ListWatch(client, PODS, namespace or None),
        say,
        clock=RealClock(),
        rng=random.Random(),  # noqa: S311 - spreads requests over time, hides nothing
        resync=resync,
    )
    say("start controller")
    controller.run(workers, stop)


if __name__ == "__main__":
    main()
