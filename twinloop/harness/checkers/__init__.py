"""The oracles: pure functions from the history of a trial to findings, a file each.

Belongs here: what a correct operator may and may not do, written down once more and independently. An oracle reads
records; it asks no server, no clock, and not the sync function, whose mistakes it is there to find.

    o01_ ... o17_                           the oracles; each says in its first lines what it asks and what it cannot see
    trial_view, timeline, joining, writes   a history as they look at it: the truth by resourceVersion, writes with answers
    patience, rests, attempts, authors      what an operator may have known, restarts, repetitions, whose each field is
    right, status_truth, normal             what a pod and a status have to be, and a form in which ends can be compared
    findings                                how a verdict is put

Never belongs here: a guess. What the history does not show is `unknown`.
"""
