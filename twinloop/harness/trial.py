"""One trial: one scenario under one variant, from an empty namespace to the last line of its history.

    namespace -> proxy -> truth -> operator up -> the story -> faults over -> settled? -> a quiet window
              -> a canary -> everything deleted -> operator down -> End

`compare.py` orders the trials and calls `run_trial`; the judges read the folder that it leaves. Nothing here decides
whether the operator did well: a wait that ends in vain is a mark that says so. What the harness itself gets wrong ends
the history with outcome "failed", which no judge takes for a pass.
"""

from __future__ import annotations

import itertools
import logging
import random
import re
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from twinloop import __version__
from twinloop.errors import TwinloopError
from twinloop.harness.backends.backend import Backend
from twinloop.harness.history import Begin, End, Mark, Record, Recorder
from twinloop.harness.job import Job
from twinloop.harness.log_alarms import alarms
from twinloop.harness.proxy.host import ProxyHost
from twinloop.harness.proxy.proxy import Hooks, Proxy
from twinloop.harness.scenario import Scenario, Settings
from twinloop.harness.stage import Hands, TrialStage
from twinloop.harness.supervisor import Supervisor
from twinloop.harness.truth import TruthWatch
from twinloop.kube import NGINXPODS, Client, Resource

log = logging.getLogger(__name__)

CANARY = "canary"
# Namespaces of one process are numbered, those of several cannot meet: a backend may be shared.
_numbers = itertools.count(1)


def bounds(job: Job, pace: float) -> Settings:
    """The bounds of a trial: those of the scenario on top of the job's, stretched where pods take longer."""
    settings = replace(job.settings, **job.scenario.settings)
    return replace(
        settings, bound=settings.bound * pace, canary=settings.canary * pace, quiet=settings.quiet * min(pace, 4)
    )


def run_trial(
    job: Job,
    backend: Backend,
    proxies: ProxyHost,
    results: Path,
    interrupted: threading.Event | None = None,
    listeners: Iterable[Callable[[Record], None]] = (),
) -> Path:
    """Run one trial and return its folder. KeyboardInterrupt passes through, after everything was put away.

    `interrupted`, once set, ends the trial at its next wait in the same way: Ctrl-C reaches the main thread only. `listeners`
    get each record as it is written, see `Recorder`.
    """
    folder = results / job.folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with (folder / "history.jsonl").open("w") as stream:
        settings = bounds(job, backend.pace)
        scene = _Scene(
            job, backend, proxies, Recorder(stream), folder, _namespace(job), settings, interrupted or threading.Event()
        )
        scene.recorder.listeners.extend(listeners)
        scene.recorder.write(_begin(scene))
        missing = job.scenario.needs - backend.abilities
        if missing:
            why = f"backend {backend.name} lacks {', '.join(sorted(missing))}"
            scene.recorder.write(End(outcome="unsupported", why=why))
            return folder
        _run(scene)
    return folder


@dataclass(frozen=True)
class _Scene:
    """Where a trial takes place, and who writes down what happens."""

    job: Job
    backend: Backend
    proxies: ProxyHost
    recorder: Recorder
    folder: Path
    namespace: str
    settings: Settings
    interrupted: threading.Event


def _run(scene: _Scene) -> None:
    write = scene.recorder.write
    unfired: list[str] = []
    try:
        with _stage(scene) as (stage, proxy):
            try:
                play(scene.job.scenario, stage, proxy, scene.recorder)
            finally:
                unfired = proxy.unfired()
    except KeyboardInterrupt:
        write(End(outcome="interrupted", why="Ctrl-C", unfired=unfired))
        raise
    except Exception as error:
        log.debug("the trial failed", exc_info=True)
        write(End(outcome="failed", why=f"{type(error).__name__}: {error}", unfired=unfired))
    else:
        write(End(outcome="complete", unfired=unfired))


def _namespace(job: Job) -> str:
    words = re.sub("[^a-z0-9]+", "-", f"{job.scenario.name}-{job.name}".lower())[:40].strip("-")
    return f"tl-{words}-{next(_numbers)}-{random.SystemRandom().randrange(16**4):04x}"


def _begin(scene: _Scene) -> Begin:
    job, pace = scene.job, scene.backend.pace
    return Begin(
        scenario=job.scenario.name,
        plan=job.plan,
        variant=job.name,
        block=job.block,
        seed=job.seed,
        backend=scene.backend.name,
        namespace=scene.namespace,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        rules=[rule.to_json() for rule in job.rules],
        settings={**asdict(scene.settings), "pace": pace, "set": job.scenario.set, "writes": job.scenario.writes},
    )


