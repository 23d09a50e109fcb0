"""The embedded API server: as much of a Kubernetes API server as operators, kopf and kubectl ask for, in one process.

Belongs here: the semantics of the API (objects, resource versions, watch history, validation, patches) as plain
functions and classes that do no input or output, the controllers without which an object would never come to life,
and one thin HTTP edge (`http/`). Time comes from `clock.py`, so that a test may drive it.

Never belongs here: anything about NginxPods, an operator or a fault plan. The server does not know who it serves; it
imports nothing of `twinloop` outside this package but `twinloop.errors`.

A request's way: `http/` reads it, `request.py` says what it asks for, `server.py` calls one of `verbs/`, which asks
the kind's `strategy.py` and `admission/` and writes to `storage.py`; `controllers/` see what was written.
"""
