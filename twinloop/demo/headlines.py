"""What a watch event is worth telling: one short line, or nothing. Plain functions over two states of an object.

`lane.py` calls `headline` for every event of its namespace; `screen.py` prints the line.
"""

from __future__ import annotations

from twinloop.nginxpod import Object, is_finished, is_ready, is_terminating, name_of


def headline(before: Object | None, now: Object | None) -> str | None:
    """The change between two states of one object (None: not there) in a few words."""
    either = now or before
    if either is None:
        return None
    if now is None:
        return f"{_called(either)} gone"
    return _nginxpod(before, now) if either.get("kind") == "NginxPod" else _pod(before, now)


def _called(obj: Object) -> str:
    return f"{'NginxPod' if obj.get('kind') == 'NginxPod' else 'pod'} {name_of(obj)}"


def _pod(before: Object | None, now: Object) -> str | None:
    if before is None:
        return f"{_called(now)} created, {image_tag(now)}"
    if is_terminating(now):
        # It also stops being ready then, which is no news.
        return None if is_terminating(before) else f"{_called(now)} terminating"
    if is_finished(now) and not is_finished(before):
        return f"{_called(now)} {now['status']['phase']}"
    if is_ready(now) != is_ready(before):
        return f"{_called(now)} {'ready' if is_ready(now) else 'not ready'}"
    return None


def _nginxpod(before: Object | None, now: Object) -> str | None:
    """Only what its status says anew: a changed spec makes the old words look wrong and is no word of the operator."""
    if (before or {}).get("status") == now.get("status") or standing(now) in {"", standing(before or {})}:
        return None
    return f"NginxPod says {standing(now)}"


def standing(nginxpod: Object) -> str:
    """Where a NginxPod stands by its own account: `AllReady 2/2`; empty before the operator's first word."""
    status = nginxpod.get("status") or {}
    reasons = [each.get("reason", "") for each in status.get("conditions") or [] if each.get("type") == "Ready"]
    wanted = (nginxpod.get("spec") or {}).get("replicas")
    return f"{reasons[0]} {status.get('readyReplicas', 0)}/{wanted}" if reasons else ""


def image_tag(pod: Object) -> str:
    """The tag of a pod's first image: what changes in a story about an image."""
    return str(pod["spec"]["containers"][0].get("image", "")).rpartition(":")[2]
