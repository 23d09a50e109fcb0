"""The recording reverse proxy between an operator and its API server, which is also where faults come from.

Belongs here: forwarding, a listener for each replica, what is written down about it, and the hands that carry out the rules of
`twinloop.harness.faults`. An operator is unmodified and cannot tell.

Never belongs here: an opinion. The proxy records what passed and what it did to it; judges read that later.
"""
