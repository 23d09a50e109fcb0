"""`twinloop demo`: a comparison of one short story that is shown as it happens.

Belongs here: what the recorders of two trials write down, as two columns of lines, and the table of the story's steps at the
end. The story is a scenario, told by the harness and judged like every other; what a column says was seen by a watch that no
operator knows of.

Never belongs here: running anything, judging anything, or a measurement to rely on. One story, once, both at the same time on
one machine, shows what the two do; how they compare is the comparison's business.
"""
