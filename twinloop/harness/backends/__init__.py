"""The API servers that a comparison can run against: embedded, kind, kwok, current.

Belongs here: coming up, a namespace for each trial, what a backend can be told to do, and going down again. A backend makes
what it needs and deletes what it made, never anything else.

Never belongs here: what an operator does with it, and anything that a judge would have to know about a backend.
"""
