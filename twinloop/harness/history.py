"""The history of a trial: every record that is kept, and the file that keeps them.

Written by the proxy, the truth, the supervisor and the stage while a trial runs, from several threads, through one
`Recorder`; read back as a `History` by everything that judges. The file is JSON Lines, a record a line, appended and never
changed; the line number is the record's `seq`. `t` is seconds since the trial began, of one monotonic clock.

A record says what was seen and by whom, never what it means.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import IO, Any, ClassVar, TypeVar

from twinloop.errors import TwinloopError

# Raised with every change that an older reader would misunderstand.
SCHEMA = 1


class BrokenHistoryError(TwinloopError):
    """A file that is no history, or one of another version."""

    hint = "Only files that `twinloop compare` wrote can be judged, by the version that wrote them."


@dataclass(frozen=True, kw_only=True)
class Record:
    """The base of all records. `t`: seconds since the trial began; `seq`: the line in the file, from 1, 0 before it is written."""

    kind: ClassVar[str] = ""
    t: float = 0.0
    seq: int = 0


@dataclass(frozen=True, kw_only=True)
class Begin(Record):
    """The first line. `rules` are the plan's faults as data, `settings` the bounds that judges need (seconds)."""

    kind: ClassVar[str] = "begin"
    schema: int = SCHEMA
    scenario: str
    plan: str = ""
    variant: str
    block: int = 0
    seed: int = 0
    backend: str
    namespace: str
    started: str  # wall clock, ISO 8601 in UTC; for people only
    rules: list[dict[str, Any]] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Request(Record):
    """A request as it came from an operator. `verb` is Kubernetes' ("watch" for a watch), `body` the decoded JSON, if any."""

    kind: ClassVar[str] = "request"
    id: int
    replica: str
    verb: str
    resource: str  # plural, with ".group" unless core: "pods", "nginxpods.twinloop.dev"; "" when it names none
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str
    query: dict[str, str] = field(default_factory=dict)
    user_agent: str = ""
    content_type: str = ""
    body: Any = None
    size: int = 0


@dataclass(frozen=True, kw_only=True)
class Response(Record):
    """The answer to a request; of a watch, that its stream began.

    `code` is what the operator was sent, 0 when nothing was (reset, crash). `committed` is the code that the API server gave,
    0 when it never heard of the request: with `forged` (a rule's id) the two may differ. `body`: the object of a write, the
    Status of a failure; of a list its resourceVersion and the count of its items. `upstream` and `added` are seconds: what
    the server took, and what the proxy took on top, without the time that rules (delay, signal, touch) took on the way. `added`
    is 0 where it says nothing: of a forged answer, and of a connection that broke without one (`code` 0).
    """

    kind: ClassVar[str] = "response"
    request: int
    code: int
    committed: int
    body: Any = None
    size: int = 0
    upstream: float = 0.0
    added: float = 0.0
    forged: str = ""


@dataclass(frozen=True, kw_only=True)
class StreamEvent(Record):
    """A line of a watch as the operator got it, or would have but for `forged` with `delivered` false."""

    kind: ClassVar[str] = "event"
    request: int
    type: str
    resource: str
    namespace: str = ""
    name: str = ""
    uid: str = ""
    resource_version: str = ""
    size: int = 0
    delivered: bool = True
    forged: str = ""


@dataclass(frozen=True, kw_only=True)
class StreamEnd(Record):
    """A watch ended. `why`: "server", "client" (the operator hung up), or a rule's id."""

    kind: ClassVar[str] = "stream-end"
    request: int
    why: str


@dataclass(frozen=True, kw_only=True)
class Fault(Record):
    """A rule fired: `action` is its kind, `request` the request or stream that it hit, 0 for the listener itself."""

    kind: ClassVar[str] = "fault"
    rule: str
    action: str
    request: int = 0
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class User(Record):
    """What the story did as a user, straight to the API server. `t` is when it was answered, `asked` when it was sent."""

    kind: ClassVar[str] = "user"
    op: str  # create, edit, scale, delete, patch
    resource: str
    namespace: str
    name: str
    body: Any = None
    asked: float = 0.0
    code: int = 0
    message: str = ""
    uid: str = ""
    generation: int = 0
    resource_version: str = ""


