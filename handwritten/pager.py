"""One list out of many pages, as of one moment.

The reflector (`reflector.py`) lists through here. The API server keeps the pages of one list consistent
for as long as its history reaches back (5 minutes); a list that takes longer gets 410 in the middle and
is asked for again in one piece. Counterpart of client-go's tools/pager/pager.go.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from handwritten.store import Object
from twinloop.errors import CorruptAnswer, Gone

# client-go's defaultPageSize. The watch cache ignores it and answers in one piece.
PAGE_SIZE = 500

# resource version, limit and continue token in, one page out
FetchPage = Callable[[str, int, str], Object]


@dataclass(frozen=True)
class Listing:
    """All objects, the version at which that was true, and whether the server really made pages of it."""

    items: list[Object]
    resource_version: str
    paginated: bool


def list_pages(fetch: FetchPage, *, resource_version: str, limit: int) -> Listing:
    """Return the whole list at `resource_version`, asking for `limit` objects a page (0: all at once).

    Raises what `fetch` raises. Gone on the first page is the caller's, on a later one it leads to one
    full request. CorruptAnswer for anything that is no list.
    """
    items: list[Object] = []
    version, token = "", ""
    while True:
        try:
            # A continue token has the version in it; sending both is a BadRequest.
            page = fetch("" if token else resource_version, limit, token)
        except Gone:
            if not token:
                raise
            found, version, _ = _read(fetch(resource_version, 0, ""))
            return Listing(found, version, paginated=True)
        found, page_version, next_token = _read(page)
        items += found
        version = version or page_version
        if not next_token:
            return Listing(items, version, paginated=bool(token))
        if next_token == token:
            raise CorruptAnswer("a list continues with the page that was just read, and would never end")
        token = next_token


def _read(page: Object) -> tuple[list[Object], str, str]:
    """Return items, resource version and continue token of a page.

    Strict on purpose. An answer without items or version is not an empty list: believing it would delete
    every object from the cache. `"items": null` is how Go writes an empty one.
    """
    metadata, items = page.get("metadata"), page.get("items", False)
    version = metadata.get("resourceVersion") if isinstance(metadata, dict) else None
    if items is None:
        items = []
    if not isinstance(items, list) or not isinstance(metadata, dict) or not isinstance(version, str) or not version:
        raise CorruptAnswer("the answer to a list has no items or no resource version")
    return items, version, str(metadata.get("continue") or "")
