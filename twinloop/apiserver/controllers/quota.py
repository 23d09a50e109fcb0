"""Keeps status.hard and status.used of every ResourceQuota true.

`admission/quota.py` counts up before an object is stored; this controller counts what is stored, object by object as
events come, and writes the difference: after a deletion, after a pod's end, after a create that failed once it was
counted, and for a quota that is new.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from twinloop.apiserver.admission.usage import Amounts, countable, in_scope, total_of, usage
from twinloop.apiserver.builtin.quantities import amount
from twinloop.apiserver.controllers.controller import QUOTAS, Controller, Object
from twinloop.apiserver.storage import Event, Record, Resource


class Key(NamedTuple):
    """One quota, this one and no successor of the same name."""

    namespace: str
    name: str
    uid: str


@dataclass(slots=True)
class Account:
    """What one quota counts: what each object of its namespace is worth to it, and the totals."""

    quota: Object
    entries: dict[str, Amounts] = field(default_factory=dict)  # by the object's uid
    totals: dict[str, Decimal] = field(default_factory=dict)

    @property
    def hard(self) -> Amounts:
        """The limits."""
        found: Amounts = self.quota["spec"].get("hard") or {}
        return found

    def interested(self, resource: Resource) -> bool:
        """Whether objects of this resource may count."""
        return any(countable(resource, name) for name in self.hard)

    def put(self, resource: Resource, record: Record) -> bool:
        """Count an object as it is now; returns whether that changes anything."""
        obj = record.object()
        worth = usage(resource, obj) if in_scope(self.quota, resource, obj) else {}
        return self._set(record.uid, {name: value for name, value in worth.items() if name in self.hard})

    def drop(self, uid: str) -> bool:
        """An object has gone; returns whether that changes anything."""
        return self._set(uid, {})

    def _set(self, uid: str, worth: Amounts) -> bool:
        before = self.entries.pop(uid, {})
        if worth:
            self.entries[uid] = worth
        for name, value in before.items():
            self.totals[name] -= amount(value)
        for name, value in worth.items():
            self.totals[name] = self.totals.get(name, Decimal(0)) + amount(value)
        return before != worth

    def used(self, name: str) -> str:
        """The total under one name, written like the first amount in it."""
        if not self.totals.get(name):
            return "0"
        first = next(each[name] for each in self.entries.values() if amount(each.get(name, "0")))
        return total_of(self.totals[name], first)


class Quota(Controller[Key]):
    """One account for each quota; nothing is counted in namespaces without one."""

    name = "quota"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._accounts: dict[str, dict[Key, Account]] = {}  # by namespace

    def resume(self) -> None:
        """Begin anew from what is stored."""
        self._accounts.clear()
        self.agenda.clear()
        for record in self.server.storage.list(QUOTAS):
            self._open(record)

    # ------------------------------------------------------------------ events

    def observe(self, event: Event) -> None:
        """Note changes of quotas, and count what comes and goes beside them."""
        if event.resource == QUOTAS:
            self._quota_changed(event)
        for key, account in self._accounts.get(event.record.namespace, {}).items():
            if account.interested(event.resource) and self._counted(account, event):
                self.agenda.add(key, self.server.clock.now())

    def _counted(self, account: Account, event: Event) -> bool:
        if event.type == "DELETED":
            return account.drop(event.record.uid)
        return account.put(event.resource, event.record)

    def _quota_changed(self, event: Event) -> None:
        key = _key(event.record)
        if event.type == "DELETED":
            accounts = self._accounts.get(key.namespace, {})
            accounts.pop(key, None)
            if not accounts:
                self._accounts.pop(key.namespace, None)
            self.agenda.drop(key)
            return
        account = self._accounts.get(key.namespace, {}).get(key)
        if account is None or account.quota["spec"] != event.record.object()["spec"]:
            self._open(event.record)
        self.agenda.add(key, self.server.clock.now())

    def _open(self, record: Record) -> None:
        """Count all that is there."""
        account = Account(record.object())
        for resource in self.server.storage.resources():
            if account.interested(resource):
                for each in self.server.storage.list(resource, record.namespace):
                    account.put(resource, each)
        self._accounts.setdefault(record.namespace, {})[_key(record)] = account
        self.agenda.add(_key(record), self.server.clock.now())

    # ------------------------------------------------------------------ work

    def visit(self, key: Key, now: float) -> None:
        """Write a quota's status if it is not true."""
        del now
        quota = self.read(QUOTAS, *key)
        account = self._accounts.get(key.namespace, {}).get(key)
        if quota is None or account is None:
            return
        before = quota.get("status") or {}
        after = {"hard": account.hard, "used": self._used(account, before.get("used") or {})}
        if before.get("hard", {}) != after["hard"] or before.get("used", {}) != after["used"]:
            quota["status"] = after
            self.update(QUOTAS, quota, "status")

    def _used(self, account: Account, before: Amounts) -> Amounts:
        """The totals of all that can be counted here; an amount that is right stays as it is written."""
        resources = {kind.storage for kind in self.server.registry if kind.namespaced}
        found: Amounts = {}
        for name in account.hard:
            if any(countable(resource, name) for resource in resources):
                used = account.used(name)
                same = name in before and amount(before[name]) == amount(used)
                found[name] = before[name] if same else used
        return found


def _key(record: Record) -> Key:
    return Key(record.namespace, record.name, record.uid)
