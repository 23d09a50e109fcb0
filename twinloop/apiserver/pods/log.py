"""GET .../pods/<name>/log: a few lines that the pretend container could have written.

Which container is meant, whether it has run, and how many lines are wanted is checked as the real server and a kubelet
do it; the lines themselves say that nothing ran.
"""

from __future__ import annotations

from typing import Any

from twinloop.apiserver import failures
from twinloop.apiserver.answer import Answer
from twinloop.apiserver.failures import Failure
from twinloop.apiserver.fielderrors import FieldError, forbidden, invalid
from twinloop.apiserver.options import flag, number
from twinloop.apiserver.request import Request
from twinloop.apiserver.verbs.call import Call

Object = dict[str, Any]

_AT_LEAST_0 = "must be greater than or equal to 0"
_MORE_THAN_0 = "must be greater than 0"


def serve(call: Call, request: Request) -> Answer:
    """The log of one container, in plain text."""
    record = call.find()
    _check_options(request, call.name)
    pod = record.object()
    name = _container(pod, request.first("container"))
    if not pod["spec"].get("nodeName"):
        return _text("")
    lines = _lines(pod, name, previous=flag(request, "previous"))
    return _text(_cut(lines, number(request, "tailLines"), number(request, "limitBytes")))


def _text(text: str) -> Answer:
    return Answer(200, text.encode(), "text/plain")


def _check_options(request: Request, name: str) -> None:
    errors: list[FieldError] = []
    for option, least in (("tailLines", 0), ("limitBytes", 1), ("sinceSeconds", 1)):
        value = number(request, option)
        if value is not None and value < least:
            errors.append(invalid(option, value, _MORE_THAN_0 if least else _AT_LEAST_0))
    if request.first("sinceSeconds") and request.first("sinceTime"):
        errors.append(forbidden("[]", "at most one of `sinceTime` or `sinceSeconds` may be specified"))
    if errors:
        raise failures.invalid("", "PodLogOptions", name, errors)


def _container(pod: Object, asked: str) -> str:
    """The container that is meant. Raises the 400 for one that is not there, or for a choice that was not made."""
    name, spec = pod["metadata"]["name"], pod["spec"]
    main = [each["name"] for each in spec["containers"]]
    first = [each["name"] for each in spec.get("initContainers") or ()]
    if asked and asked not in main + first:
        raise failures.bad_request(f"container {asked} is not valid for pod {name}")
    if asked or len(main) == 1:
        return asked or main[0]
    choice = f"choose one of: [{' '.join(main)}]"
    if first:
        choice += f" or one of the init containers: [{' '.join(first)}]"
    raise failures.bad_request(f"a container name must be specified for pod {name}, {choice}")


def _lines(pod: Object, name: str, *, previous: bool) -> list[str]:
    status = _status(pod, name)
    pod_name = pod["metadata"]["name"]
    if previous:
        if not (status.get("lastState") or {}).get("terminated"):
            raise failures.bad_request(f'previous terminated container "{name}" in pod "{pod_name}" not found')
        return [f"{name} of {pod_name} started", f"{name} of {pod_name} crashed"]
    waiting = (status.get("state") or {"waiting": {"reason": "ContainerCreating"}}).get("waiting")
    if waiting and not status.get("containerID"):
        raise _not_running(pod_name, name, waiting["reason"])
    return [f"{name} of {pod_name} started", "this container is a pretence: nothing runs in it"]


def _status(pod: Object, name: str) -> Object:
    status = pod.get("status") or {}
    known = [*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ())]
    return next((each for each in known if each["name"] == name), {})


def _not_running(pod: str, name: str, reason: str) -> Failure:
    """What a kubelet says of a container that has not started, in the words for its reason."""
    pulling = {
        "ErrImagePull": "image can't be pulled",
        "ImagePullBackOff": "trying and failing to pull image",
    }
    why = pulling.get(reason, reason)
    return failures.bad_request(f'container "{name}" in pod "{pod}" is waiting to start: {why}')


def _cut(lines: list[str], tail: int | None, limit: int | None) -> str:
    kept = lines if tail is None else lines[len(lines) - min(tail, len(lines)) :]
    return "".join(f"{line}\n" for line in kept)[:limit]
