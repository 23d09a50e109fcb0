"""A report as large as a real one, made of nothing but a seed: three variants, 45 scenarios, timelines of many items.

For the tests of the pages and for looking at them: `python tests/support/sample_report.py report.html [--small]`.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import Any

from twinloop.harness.results import (
    Cell,
    CrashPoint,
    Difference,
    Footprint,
    LaneItem,
    Latency,
    OracleResult,
    Ratio,
    Report,
    ScenarioInfo,
    Staircase,
    Timeline,
    VariantInfo,
)  # fmt: skip

VARIANTS = ("handwritten", "kopf", "kopf-level")
CALM = (
    "create", "burst", "scale-up", "scale-down", "scale-to-zero", "image-change", "flapping", "pod-deleted", "pod-failed",
    "pod-relabelled", "owner-stripped", "name-conflict", "aba", "poisoned", "quota", "deleted", "stopped-during-change",
    "restart", "idle",
)  # fmt: skip
FAULTS = (
    "crash-every-write", "crash-during-list", "gone-error", "gone-status", "gone-relist", "cut-at-once", "cut-often", "half-open",
    "conflict", "too-many-requests", "unavailable-before", "unavailable-after", "away", "away-long", "stale-list",
    "delayed-watch", "missed-event", "duplicate-events", "corrupt-line", "forbidden", "sigterm", "sigstop", "two-replicas",
    "slow-answers", "truncated-list", "unknown-event",
)  # fmt: skip
SCENARIOS = CALM + FAULTS
MEASURED = {
    "create": ("ready", (0.12, 0.31, 0.16)), "burst": ("all ready", (1.9, 4.4, 2.2)), "scale-up": ("ready", (0.09, 0.24, 0.11)),
    "scale-down": ("gone", (0.06, 0.2, 0.07)), "image-change": ("rolled out", (1.4, 2.5, 1.5)),
    "pod-deleted": ("pod is back", (0.1, 0.11, 0.1)), "pod-failed": ("pod is back", (0.11, 0.35, 0.13)),
    "deleted": ("gone", (0.05, 0.05, 0.05)), "aba": ("ready again", (0.2, 1.4, 0.21)),
}  # fmt: skip
WRITES = ("create pods", "delete pods", "patch nginxpods/status", "create events", "patch nginxpods", "patch events")
READS = ("get nginxpods", "list pods", "list nginxpods", "get pods", "watch pods", "watch nginxpods", "list namespaces")
RNG = random.Random()
IMAGE = "nginxinc/nginx-unprivileged:stable"


def sample_report(scenarios: tuple[str, ...] = SCENARIOS, *, items: int = 350) -> Report:
    """The report; the same one each time."""
    RNG.seed(7)
    verdicts = {(name, variant): verdict(name, variant) for name in scenarios for variant in VARIANTS}
    return Report(
        meta=meta(),
        sentence="Both kopf operators miss a deletion after HTTP 410, which nobody expected; 9 differences were known, and 30 "
        "scenarios went the same way under all three.",
        exit_code=1,
        variants=variants(),
        scenarios=[scenario(name) for name in scenarios],
        cells=[cell(name, variant, verdicts[name, variant]) for name in scenarios for variant in VARIANTS],
        differences=differences(),
        latencies=[latency(name, n) for name in scenarios if name in MEASURED for n in range(3)],
        ratios=[ratio(name, n) for name in scenarios if name in MEASURED for n in (1, 2)],
        noise=[Ratio("create", "ready", each, each, 1.01, 0.93, 1.08, None, None, "none", 20) for each in VARIANTS],
        timelines=[
            timeline(name, variant, plan, items)
            for name in scenarios
            for plan in plans(name)[:2]
            for variant in VARIANTS
        ],
        staircases=staircases(),
        crash_points=crash_points(),
        footprints=[footprint(name, variant) for name in scenarios for variant in VARIANTS],
        threats=[
            "The machine was busy: its load was above 80 % during 3 of 240 trials.",
            "Only 8 samples of burst / all ready: too few to call a difference.",
        ],
    )


def meta() -> dict[str, Any]:
    return {
        "version": "0.4.0", "started": "2026-11-20T09:41:07Z", "seconds": 412.0, "backend": "embedded", "server": "v1.36.0",
        "machine": "Linux 6.12, 2 cores, 8 GB", "seed": 1, "order": "ABBA in 4 blocks", "commit": "0267831",
        "versions": {"python": "3.11.7", "kopf": "1.45.2", "kubernetes": "37.0.2"},
        "flags": "--scenario all --runs 20", "proxy": "adds 0.41 ms (median), 0.92 ms (p99)", "exit_code": 1,
    }  # fmt: skip


def variants() -> list[VariantInfo]:
    costs = [(1840, 1200, 6, 11_300_000, 3), (420, 190, 17, 15_900_000, 6), (610, 260, 17, 15_900_000, 6)]
    approach = (
        "An informer, an indexer and a rate-limited workqueue, as in client-go.",
        "Handlers for create, update, resume and pod events, as the framework's documentation teaches.",
        "The framework's watch streams feeding one keyed queue; level-triggered.",
    )
    commands = (
        "{python} -m handwritten --kubeconfig {kubeconfig} --namespace {namespace} --metrics-bind-address 127.0.0.1:{metrics_port}",
        "kopf run --standalone -n {namespace} --liveness=http://127.0.0.1:{health_port}/healthz operator/nginxpod.py",
        "kopf run --standalone -n {namespace} --liveness=http://127.0.0.1:{health_port}/healthz operator/nginxpod_level.py",
    )
    return [
        VariantInfo(
            name, command, said,
            cost={
                "lines": {"code": code, "comments": comments}, "distributions": [f"package-{n}" for n in range(packages)],
                "distributions_bytes": size, "rbac_rules": rules,
                "concepts": ["handlers", "causes", "progress storage"] if "kopf" in name else ["reflector", "store", "queue", "worker"],
            },
        )
        for name, command, said, (code, comments, packages, size, rules) in zip(VARIANTS, commands, approach, costs, strict=True)
    ]  # fmt: skip


def scenario(name: str) -> ScenarioInfo:
    return ScenarioInfo(
        name=name,
        set="calm" if name in CALM else "fault",
        description=f"A NginxPod with two replicas is there and ready. Then {name.replace('-', ' ')} happens, while a user "
        "goes on working with other NginxPods beside it and changes one of them twice.",
        expectation="The operator reaches the state that the user asked for once the fault is over, touches no pod that it need not "
        "touch, and comes to rest.",
        plans=plans(name),
    )


def plans(name: str) -> list[str]:
    if name == "crash-every-write":
        return [f"w{k}-{when}" for k in range(1, 10) for when in ("before", "committed", "answered")]
    return [""] if name in CALM else ["first", "second"]


VIOLATED = {
    ("gone-relist", "kopf"): "O15", ("gone-relist", "kopf-level"): "O15", ("gone-error", "kopf"): "O1",
    ("two-replicas", "kopf"): "O3", ("conflict", "kopf"): "O9", ("away-long", "kopf"): "O7", ("missed-event", "kopf"): "O1",
}  # fmt: skip


def verdict(name: str, variant: str) -> str:
    if (name, variant) in VIOLATED:
        return "violated"
    return {"quota": "unsupported", "half-open": "unknown" if variant == "kopf" else "ok"}.get(
        name, "invalid" if (name, variant) == ("corrupt-line", "kopf-level") else "ok"
    )


def cell(name: str, variant: str, said: str) -> Cell:
    oracles = []
    if said in {"ok", "violated"}:
        for n in range(1, 16):
            bad = VIOLATED.get((name, variant)) == f"O{n}"
            oracles.append(
                OracleResult(
                    f"O{n}", "violated" if bad else "ok",
                    "web-1 was still there 15 s after the last fault, though the table wants it gone." if bad else "as expected",
                    trial(name, variant), [212, 230, 377] if bad else [],
                )
            )  # fmt: skip
    factor = VARIANTS.index(variant) + 1
    return Cell(
        name, variant, said, oracles, [trial(name, variant)],
        numbers={"converged": None if said == "violated" else RNG.uniform(0.1, 3), "writes": 5 * factor + RNG.randrange(9),
                 "requests": 40 * factor, "restarts": 0, "cpu": 0.3 * factor, "rss": 41_000_000 * factor}
        if oracles else {},
        cost_by_verb={what: RNG.randrange(1, 40) * (factor if "events" in what or what == "patch nginxpods" else 1)
                      for what in WRITES + READS} if oracles else {},
        repeat=f"twinloop compare --scenario {name} --variant {variant} --seed 1",
        why={"unsupported": "the backend embedded has no quota", "unknown": "trial 2 was interrupted",
             "invalid": "rule corrupt-2 hit nothing"}.get(said, ""),
    )  # fmt: skip


def trial(name: str, variant: str) -> str:
    return f"trials/{name}.first/{variant}.0" if name in FAULTS else f"trials/{name}/{variant}.0"


def differences() -> list[Difference]:
    unexpected = [
        Difference(
            "gone-relist", variant, "O15",
            "After a relist that followed HTTP 410, the deletion of web-1 was never noticed: the canary changed and nothing happened for 8 s.",
            trial=trial("gone-relist", variant), evidence=[212, 230, 377],
            repeat=f"twinloop compare --scenario gone-relist --variant handwritten --variant {variant} --seed 1",
        )
        for variant in ("kopf", "kopf-level")
    ]  # fmt: skip
    gone = Difference(
        "stale-list", "kopf", "O11", "Expected, but not seen: a delete without a precondition after a stale list.",
        known="kopf-deletes-stale", gone=True, reason="The list of the start came from a cache.",
        links={"docs": "docs/findings.md#stale"}, repeat="twinloop compare --scenario stale-list --variant kopf --seed 1",
    )  # fmt: skip
    return [*unexpected, gone, *known()]


def known() -> list[Difference]:
    said = {
        "kopf-writes-its-memory": ("writes", "takes one write more for each change",
            "The framework keeps the last handled configuration in an annotation of the object, and each change of it is a patch.",
            ("create", "scale-up", "scale-down", "image-change", "flapping", "pod-deleted", "aba", "poisoned", "restart")),
        "kopf-batches": ("latency:ready", "2.6 times as slow from create to ready",
            "The framework waits 0.1 s for more events of the same object before it calls a handler.", ("create", "scale-up")),
        "kopf-no-lease": ("O3", "with two replicas, both create the same pods",
            "There is no election by Lease; the documentation asks for one replica.", ("two-replicas",)),
        "kopf-fixed-delay": ("O7", "retries every 60 s, however often it failed", "The default back-off does not grow.", ("away-long",)),
        "kopf-own-conflict": ("O9", "meets a 409 on its own patch and writes again", "Two patches of the same object race.", ("conflict",)),
    }  # fmt: skip
    return [
        Difference(
            where, "kopf", aspect, f"kopf {seen}.", known=entry, reason=reason, trial=trial(where, "kopf"), evidence=[88, 91],
            links={"docs": f"docs/findings.md#{entry}", "kopf": "operator/nginxpod.py", "handwritten": "handwritten/controller.py"},
            repeat=f"twinloop compare --scenario {where} --variant handwritten --variant kopf --seed 1",
        )
        for entry, (aspect, seen, reason, places) in said.items()
        for where in places
    ]  # fmt: skip


def latency(name: str, n: int) -> Latency:
    measure, medians = MEASURED[name]
    middle = medians[n]
    values: list[float | None] = [middle * RNG.lognormvariate(0, 0.22) for _ in range(22)]
    censored = 2 if (name, n) == ("aba", 1) else 0
    values[-1 - censored : -1] = [None] * censored
    samples = [
        {"block": i % 4, "index": i, "seconds": value, "warm_up": i < 2} for i, value in enumerate(values)
    ]  # fmt: skip
    return Latency(
        name,
        measure,
        VARIANTS[n],
        samples,
        middle,
        middle * 1.7 if not censored else None,
        middle * 0.92,
        middle * 1.1,
        censored,
    )


def ratio(name: str, n: int) -> Ratio:
    measure, medians = MEASURED[name]
    value = medians[n] / medians[0]
    call = "unknown" if name == "burst" else "slower" if value > 1.3 else "none"
    return Ratio(name, measure, VARIANTS[n], VARIANTS[0], value, value * 0.88, value * 1.13, 0.93, 1.08, call, 20)


def timeline(name: str, variant: str, plan: str, items: int) -> Timeline:
    length = 15.0 if verdict(name, variant) == "violated" else RNG.uniform(2.2, 3.4)
    found = [
        LaneItem("process", 0.0, "a: started", 0.45, seq=4),
        LaneItem("user", 0.6, "create nginxpods web", code=201, seq=20),
        LaneItem("user", 1.1, "scale nginxpods web to 3", code=200, seq=80),
    ]
    if name in FAULTS:
        found.append(LaneItem("fault", 1.2, f"{name}: armed rule fires", 1.2 + length / 8, seq=95))
    for n in range(items):
        kind = RNG.choice(("write", "write", "reconcile", "read", "event", "event", "event"))
        t = min(length - 0.1, 0.5 + RNG.expovariate(1.2))
        what = RNG.choice(WRITES if kind == "write" else READS)
        if kind == "reconcile":
            found.append(LaneItem(kind, t, "reconcile web", t + RNG.uniform(0.004, 0.05), seq=100 + n))
        elif kind == "event":
            found.append(LaneItem(kind, t, f"MODIFIED pods web-{n % 3}", seq=100 + n))
        else:
            code = 409 if RNG.random() < 0.05 and kind == "write" else 201 if "create" in what else 200
            found.append(LaneItem(kind, t, f"{what} web-{n % 3}", t + 0.002, code, 100 + n))
    return Timeline(name, plan, variant, trial(name, variant), length, found, left_off=140 if items > 300 else 0)


def staircases() -> list[Staircase]:
    doubling = [0.0]
    for n in range(11):
        doubling.append(doubling[-1] + min(0.005 * 2**n, 15))
    fixed = [0.0] + [1.0 * n for n in range(1, 9)]
    kept = [("away-long", "create pods web-0"), ("forbidden", "patch nginxpods/status web")]
    return [
        Staircase(name, variant, what, attempts)
        for name, what in kept
        for variant, attempts in zip(VARIANTS, (doubling, fixed, [value * 1.1 for value in doubling]), strict=True)
    ]


def crash_points() -> list[CrashPoint]:
    found = []
    for variant in VARIANTS:
        for k in range(1, 10 if variant == "kopf" else 8):
            for when in ("before", "committed", "answered"):
                bad = variant == "kopf" and (k, when) in {(3, "committed"), (6, "committed")}
                said = "violated" if bad else "unknown" if (variant, k, when) == ("kopf-level", 5, "answered") else "ok"
                found.append(
                    CrashPoint(
                        "crash-every-write",
                        variant,
                        k,
                        when,
                        f"{WRITES[k % 6]} web-{k % 3}",
                        said,
                        trial("crash-every-write", variant),
                    )
                )
    return found


def footprint(name: str, variant: str) -> Footprint:
    length, cpu, points, t = (60.0 if name == "idle" else 3.0), 0.0, [], 0.0
    base = {"handwritten": 38, "kopf": 52, "kopf-level": 50}[variant] * 1e6
    while t < length:
        cpu += RNG.uniform(0.02, 0.09) if t < 1.5 else RNG.uniform(0, 0.002)
        points.append([round(t, 2), round(cpu, 3), int(base * (0.6 + 0.4 * min(1, t / 0.8))), 9, 14])
        t += 0.1
    return Footprint(name, variant, points, [[1.2, 1.7, name]] if name in FAULTS else [])


if __name__ == "__main__":
    from twinloop.harness.report.page import render

    small = "--small" in sys.argv
    Path(sys.argv[1]).write_text(render(sample_report(SCENARIOS[:4], items=60) if small else sample_report()))
