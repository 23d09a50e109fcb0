"""The stories, a file each: what a user does, what goes wrong meanwhile, and what it must look like in the end.

Belongs here: what `twinloop.harness.scenario` describes. A story uses nothing but the stage, waits for what it can see and
not for time, and writes down its own table of expectations.

Never belongs here: a word about a particular variant. Whoever needs an exception for one has found a difference.
"""
