"""Lines of a watch: how they are cut, read and forged, and how late they come.

Left out: sockets (tests/harness/test_proxy_streams.py).
"""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinloop.harness.proxy.late import LateDelivery
from twinloop.harness.proxy.lines import LineInfo, LineSplitter, broken, error_line, half, read, renamed

ADDED = b'{"type":"ADDED","object":{"metadata":{"name":"a","namespace":"ns","uid":"u","resourceVersion":"7"}}}\n'


@given(st.lists(st.binary().map(lambda each: each.replace(b"\n", b" "))), st.lists(st.integers(1, 20)))
def test_a_line_is_whole_however_it_was_cut(lines: list[bytes], cuts: list[int]) -> None:
    sent = b"".join(line + b"\n" for line in lines)
    splitter, found, start = LineSplitter(), [], 0
    for cut in [*cuts, len(sent) + 1]:
        found += splitter.feed(sent[start : start + cut])
        start += cut
    assert found == [line + b"\n" for line in lines]
    assert splitter.rest == b""


def test_what_has_no_end_yet_is_the_rest() -> None:
    splitter = LineSplitter()
    assert splitter.feed(b"ab") == []
    assert splitter.feed(b"c\nde") == [b"abc\n"]
    assert splitter.feed(b"f") == []
    assert splitter.rest == b"def"


def test_what_a_line_says() -> None:
    assert read(ADDED) == LineInfo("ADDED", "ns", "a", "u", "7")


def test_the_object_of_a_table_is_in_its_row() -> None:
    row = {"object": {"metadata": {"name": "a"}}}
    assert read(json.dumps({"type": "ADDED", "object": {"kind": "Table", "rows": [row]}}).encode()).name == "a"


def test_a_bookmark_and_an_error_have_no_name() -> None:
    assert read(b'{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9"}}}') == LineInfo(
        "BOOKMARK", resource_version="9"
    )
    assert read(error_line({"kind": "Status", "code": 410})) == LineInfo("ERROR")


@pytest.mark.parametrize(
    "line", [b"", b"{", b"null", b"[]", b"{}", b'{"type":"ADDED"}', b'{"type":"A","object":7}', b"\xff\n"]
)
def test_what_makes_no_sense_says_nothing(line: bytes) -> None:
    assert read(line) == LineInfo()


def test_another_type_leaves_the_object_alone() -> None:
    assert json.loads(renamed(ADDED, "SURPRISE")) == {**json.loads(ADDED), "type": "SURPRISE"}
    assert renamed(ADDED, "SURPRISE").endswith(b"\n")


def test_a_broken_line_is_one_line_and_no_json() -> None:
    assert broken(ADDED).count(b"\n") == 1
    with pytest.raises(json.JSONDecodeError):
        json.loads(broken(ADDED))


@pytest.mark.parametrize("line", [ADDED, b"ab\n", b"a\n"])
def test_half_a_line_has_no_end(line: bytes) -> None:
    assert half(line)
    assert line.startswith(half(line))
    assert b"\n" not in half(line)


# ---------------------------------------------------------------------------------------------- late


class Pauses:
    """Pauses that a test ends, and what was sent."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self.go = asyncio.Semaphore(0)
        self.sent: list[bytes] = []

    async def pause(self, seconds: float) -> None:
        self.asked.append(seconds)
        await self.go.acquire()

    async def send(self, line: bytes, _: LineInfo | None) -> None:
        self.sent.append(line)


def test_late_lines_come_one_by_one_in_their_order() -> None:
    async def tell() -> None:
        pauses = Pauses()
        late = LateDelivery(pauses.send, 5.0, pause=pauses.pause, over=lambda: False)
        late.put(b"a", None)
        late.put(b"b", None)
        await asyncio.sleep(0)
        assert pauses.sent == []
        assert 4.9 < pauses.asked[0] <= 5.0
        pauses.go.release()
        await asyncio.sleep(0.001)
        assert pauses.sent == [b"a"]
        pauses.go.release()
        await late.drained()
        assert pauses.sent == [b"a", b"b"]
        late.close()

    asyncio.run(tell())


def test_what_was_late_when_the_stream_went_is_forgotten() -> None:
    async def tell() -> None:
        pauses = Pauses()
        late = LateDelivery(pauses.send, 5.0, pause=pauses.pause, over=lambda: False)
        late.put(b"a", None)
        await asyncio.sleep(0)
        late.close()
        pauses.go.release()
        await asyncio.sleep(0.001)
        assert pauses.sent == []

    asyncio.run(tell())
