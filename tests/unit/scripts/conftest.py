"""Puts the folder of scripts where `kopf run` puts it, at the end instead of the beginning: the tests import from it."""

from __future__ import annotations

import sys
from pathlib import Path

SCRIPTS = str(Path(__file__).resolve().parents[3] / "operator")
if SCRIPTS not in sys.path:
    sys.path.append(SCRIPTS)
