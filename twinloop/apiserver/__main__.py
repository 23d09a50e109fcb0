"""`python -m twinloop.apiserver '{"port": 0, ...}'`: the server as another program starts it.

Takes one JSON object, the fields of `http/settings.py`, and nothing else; people use `twinloop apiserver`.
"""

from __future__ import annotations

import logging
import sys

from twinloop.apiserver.http.process import serve
from twinloop.apiserver.http.settings import Settings
from twinloop.errors import EXIT_CONFIGURATION, ConfigurationError


def main(arguments: list[str]) -> int:
    """Run a server; the exit status."""
    try:
        settings = Settings.from_json(arguments[0] if arguments else "{}")
        logging.basicConfig(level=settings.log_level.upper(), format="%(levelname)s %(name)s: %(message)s")
        serve(settings, lambda _: None)
    except ConfigurationError as error:
        sys.stderr.write(error.for_a_person() + "\n")
        return EXIT_CONFIGURATION
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
