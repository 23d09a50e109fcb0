"""`twinloop demo`: both operators live through the same short story, side by side, on the embedded API server.

Belongs here: the story, its two lanes on the screen, and the table at the end. A lane sees what any client sees, through
a watch; nothing is read from inside an operator.

Never belongs here: a measurement to rely on. One story, once, both at the same time on one machine, shows what the two
do; it says nothing about how they compare.
"""
