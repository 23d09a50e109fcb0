"""The charts, a file each: plain values in, SVG out.

Belongs here: what is drawn, and the sentence that says the same to those who cannot see it. Every mark differs in form as well as
in colour, and a chart that leaves something out says how much.

Never belongs here: a colour (style/ has them, by class), a file, a statistic.
"""
