"""DELETE of a collection: every object that the selectors mean, one after the other.

Each object goes through `delete.py` by itself, so that finalizers and grace periods count; the answer lists what was
found, as the real server's does.
"""

from __future__ import annotations

from dataclasses import replace

from twinloop.apiserver.failures import Failure
from twinloop.apiserver.options import DeleteOptions, ListOptions
from twinloop.apiserver.verbs import read
from twinloop.apiserver.verbs.call import Call
from twinloop.apiserver.verbs.delete import delete
from twinloop.apiserver.verbs.read import Page


def delete_all(call: Call, listed: ListOptions, options: DeleteOptions) -> Page:
    """Delete what a list would show; returns that list."""
    page = read.list_page(call, listed)
    for record in page.records:
        one = replace(call, namespace=record.namespace, name=record.name)
        try:
            delete(one, options)
        except Failure as failure:
            if failure.code != 404:  # gone by another hand
                raise
    return page
