"""placeholder"""
from typing import Any
def check(obj: Any) -> list[Any]: return []
def check_update(obj: Any, old: Any) -> list[Any]: return []
def check_status(obj: Any) -> list[Any]: return []
