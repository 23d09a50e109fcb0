"""Measurements, each with its named peer in the same run: `make bench`. They print ratios and never pass or fail.

Belongs here: load generators, what is measured and how it is shown. A figure is a minimum, a median and a maximum over
several rounds, and the rounds of the two sides take turns, so that a machine that gets slower gets slower for both.

Never belongs here: an assertion, and anything that the project runs outside of a measurement.
"""
