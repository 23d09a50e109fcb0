"""CustomResourceDefinitions and what they define: schemas at work, and kinds that come and go at run time.

Belongs here: the kind CustomResourceDefinition (`definition.py`, `definition_validation.py`, `names.py`), the registry
kept in step with stored definitions (`definitions.py`), the strategy of custom resources (`custom.py`, `scale.py`), and
what a structural schema does to an object: it fills in defaults, drops unknown fields and validates, CEL rules included.

Never belongs here: storage, HTTP, and the schemas of built-in kinds (`builtin/`), which Go structs check and not
OpenAPI. Nothing here reads a clock or writes an object by itself; `definitions.py` alone knows the server.

An object's way: `custom.py` decodes it (`embedded.py`, `pruning.py`), fills it (`defaulting.py`) and asks `schema.py`
for a verdict (`validation.py`, `lists.py`, then `rules.py` over `cel/`). A definition's way: `definition.py`, which asks
`structural.py`, `openapi.py` and `default_values.py` whether its schemas are fit, then `definitions.py`.
"""