@dataclass(frozen=True, kw_only=True)
class Truth(Record):
    """What is: an object's new state, from a watch of the harness's own that no fault touches. `object` is whole but managedFields.

    `type`: ADDED, MODIFIED, DELETED, or LISTED for what was there when the watch began.
    """

    kind: ClassVar[str] = "truth"
    type: str
    resource: str
    object: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Process(Record):
    """The operator's process. `what`: started, ready, signalled, killed, exited, restarting; `expected`: we asked for it.

    `code` is the exit status (-9 for SIGKILL, None unless exited), `delay` the crash-loop back-off in seconds (restarting),
    `detail` the signal's name and such.
    """

    kind: ClassVar[str] = "process"
    replica: str
    what: str
    pid: int = 0
    code: int | None = None
    delay: float = 0.0
    expected: bool = False
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Sample(Record):
    """What the process tree of a replica uses: CPU in seconds since its start, resident and proportional memory in bytes.

    `pss` is 0 and `reconciles` (controller_runtime_reconcile_total so far) None in samples that did not ask, see `sampler.py`;
    of an operator that serves no such metric `reconciles` is always None.
    """

    kind: ClassVar[str] = "sample"
    replica: str
    pid: int
    cpu: float
    rss: int
    pss: int = 0
    threads: int = 0
    fds: int = 0
    reconciles: float | None = None


@dataclass(frozen=True, kw_only=True)
class LogAlarm(Record):
    """A line of the operator's log that should not be there: a traceback, a task that died. `line` is its number."""

    kind: ClassVar[str] = "log-alarm"
    replica: str
    line: int
    text: str


@dataclass(frozen=True, kw_only=True)
class Expect(Record):
    """A line of the scenario's own table of what the end must look like, from this moment on; a later one replaces it.

    `gone`: neither the NginxPod nor its pods exist. Otherwise `replicas` pods of this `image` and `port` exist under the
    names `pods` ("web-0" ...), and the condition Ready is `ready` with `reason` (each unchecked when None). `missing` pods
    are held by somebody else or refused.
    """

    kind: ClassVar[str] = "expect"
    name: str
    gone: bool = False
    pods: list[str] = field(default_factory=list)
    image: str = ""
    port: int = 0
    ready: bool | None = True
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Mark(Record):
    """A milestone of the trial, see MARKS; `ok` is false when it was waited for in vain."""

    kind: ClassVar[str] = "mark"
    name: str
    ok: bool = True
    detail: str = ""


