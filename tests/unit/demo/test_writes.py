"""Writes are read off the server's metrics page.

Left out: the page itself (tests/unit/apiserver/test_tally.py).
"""

from __future__ import annotations

from twinloop.demo.writes import count_writes

PAGE = """\
# HELP apiserver_request_total Answered requests.
# TYPE apiserver_request_total counter
apiserver_request_total{client="twinloop-handwritten",verb="create",resource="pods",code="201"} 3
apiserver_request_total{client="twinloop-handwritten",verb="create",resource="pods",code="409"} 1
apiserver_request_total{client="twinloop-handwritten",verb="list",resource="pods",code="200"} 7
apiserver_request_total{client="twinloop-handwritten",verb="create",resource="events",code="201"} 5
apiserver_request_total{client="twinloop-kopf",verb="create",resource="pods",code="201"} 2
apiserver_request_total{client="kopf",verb="patch",resource="nginxpods.twinloop.dev",code="200"} 4
apiserver_request_total{client="kopf",verb="watch",resource="pods",code="200"} 9
apiserver_request_total{client="kubelet",verb="update",resource="pods",code="200"} 100
"""


def test_writes_count_reads_events_and_other_clients_do_not() -> None:
    assert count_writes(PAGE) == {"handwritten": 4, "kopf": 6}


def test_an_empty_page_means_no_writes() -> None:
    assert count_writes("") == {"handwritten": 0, "kopf": 0}