@contextmanager
def _stage(scene: _Scene) -> Iterator[tuple[TrialStage, Proxy]]:
    """Everything a trial needs, put away in the opposite order whatever happens."""
    backend, recorder, namespace = scene.backend, scene.recorder, scene.namespace
    with ExitStack() as stack:
        client = Client(backend.configuration, user_agent=f"twinloop-compare/{__version__}")
        stack.callback(client.close)
        backend.make_namespace(namespace)
        stack.callback(_delete_namespace, backend, namespace)
        # The supervisor is made after the proxy that calls it.
        supervisors: list[Supervisor] = []
        proxy = scene.proxies.open(backend.configuration, recorder, _hooks(supervisors, client, namespace))
        stack.callback(proxy.close)
        proxy.arm(*scene.job.rules)
        truth = TruthWatch(client, namespace, recorder)
        stack.callback(truth.close)
        truth.open()
        supervisors.append(_supervisor(scene, proxy))
        stack.callback(_note_alarms, scene.folder, recorder)
        stack.callback(supervisors[0].close)
        yield _built(scene, Hands(client, namespace, recorder), truth, proxy, supervisors[0]), proxy


def _supervisor(scene: _Scene, proxy: Proxy) -> Supervisor:
    def kubeconfig(replica: str) -> Path:
        path = scene.folder / f"kubeconfig-{replica}"
        if not path.exists():
            proxy.kubeconfig(replica, path, scene.namespace)
        return path

    return Supervisor(
        scene.job.variant,
        recorder=scene.recorder,
        folder=scene.folder,
        namespace=scene.namespace,
        kubeconfigs=kubeconfig,
        settings=scene.settings,
    )


def _built(scene: _Scene, hands: Hands, truth: TruthWatch, proxy: Proxy, supervisor: Supervisor) -> TrialStage:
    return TrialStage(
        hands=hands,
        truth=truth.view,
        proxy=proxy,
        supervisor=supervisor,
        backend=scene.backend,
        recorder=scene.recorder,
        namespace=scene.namespace,
        variant=scene.job.variant.name,
        settings=scene.settings,
        interrupted=scene.interrupted,
        rng=random.Random(scene.job.seed),  # noqa: S311 - a story's dice, which have to fall the same way again
    )


def _delete_namespace(backend: Backend, namespace: str) -> None:
    """Ask for it; a server that is gone must not hide what ended the trial."""
    try:
        backend.delete_namespace(namespace)
    except TwinloopError as error:
        log.warning("namespace %s was not deleted: %s", namespace, error)


def _hooks(supervisors: list[Supervisor], client: Client, namespace: str) -> Hooks:
    def touch(resource: Resource, name: str) -> None:
        # Somebody else's hand: it makes the version that the operator has read an old one, and nothing else.
        mark = {"metadata": {"annotations": {"example.com/touched": str(random.SystemRandom().random())}}}
        client.merge_patch(resource, name, mark, namespace)

    def crash(replica: str) -> None:
        supervisors[0].crash(replica)

    def signal(replica: str, name: str) -> None:
        supervisors[0].signal(replica, name)

    return Hooks(crash=crash, signal=signal, touch=touch)


def _note_alarms(folder: Path, recorder: Recorder) -> None:
    for path in sorted(folder.glob("operator-*.log")):
        replica = path.stem.partition("-")[2]
        for alarm in alarms(replica, path.read_text(errors="replace").splitlines()):
            recorder.write(alarm)


def play(scenario: Scenario, stage: TrialStage, proxy: Proxy, recorder: Recorder) -> None:
    """The acts of a trial, in their order."""
    if scenario.starts:
        up = stage.start()
        recorder.write(Mark(name="steady", ok=up))
    recorder.write(Mark(name="story-begin"))
    proxy.begin_story()
    scenario.story(stage)
    recorder.write(Mark(name="story-end"))
    stage.disarm()
    stage.back()
    recorder.write(Mark(name="faults-over"))
    settled = stage.settled()
    recorder.write(Mark(name="settled", ok=settled, detail=stage.mismatch()))
    recorder.write(Mark(name="quiet-begin"))
    stage.pause(stage.settings.window)
    recorder.write(Mark(name="quiet-end"))
    if scenario.set == "fault":
        _canary(stage, recorder)
    _clean_up(stage, recorder)


def _canary(stage: TrialStage, recorder: Recorder) -> None:
    """Whether a new NginxPod still gets somebody's attention, now that the faults are over."""
    recorder.write(Mark(name="canary-begin"))
    stage.create(CANARY, replicas=1)
    stage.expect(CANARY, pods=1)
    seen = stage.wait(lambda view: view.ready(CANARY), stage.settings.canary)
    recorder.write(Mark(name="canary", ok=seen))


def _clean_up(stage: TrialStage, recorder: Recorder) -> None:
    """Delete every NginxPod, as a user would, and see whether everything goes; then let the operator go."""
    recorder.write(Mark(name="cleanup-begin"))
    with stage.truth.changed:
        names = list(stage.truth.objects[NGINXPODS])
    for name in names:
        stage.delete(name)
        stage.expect_gone(name)
    gone = stage.wait(lambda _: not stage.mismatch_of(names))
    recorder.write(Mark(name="cleanup-end", ok=gone, detail=stage.mismatch_of(names)))
    stage.stop_all()
