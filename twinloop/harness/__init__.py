"""`twinloop compare`: the same story told to several operators, and what differed.

Belongs here: running an operator as a process behind a recording proxy, the stories, the judges of what was recorded, and
the report. A variant is a command line and nothing else: an operator in any language can be put beside ours.

    variants, supervisor, sampler, smoke    operators as processes, and what they use of the machine
    backends/                               the API servers that they may run against
    proxy/                                  records what an operator says to the API server, and injects faults
    history                                 what is recorded: an append-only file a trial, one monotonic clock
    scenario, stage, scenarios/             a story, what it may do, and all of them, a file each
    trial                                   one story, one variant, one history
    checkers/, verdict, judge               pure functions from a history to ok, violated or unknown
    stats, compare, known                   many trials: order, significance, and which differences were expected
    results, report/                        what is kept, and the pages made of it

Record first, judge later: a trial writes its history and decides nothing; every verdict can be computed again from the
file. Never belongs here: an import of `handwritten` or of kopf, or the sync function as a judge of its own work.
"""
