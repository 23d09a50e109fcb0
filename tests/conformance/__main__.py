"""`python -m conformance`: the whole set against a real server and the embedded one, compared while both are up.

What `make conformance` runs (hack/conformance makes the cluster). Exit status 0 when nothing differs but what is known,
1 when something does, 2 when a server or a case cannot be had.
"""

from __future__ import annotations

import argparse
import fnmatch
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from yaml import YAMLError

from conformance import golden
from conformance.case import BadCase, Case, load_all
from conformance.servers import embedded, real
from conformance.suite import NotPlayed, Progress, play_all
from conformance.verdict import Judgement, Known, count_line, judge, load_known, outlived
from conformance.wire import Server
from twinloop.errors import TwinloopError


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the flags, play, report."""
    flags = _flags().parse_args(arguments)
    try:
        cases = _chosen(load_all(), flags.only)
        reference = real(flags.kubeconfig, flags.context)
        if flags.golden:
            return _write_golden(reference, cases, flags)
        with _other(flags) as other:
            return _compare(reference, other, cases, flags)
    except (BadCase, YAMLError, TwinloopError, OSError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _flags() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="conformance", description=__doc__)
    parser.add_argument("--kubeconfig", help="the real server (default: as kubectl finds it)")
    parser.add_argument("--context", help="the context in it")
    parser.add_argument("--only", default=[], action="append", metavar="PATTERN", help="cases whose name matches")
    parser.add_argument(
        "--golden", action="store_true", help="write the real server's answers to tests/conformance/golden"
    )
    parser.add_argument(
        "--twice", action="store_true", help="compare the real server with itself: are the cases stable?"
    )
    parser.add_argument("--clean-up", action="store_true", help="delete the namespaces at the end: the server lives on")
    return parser


def _chosen(cases: list[Case], patterns: Sequence[str]) -> list[Case]:
    found = [case for case in cases if not patterns or any(fnmatch.fnmatchcase(case.name, each) for each in patterns)]
    if not found:
        raise BadCase(f"no case is named like {' or '.join(patterns)}")
    return found


@contextmanager
def _other(flags: argparse.Namespace) -> Iterator[Server]:
    if flags.twice:
        yield real(flags.kubeconfig, flags.context)
    else:
        with embedded() as server:
            yield server


def _compare(reference: Server, other: Server, cases: list[Case], flags: argparse.Namespace) -> int:
    known = load_known()
    with ThreadPoolExecutor(2) as pool:
        answers = [
            pool.submit(play_all, server, cases, progress=_progress(server.name), clean_up=flags.clean_up)
            for server in (reference, other)
        ]
        one, two = (each.result() for each in answers)
    judgements = [_judged(case, one[case.name], two[case.name], known) for case in cases]
    stale = [] if flags.only else outlived(known, judgements)
    _report(judgements, stale)
    return int(bool(stale) or any(each.verdict == "differ" for each in judgements))


def _judged(case: Case, one: Any, two: Any, known: list[Known]) -> Judgement:
    # The real server must be sound; if the embedded one does not settle, that is a difference.
    broken = _unusable(one) or (two if isinstance(two, NotPlayed) else "")
    return Judgement(case, error=broken) if broken else judge(case, one, two, known)


def _report(judgements: list[Judgement], stale: list[Known]) -> None:
    for judgement in judgements:
        if judgement.error:
            print(f"NOT PLAYED {judgement.case.name}: {judgement.error}")
        for difference in judgement.unexpected:
            print(f"DIFFERS {difference}")
    for entry in stale:
        print(f"GONE known.yaml still lists a difference that is no more: {entry.title}")
    print(count_line(judgements))


def _write_golden(reference: Server, cases: list[Case], flags: argparse.Namespace) -> int:
    answers = play_all(reference, cases, progress=_progress(reference.name), clean_up=flags.clean_up)
    broken = {name: why for name, each in answers.items() if (why := _unusable(each))}
    for name, why in broken.items():
        print(f"NOT PLAYED {name}: {why}")
    kept = golden.read() if flags.only else {}
    known = [case.name for case in load_all()]
    merged = {**kept, **{name: each for name, each in answers.items() if name not in broken}}
    golden.write({name: merged[name] for name in known if name in merged})
    print(f"conformance: wrote the answers of {reference.name} to {len(answers) - len(broken)} cases")
    return int(bool(broken))


def _unusable(transcript: Any) -> str:
    """Why a transcript may not become golden: it is none, or it shows a server that did not get ready in time."""
    if isinstance(transcript, NotPlayed):
        return transcript
    return next((f"{each.get('do') or each} did not settle" for each in transcript if each.get("settled") is False), "")


def _progress(name: str) -> Progress:
    started, last = time.monotonic(), 0.0

    def show(number: int, total: int, _: Case) -> None:
        nonlocal last
        now = time.monotonic() - started
        if number == total or now - last >= 2:
            last = now
            print(f"{name}: {number} of {total} cases after {now:.0f} s", flush=True)

    return show


if __name__ == "__main__":
    sys.exit(main())
