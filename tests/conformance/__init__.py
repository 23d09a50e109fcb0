"""The conformance set: the same requests to the embedded API server and to a real one, answers compared.

Belongs here: the cases (`cases/*.yaml`, data), what plays, normalises and compares them, the real server's answers
(`golden/*.json`), and the list of known differences (`known.yaml`).

Never belongs here: anything that knows how the embedded server is made inside. It is one more server behind a
kubeconfig, and a case that passes on it for another reason than on the real one is worth nothing.

The way of a case: `case.py` reads it, `play.py` sends its steps over `wire.py`, `normal.py` gives names to what
differs from run to run, `compare.py` finds the differences, `verdict.py` judges them by `known.yaml`. `suite.py`
does so for all cases at once; `__main__.py` is what `make conformance` runs, `test_embedded.py` what `make test` runs.
"""
