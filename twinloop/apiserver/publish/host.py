"""What the documents are made of: the part of the server that `publish/` sees."""

from __future__ import annotations

from typing import Protocol

from twinloop.apiserver.kinds import Registry
from twinloop.apiserver.storage import Storage
from twinloop.apiserver.tally import Tally


class Host(Protocol):
    """The server, as far as it is published."""

    @property
    def registry(self) -> Registry:
        """The kinds served now."""
        ...

    @property
    def storage(self) -> Storage:
        """The objects, CustomResourceDefinitions among them."""
        ...

    @property
    def tally(self) -> Tally:
        """Who asked for what."""
        ...
