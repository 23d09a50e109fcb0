"""Another image: pods are replaced one at a time."""

from twinloop.harness.props import CALM, SAMPLING, at_rest, rounds, stands
from twinloop.harness.scenario import IMAGE, OTHER_IMAGE, Stage

DESCRIPTION = (
    "A user changes the image of a NginxPod with two pods, to and fro, each time when the last change is done."
)
EXPECTATION = "Highest ordinal first, one pod at a time: never are two pods down for it."
DECIDING = CALM
LATENCY = True
SETTINGS = SAMPLING
# Each time: two pods deleted and made again; and the status, three times: begun, one half done, all done.
WRITES = (2 + 2) + 6 * (4 + 3)


def story(stage: Stage) -> None:
    """Change the image six times."""
    at_rest(stage, "web", pods=2)
    for index, warm_up in rounds(stage):
        image = IMAGE if index % 2 else OTHER_IMAGE
        with stage.measure("image change", warm_up=warm_up) as sample:
            stage.edit("web", image=image)
            sample.until(stands("web", 2, image))
        stage.expect("web", pods=2, image=image)
