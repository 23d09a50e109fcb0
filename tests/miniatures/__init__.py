"""Small operators to lie to the harness with: one that is right, and many with one bug each.

Belongs here: operators whose mistakes are known, so that a judge who misses one is found out. `base.py` is the right one;
the others are subclasses of it that change one thing, sorted by what is wrong: the loop, the pods, other writes, the status. Each says
in which story it shows and which oracle has to see it.

    python -m miniatures NAME --kubeconfig=... --namespace=... --health-port=...      (with tests/ on the path)

Never belongs here: cleverness. A bug that takes a page to explain is two bugs.
"""
