"""What a process remembers of its NginxPods between visits: nothing that a restart must not lose.

`sync` reads and writes it. It serves five rules: what a server refused with a time (Retry-After) is not asked again before
then, whatever else happens to the NginxPod (R12), a NginxPod that the server says is gone is not believed to be there
because a cache says so (R3), a message alone is written with growing patience (R11), a status
that the server refused as invalid is not sent again before the NginxPod changes (R13), and the count of a failed pod
reaches its successor although the server refuses the first attempt to create it (R6).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from twinloop.nginxpod import Object, name_of, namespace_of, uid_of

# R11: a message alone is worth a write after this many seconds, twice as long each time, up to the loops' longest
# delay. Messages follow the kubelet, which says ErrImagePull and ImagePullBackOff in turn for as long as it tries.
WORDS_BACKOFF: Final = 1.0
WORDS_BACKOFF_MAX: Final = 15.0


@dataclass
class Patience:
    """When a changed message becomes worth a write, for one NginxPod whose reason stays the same."""

    reason: str
    delay: float = WORDS_BACKOFF
    due: datetime | None = None


@dataclass(frozen=True)
class HeldBack:
    """Until when the server does not want to be asked about one NginxPod, and what it had said.

    `unread`: it would not even show it, so that reading is what has to wait.
    """

    failure: str
    left: float
    unread: bool


@dataclass(frozen=True)
class _Asked:
    held: HeldBack
    until: datetime


@dataclass
class Memory:
    """One for a process, handed to every `sync`.

    No lock: a loop never visits one NginxPod twice at the same time, entries of different NginxPods are different
    keys, and single operations on a dict are atomic.
    """

    _patience: dict[str, Patience] = field(default_factory=dict)
    _unwritable: dict[str, int] = field(default_factory=dict)
    # By uid and pod name: the pod whose creation is still to be accepted, which carries its predecessor's count.
    _owed: dict[str, dict[str, Object]] = field(default_factory=dict)
    _uids: dict[tuple[str, str], str] = field(default_factory=dict)
    # Uids of which the server has said that they do not exist, while some cache still shows them.
    _lost: set[str] = field(default_factory=set)
    _held_back: dict[tuple[str, str], _Asked] = field(default_factory=dict)

    def seen(self, nginxpod: Object) -> None:
        """Note which uid a name stands for, so that `forget` finds it; a reused name starts anew."""
        key = (namespace_of(nginxpod), name_of(nginxpod))
        if self._uids.get(key) != uid_of(nginxpod):
            self.forget(*key)
            self._uids[key] = uid_of(nginxpod)

    def forget(self, namespace: str, name: str) -> None:
        """Drop everything about a NginxPod that is gone."""
        self._held_back.pop((namespace, name), None)
        uid = self._uids.pop((namespace, name), "")
        self._patience.pop(uid, None)
        self._unwritable.pop(uid, None)
        self._owed.pop(uid, None)
        self._lost.discard(uid)

    def hold_back(self, namespace: str, name: str, held: HeldBack, now: datetime) -> None:
        """The server has answered a visit with a failure, and named the seconds until the next one."""
        self._held_back[namespace, name] = _Asked(held, now + timedelta(seconds=held.left))

    def held_back(self, namespace: str, name: str, now: datetime) -> HeldBack | None:
        """The same with the seconds that are left while the server wants no visit; None when it is welcome."""
        asked = self._held_back.get((namespace, name))
        left = (asked.until - now).total_seconds() if asked else 0.0
        # More is left than was asked for: the clock was set back, and would hold the NginxPod for as long as that.
        if asked is None or not 0 < left <= asked.held.left:
            self._held_back.pop((namespace, name), None)
            return None
        return replace(asked.held, left=left)

    def lost(self, uid: str) -> None:
        """The server does not know this NginxPod: whatever showed it is behind."""
        self._lost.add(uid)

    def is_lost(self, uid: str) -> bool:
        """Whether the server did not know it the last time that it was asked."""
        return uid in self._lost

    def found(self, uid: str) -> None:
        """The server knows it after all."""
        self._lost.discard(uid)

    def wait_for_words(self, uid: str, reason: str, now: datetime) -> float:
        """Seconds until a changed message may be written although nothing else has changed; 0 = now."""
        patience = self._patience.get(uid)
        if patience is None or patience.reason != reason:
            patience = self._patience[uid] = Patience(reason)
        if patience.due is None:
            patience.due = now + timedelta(seconds=patience.delay)
        return max(0.0, (patience.due - now).total_seconds())

    def words_stand(self, uid: str, reason: str, *, alone: bool) -> None:
        """The right message stands in the object; `alone`: after a write for its sake, so the next waits longer."""
        patience = self._patience.get(uid)
        if patience is None:
            return
        if patience.reason != reason:
            del self._patience[uid]
            return
        patience.due = None
        if alone:
            patience.delay = min(WORDS_BACKOFF_MAX, patience.delay * 2)

    def cannot_write(self, uid: str, generation: int) -> None:
        """The server refused the status of this generation as invalid."""
        self._unwritable[uid] = generation

    def may_write(self, uid: str, generation: int) -> bool:
        """Whether a status for this generation has not been refused before."""
        return self._unwritable.get(uid) != generation

    def with_failures(self, uid: str, pod: Object) -> Object:
        """The pod to create, with the count of a failed predecessor that a refused creation has left without a place.

        Such a predecessor is deleted already; a pod made for another template has nothing to inherit from it.
        """
        if "annotations" in pod["metadata"]:
            self._owed.setdefault(uid, {})[name_of(pod)] = pod
            return pod
        owed = self._owed.get(uid, {}).get(name_of(pod), pod)
        return owed if owed["metadata"]["labels"] == pod["metadata"]["labels"] else pod

    def created(self, uid: str, pod: Object) -> None:
        """The server has accepted the pod."""
        owed = self._owed.get(uid, {})
        owed.pop(name_of(pod), None)
        if not owed:
            self._owed.pop(uid, None)
