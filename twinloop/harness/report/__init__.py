"""The results as pages: terminal, Markdown, JUnit, and one HTML file that needs nothing beside it.

Belongs here: turning a `Report` into text. Correctness comes before speed, differences before numbers, a sentence before a
table before a plot, and every number leads to its evidence.

Never belongs here: a verdict, a statistic, a file of a trial. What is not in the `Report` is not in a page.
"""
