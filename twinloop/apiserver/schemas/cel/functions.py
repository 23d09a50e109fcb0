"""All functions that a program may call, by the names that `signatures.py` declares.

`evaluator.py` asks for one at a time while it builds a program. A function meets values of the types that it was declared
for, or of others when the checker knew only `dyn`: then it fails, and that is CEL's "no such overload".
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from twinloop.apiserver.schemas.cel import collections, conversions, kubernetes, networks, operators, texts, times
from twinloop.apiserver.schemas.cel.values import CelError

Function = Callable[..., Any]

# Names that mean something else for another kind of target: the first module whose function takes the values wins.
_MODULES = (operators, conversions, texts, collections, times, kubernetes, networks)


@cache
def by_name(name: str) -> Function:
    """A function that raises nothing but `CelError`."""
    found = [module.FUNCTIONS[name] for module in _MODULES if name in module.FUNCTIONS]
    return _guarded(found[0]) if len(found) == 1 else _first_that_fits([_guarded(each) for each in found])


def _guarded(function: Function) -> Function:
    def run(*args: Any) -> Any:
        try:
            return function(*args)
        except CelError:
            raise
        except (TypeError, AttributeError, KeyError, IndexError):
            raise CelError("no such overload") from None
        except (ValueError, OverflowError) as error:
            raise CelError(str(error)) from None

    return run


def _first_that_fits(functions: list[Function]) -> Function:
    def run(*args: Any) -> Any:
        for function in functions[:-1]:
            try:
                return function(*args)
            except CelError as error:
                if str(error) != "no such overload":
                    raise
        return functions[-1](*args)

    return run
