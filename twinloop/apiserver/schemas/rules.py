"""x-kubernetes-validations: placeholder until the rules are in."""
from __future__ import annotations
from typing import Any
def rules_of(schema: Any) -> Any:
    return None
