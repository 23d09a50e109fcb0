"""What is installed here, as `cost.py` asks for it: which distribution holds a module, what it needs, how large it is.

The only place of the harness that looks at site-packages.
"""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Protocol


class Installed(Protocol):
    """Distributions by their normal names."""

    def holding(self, module: str) -> Sequence[str]:
        """The distributions that hold a top-level module; none for the standard library's."""

    def needs(self, distribution: str) -> Sequence[str]:
        """What a distribution needs and what is there; extras that nobody asked for are not."""

    def size(self, distribution: str) -> int:
        """Bytes of its files."""


class InstalledHere:
    """The distributions of this interpreter."""

    @cached_property
    def _holders(self) -> Mapping[str, list[str]]:
        return importlib.metadata.packages_distributions()

    def holding(self, module: str) -> list[str]:
        """See `Installed`."""
        return sorted({normal(name) for name in self._holders.get(module, [])})

    def needs(self, distribution: str) -> list[str]:
        """See `Installed`. Whether a marker holds is not computed: what it rules out is not installed either."""
        found = importlib.metadata.distribution(distribution)
        wanted = [text for text in found.requires or [] if "extra ==" not in text]
        names = [normal(re.split(r"[^A-Za-z0-9._-]", text, maxsplit=1)[0]) for text in wanted]
        return [name for name in names if _is_here(name)]

    def size(self, distribution: str) -> int:
        """See `Installed`. Without the compiled copies, which come and go."""
        files = importlib.metadata.distribution(distribution).files or []
        paths = [Path(str(file.locate())) for file in files if file.suffix != ".pyc"]
        return sum(path.stat().st_size for path in paths if path.is_file())


def normal(name: str) -> str:
    """A distribution's name as it is compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _is_here(name: str) -> bool:
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
