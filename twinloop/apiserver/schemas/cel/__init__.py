"""CEL, the language of x-kubernetes-validations: parsed, checked against a schema's types, evaluated.

Belongs here: the language and Kubernetes' libraries for it, as pure functions from text and types to a program, and
from a program and values to a result. Never belongs here: schemas beyond their types, field paths, messages to users;
`schemas/rules.py` evaluates rules on objects, `schemas/rule_checks.py` refuses bad ones.

The flow: `parser.py` makes a tree (`syntax.py`), `checker.py` gives each node a type (`types.py`) and each call its
overloads (`signatures.py`), `evaluator.py` makes closures of it, which call the functions of `operators.py`,
`texts.py`, `collections.py`, `times.py` and `kubernetes.py`.

Why no library. Two were measured with 55 rules as they appear in CustomResourceDefinitions, on Python 3.11; right is
what kube-apiserver v1.34 says, which refuses two of them:

    cel-python 0.5                        35 right   import 70 ms, 18 MB   250 us for a rule over a small object
    common-expression-language 0.10       37 right   import 140 ms, 30 MB   14 us
    this package                          55 right   import 60 ms, 1 MB      3 us

Neither knows `self.?a.orValue(b)`, the string, list, set, URL, IP, quantity and format functions that Kubernetes adds,
nor Kubernetes' list types; those can be given to them as Python functions in part. But neither checks types: a rule that
misspells a field, which a real API server refuses together with its definition, would be stored and fail on every
object. A checker needs the tree that neither hands out, and with a tree and its types at hand the rest is short.

What is left out: the cost limits. A real API server refuses a rule whose estimated cost is too high, such as one that
compares every item of an unbounded list with every other; here it is accepted.
"""
