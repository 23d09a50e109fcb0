"""The oracles: pure functions from the history of a trial to findings, a file each.

Belongs here: what a correct operator may and may not do, written down once more and independently. An oracle reads
records; it asks no server, no clock, and not the sync function, whose mistakes it is there to find.

Never belongs here: a guess. What the history does not show is `unknown`.
"""
