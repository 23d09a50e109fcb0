"""`python -m miniatures NAME`: a miniature as a process that keeps a variant's promises.

--health-port serves /readyz, SIGTERM ends it with 0 once what is in hand is done, and its log is JSON on stderr.
"""

from __future__ import annotations

import argparse
import signal

from miniatures.base import Miniature
from miniatures.registry import BUGS, RIGHT
from twinloop import logs
from twinloop.kube import Client, EventRecorder, load_configuration
from twinloop.serving import probe, serve


def main() -> None:
    """Run the miniature of that name until SIGTERM."""
    parser = argparse.ArgumentParser(prog="miniatures", description=__doc__)
    parser.add_argument("name", choices=[RIGHT, *BUGS])
    parser.add_argument("--kubeconfig", required=True)
    parser.add_argument("--namespace", required=True)
    parser.add_argument("--health-port", type=int, default=0)
    parser.add_argument("--resync", type=float, default=600.0)
    given = parser.parse_args()
    logs.configure()
    client = Client(load_configuration(given.kubeconfig), user_agent=f"miniature-{given.name}")
    recorder = EventRecorder(client)
    miniature = BUGS.get(given.name, Miniature)(client, recorder, given.namespace, given.resync)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: miniature.stopped.set())
    with serve(f"127.0.0.1:{given.health_port}", {"/readyz": probe(miniature.ready)}):
        miniature.run()
    recorder.close(1.0)


main()
