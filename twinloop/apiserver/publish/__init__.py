"""What the server publishes about itself: discovery, OpenAPI documents, version, health, metrics, and Tables of objects.

Belongs here: documents that are made of the registry, and rows that kubectl prints. They are made when somebody asks
and kept until the registry changes.

Never belongs here: objects' semantics; what a kind's schema or columns are is known by `builtin/` and `schemas/`.

A request that names no resource comes from `server.py` to `paths.py`, which knows the documents' paths. `render.py`
calls `table.py` for clients that want a Table.
"""
