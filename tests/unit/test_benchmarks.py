"""How the benchmarks count, sum up and show; and that what they send is what they say.

Left out: every measurement: `make bench` is no test.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any, cast

import pytest

from benchmarks.apiserver import figures, read
from benchmarks.audit import Audit
from benchmarks.canned import answer, stream
from benchmarks.figures import Figure, as_json, shown, table
from benchmarks.truth import is_ready
from benchmarks.wire import Address


def figure(**samples: list[float]) -> Figure:
    return Figure("time", "s", samples=samples, guide="< 1")


def test_a_table_shows_median_range_and_ratio() -> None:
    assert table([figure(ours=[3.0, 1.0, 2.0], theirs=[4.0])], ["ours", "theirs"]) == [
        "          ours        theirs  ours / theirs  guide",
        "time [s]  2 (1 to 3)  4       0.50           < 1",
    ]


def test_a_side_that_was_not_measured_has_no_ratio() -> None:
    assert table([figure(ours=[3.0])], ["ours", "theirs"])[1] == "time [s]  3     not measured  unknown        < 1"


@pytest.mark.parametrize(("value", "text"), [(0.012345, "0.0123"), (1.5, "1.5"), (123.4, "123"), (98765.0, "98765")])
def test_figures_have_three_digits_that_count(value: float, text: str) -> None:
    assert shown(value) == text


def test_samples_are_kept_for_a_file() -> None:
    (kept,) = as_json([figure(ours=[1.0, 2.0])])
    assert json.loads(json.dumps(kept)) == {"name": "time", "unit": "s", "samples": {"ours": [1.0, 2.0]}}


def test_every_figure_of_the_api_server_has_a_guide() -> None:
    assert all(each.guide for each in figures().values())


def test_a_pod_is_of_the_size_that_is_said() -> None:
    (line,) = [line for line in stream(1).split(b"\r\n") if line.startswith(b"{")]
    assert 3500 < len(line) < 3900


# --- the operators' benchmark -----------------------------------------------------------------------------------------


def nginxpod(*, ready: str = "True", observed: int = 2, replicas: int = 1) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": ready}]
    status = {"observedGeneration": observed, "readyReplicas": replicas, "conditions": conditions}
    return {"metadata": {"generation": 2}, "status": status}


def test_ready_is_ready_for_the_newest_generation_with_all_pods() -> None:
    assert is_ready(nginxpod(), 1)
    for wrong in (nginxpod(ready="False"), nginxpod(observed=1), nginxpod(replicas=0), {"metadata": {"generation": 1}}):
        assert not is_ready(wrong, 1)


def test_requests_are_counted_by_client_and_verb_and_half_lines_are_not(tmp_path: Path) -> None:
    def line(agent: str, verb: str, **ref: str) -> bytes:
        return json.dumps({"userAgent": agent, "verb": verb, "objectRef": ref}).encode()

    log = b"\n".join(
        [
            line("twinloop-kopf/0.1", "create", resource="pods"),
            line("kopf/1.45.2", "patch", resource="nginxpods"),
            line("twinloop-kopf/0.1", "patch", resource="nginxpods", subresource="status"),
            line("twinloop-handwritten/0.1", "create", resource="pods"),
            line("twinloop-kopf/0.1", "create", resource="pods")[:-5],
        ]
    )
    path = tmp_path / "audit.log"
    path.write_bytes(log)
    audit = Audit(path)
    assert audit.requests("kopf", 0) == {"create pods": 1, "patch nginxpods": 1, "patch nginxpods/status": 1}
    assert audit.requests("handwritten", 0) == {"create pods": 1}
    assert audit.requests("handwritten", audit.here()) == {}


# --- wire and canned server -------------------------------------------------------------------------------------------


class Written:
    """As much of a stream writer as the canned server uses."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> None:
        self.data += data

    async def drain(self) -> None: ...


@pytest.mark.parametrize(
    ("target", "wanted"),
    [("/api/v1/pods?limit=500", b'"items": []'), ("/api/v1", b'"name": "pods"'), ("/version/", b'"gitVersion"')],
)
def test_the_canned_server_lists_nothing_and_knows_what_kopf_asks(target: str, wanted: bytes) -> None:
    writer = Written()
    asyncio.run(answer(cast("asyncio.StreamWriter", writer), target, b""))
    assert wanted in writer.data


def test_events_of_the_canned_server_have_growing_versions() -> None:
    lines = [line for line in stream(3).split(b"\r\n") if line.startswith(b"{")]
    versions = [int(json.loads(line)["object"]["metadata"]["resourceVersion"]) for line in lines]
    assert versions == sorted(set(versions))


def test_a_reader_that_meets_an_older_version_says_so() -> None:
    async def main() -> None:
        def line(version: int) -> bytes:
            body = b'{"type":"ADDED","object":{"metadata":{"resourceVersion":"%d"}}}\n' % version
            return b"%x\r\n%b\r\n" % (len(body), body)

        async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + line(11) + line(10))
            await writer.drain()
            writer.close()
            await writer.wait_closed()

        server = await asyncio.start_server(client, "127.0.0.1", 0)
        address = Address("127.0.0.1", server.sockets[0].getsockname()[1])
        with pytest.raises(RuntimeError, match="version 10 after 11"):
            await read(address, "here", "5", 2)
        server.close()
        await server.wait_closed()

    asyncio.run(main())
