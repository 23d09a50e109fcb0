"""Covers lists in pages: what is asked for, what is put together, 410 in the middle, answers that are no list.

Left out: which version and page size the reflector asks for (test_reflector.py).
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from handwritten.pager import Listing, list_pages
from handwritten.store import Object
from twinloop.errors import CorruptAnswer, Gone

EXPIRED = Gone("expired", code=410, reason="Expired")


def page(version: str, *names: str, token: str = "") -> Object:
    return {"metadata": {"resourceVersion": version, "continue": token}, "items": [{"name": name} for name in names]}


class Server:
    """Answers with what it was given, one after the other, and remembers what it was asked."""

    def __init__(self, *answers: Object | Exception) -> None:
        self._answers: Iterator[Object | Exception] = iter(answers)
        self.asked: list[tuple[str, int, str]] = []

    def __call__(self, resource_version: str, limit: int, continue_token: str) -> Object:
        self.asked.append((resource_version, limit, continue_token))
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def list(self, resource_version: str = "0", limit: int = 2) -> Listing:
        return list_pages(self, resource_version=resource_version, limit=limit)


def names(listing: Listing) -> list[str]:
    return [item["name"] for item in listing.items]


def test_one_page_is_not_paginated() -> None:
    server = Server(page("7", "a", "b"))
    assert server.list() == Listing([{"name": "a"}, {"name": "b"}], "7", paginated=False)
    assert server.asked == [("0", 2, "")]


@pytest.mark.statement("RE-5")
def test_pages_are_put_together_and_a_continue_token_goes_without_a_version() -> None:
    server = Server(page("7", "a", "b", token="t1"), page("7", "c", "d", token="t2"), page("7", "e"))
    listing = server.list("5")
    assert (names(listing), listing.resource_version, listing.paginated) == (list("abcde"), "7", True)
    assert server.asked == [("5", 2, ""), ("", 2, "t1"), ("", 2, "t2")]


def test_the_version_is_that_of_the_first_page() -> None:
    server = Server(page("7", "a", token="t1"), page("9", "b"))
    assert server.list().resource_version == "7"


@pytest.mark.statement("RE-5")
def test_410_on_a_later_page_leads_to_one_full_list_at_the_first_version() -> None:
    server = Server(page("7", "a", token="t1"), EXPIRED, page("8", "b", "c"))
    listing = server.list("5")
    # nothing of the pages before is kept: it is another moment
    assert (names(listing), listing.resource_version, listing.paginated) == (["b", "c"], "8", True)
    assert server.asked == [("5", 2, ""), ("", 2, "t1"), ("5", 0, "")]


@pytest.mark.statement("RE-5")
def test_410_on_the_first_page_and_on_the_full_list_is_the_callers() -> None:
    with pytest.raises(Gone):
        Server(EXPIRED).list()
    with pytest.raises(Gone):
        Server(page("7", "a", token="t1"), EXPIRED, EXPIRED).list()


def test_items_null_is_an_empty_list() -> None:
    listing = Server({"metadata": {"resourceVersion": "3"}, "items": None}).list()
    assert listing == Listing([], "3", paginated=False)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"items": []},
        {"metadata": {"resourceVersion": "1"}},
        {"metadata": {"resourceVersion": ""}, "items": []},
        {"metadata": {"resourceVersion": 1}, "items": []},
        {"metadata": None, "items": []},
        {"metadata": {"resourceVersion": "1"}, "items": {}},
        {"kind": "Status", "status": "Success", "metadata": {}},
    ],
)
def test_an_answer_that_is_no_list_is_not_taken_for_an_empty_one(answer: Object) -> None:
    with pytest.raises(CorruptAnswer):
        Server(answer).list()


def test_a_list_that_never_ends_is_a_corrupt_answer() -> None:
    with pytest.raises(CorruptAnswer):
        Server(page("7", "a", token="t1"), page("7", "b", token="t1"), page("7", "c", token="t1")).list()
