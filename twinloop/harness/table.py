"""The scenario's table of expectations beside the truth, and what is missing for a line of it to hold.

Used by `stage.py` to know when a story has settled, and by the oracle of the end state. It is the harness's own notion of a
right pod, written from the documentation of the resource and without a look at the sync function.
"""

from __future__ import annotations

from collections.abc import Iterable

from twinloop.harness.history import Expect
from twinloop.harness.objects import condition, controller
from twinloop.kube.resources import Object

NAME_LABEL = "twinloop.dev/nginxpod"


def mismatch(expect: Expect, nginxpod: Object | None, pods: Iterable[Object]) -> str:
    """What keeps a line of the table from holding, as one sentence; "" when it holds. `pods` are all of the namespace."""
    if expect.gone:
        return _still_there(expect.name, nginxpod, pods)
    if nginxpod is None:
        return f"NginxPod {expect.name} is not there"
    own = [pod for pod in pods if controller(pod).get("uid") == nginxpod["metadata"]["uid"]]
    return _wrong_pods(expect, own) or _wrong_status(expect, nginxpod)


def _still_there(name: str, nginxpod: Object | None, pods: Iterable[Object]) -> str:
    if nginxpod is not None:
        return f"NginxPod {name} is still there"
    left = sorted(pod["metadata"]["name"] for pod in pods if _belonged_to(pod, name))
    return f"pods of the deleted NginxPod {name} are still there: {', '.join(left)}" if left else ""


def _belonged_to(pod: Object, name: str) -> bool:
    owner = controller(pod)
    return bool(owner.get("kind") == "NginxPod" and owner.get("name") == name)


def _wrong_pods(expect: Expect, own: list[Object]) -> str:
    names = sorted(pod["metadata"]["name"] for pod in own)
    if names != sorted(expect.pods):
        return f"{expect.name} has the pods {', '.join(names) or 'none'} and should have {', '.join(expect.pods) or 'none'}"
    return next(filter(None, (_wrong_pod(expect, pod) for pod in own)), "")


def _wrong_pod(expect: Expect, pod: Object) -> str:
    name, container = pod["metadata"]["name"], pod["spec"]["containers"][0]
    if pod["metadata"].get("deletionTimestamp"):
        return f"pod {name} is terminating"
    if (pod.get("status") or {}).get("phase") in {"Failed", "Succeeded"}:
        return f"pod {name} has ended"
    if container.get("image") != expect.image:
        return f"pod {name} runs {container.get('image')} and should run {expect.image}"
    ports = [port.get("containerPort") for port in container.get("ports") or []]
    if ports != [expect.port]:
        return f"pod {name} has the ports {ports} and should have {expect.port}"
    if (pod["metadata"].get("labels") or {}).get(NAME_LABEL) != expect.name:
        return f"pod {name} lacks the label {NAME_LABEL}={expect.name}"
    return f"pod {name} is not ready" if expect.ready and condition(pod, "Ready").get("status") != "True" else ""


def _wrong_status(expect: Expect, nginxpod: Object) -> str:
    status, name = nginxpod.get("status") or {}, expect.name
    generation = nginxpod["metadata"].get("generation")
    if status.get("observedGeneration") != generation:
        return f"the status of {name} is about generation {status.get('observedGeneration')} and not {generation}"
    ready = condition(nginxpod, "Ready")
    if expect.ready is not None and ready.get("status") != ("True" if expect.ready else "False"):
        return f"{name} says Ready={ready.get('status')} ({ready.get('reason')}) and should say {expect.ready}"
    if expect.reason is not None and ready.get("reason") != expect.reason:
        return f"{name} gives the reason {ready.get('reason')} and should give {expect.reason}"
    return ""