# In the order of a trial. Between story-begin and story-end the user acts, and a phase is what came of the story's own wait
# for its table; at faults-over the last fault has ended; at settled the expected table held, or, `ok` false, it did not
# within the bound; between the two quiet marks nobody did anything; at canary a new NginxPod was ready, or not in time; in
# the clean-up all NginxPods were deleted.
MARKS = (
    "steady", "story-begin", "phase", "story-end", "faults-over", "settled", "quiet-begin", "quiet-end",
    "canary-begin", "canary", "cleanup-begin", "cleanup-end",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Measured(Record):
    """A latency sample: `seconds` from the user's accepted operation to the first truth that shows it done.

    None: never within the bound. That counts as the longest of all and is never dropped. `warm_up` is shown, not counted.
    """

    kind: ClassVar[str] = "measured"
    name: str
    index: int
    seconds: float | None
    warm_up: bool = False


@dataclass(frozen=True, kw_only=True)
class End(Record):
    """The last line. `outcome`: complete, interrupted, unsupported, failed (the harness's own fault, `why` says which).

    `unfired` are the ids of rules that never hit anything: the trial is invalid, it tested nothing.
    """

    kind: ClassVar[str] = "end"
    outcome: str
    why: str = ""
    unfired: list[str] = field(default_factory=list)


KINDS: Mapping[str, type[Record]] = {
    record.kind: record
    for record in (
        Begin, Request, Response, StreamEvent, StreamEnd, Fault, User, Truth, Process, Sample, LogAlarm, Expect, Mark,
        Measured, End,
    )
}  # fmt: skip

R = TypeVar("R", bound=Record)


class Recorder:
    """Appends records to a file; from any thread.

    `clock` counts seconds; the trial began at its first reading. `listeners` are called with each record after it was
    written, in the writer's thread and under the lock: they must be quick.
    """

    def __init__(self, stream: IO[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._began = clock()
        # Order in the file is the order of what happened, as far as one clock can tell: `t` is read under the lock.
        self._lock = threading.Lock()
        self._seq = 0
        self.listeners: list[Callable[[Record], None]] = []

    def now(self) -> float:
        """Seconds since the trial began."""
        return self._clock() - self._began

    def write(self, record: R) -> R:
        """Append a record with the present time and its line number filled in; that is what is returned."""
        with self._lock:
            self._seq += 1
            written = replace(record, t=round(self.now(), 6), seq=self._seq)
            self._stream.write(dump(written) + "\n")
            self._stream.flush()
            for listener in self.listeners:
                listener(written)
        return written


def dump(record: Record) -> str:
    """A record as its line; `seq` is the line number and needs no words."""
    # Not asdict: it copies every object that passes by, three times as slow as writing it down.
    values = {each.name: getattr(record, each.name) for each in fields(record) if each.name != "seq"}
    return json.dumps({"kind": record.kind, **values}, separators=(",", ":"))


def load(line: str, seq: int) -> Record:
    """The record of a line. Raises BrokenHistoryError."""
    try:
        values = json.loads(line)
        return KINDS[values.pop("kind")](**{**values, "seq": seq})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BrokenHistoryError(f"line {seq} of the history is no record: {error}") from None


class History:
    """All records of one trial, in order."""

    def __init__(self, records: list[Record], path: Path | None = None) -> None:
        self.records = records
        self.path = path
        if not records or not isinstance(records[0], Begin):
            raise BrokenHistoryError(f"{path or 'the history'} does not begin with its first line")
        if records[0].schema != SCHEMA:
            raise BrokenHistoryError(
                f"{path or 'the history'} has schema {records[0].schema}, this version reads {SCHEMA}"
            )

    @classmethod
    def read(cls, path: Path) -> History:
        """Read a file. A last line that was cut off in the middle is dropped: the writer was killed."""
        lines = path.read_text().split("\n")
        whole = lines[:-1]  # what follows the last newline is empty, or half a line
        return cls([load(line, number) for number, line in enumerate(whole, 1)], path)

    @property
    def begin(self) -> Begin:
        """The first line."""
        begin = self.records[0]
        assert isinstance(begin, Begin)  # noqa: S101 - the constructor has checked it
        return begin

    @property
    def end(self) -> End | None:
        """The last line, None when the trial was cut off."""
        last = self.records[-1]
        return last if isinstance(last, End) else None

    def of(self, kind: type[R]) -> list[R]:
        """The records of one kind, in order."""
        return [record for record in self.records if isinstance(record, kind)]

    def mark(self, name: str) -> Mark | None:
        """The last mark of that name."""
        return next((mark for mark in reversed(self.of(Mark)) if mark.name == name), None)

    def between(self, first: str, last: str) -> Iterator[Record]:
        """The records after one mark and before another; to the end when the latter is missing, none without the former."""
        start, stop = self.mark(first), self.mark(last)
        if start is None:
            return iter(())
        return (record for record in self.records if record.seq > start.seq and (stop is None or record.seq < stop.seq))
