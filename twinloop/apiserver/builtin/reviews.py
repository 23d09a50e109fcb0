"""Questions about oneself: who am I, what may I do. Created, answered, never stored.

`served.py` registers these strategies; `verbs/create.py` returns the object as `prepare_create` leaves it. The one user of this
server is an administrator, so that the answer is always yes.
"""

from __future__ import annotations

from typing import Any

from twinloop.apiserver.builtin.base import BuiltinStrategy
from twinloop.apiserver.builtin.checks import Errors, shown_struct
from twinloop.apiserver.clock import timestamp
from twinloop.apiserver.failures import bad_request
from twinloop.apiserver.fielderrors import FieldError, invalid
from twinloop.apiserver.strategy import Object

USER = {"username": "kubernetes-admin", "groups": ["system:masters", "system:authenticated"]}
_NOT_BOTH = "cannot be specified in combination with resourceAttributes"
_ONE_OF_BOTH = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
_EVERYTHING: dict[str, Any] = {
    "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
    "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
    "incomplete": False,
}


class ReviewStrategy(BuiltinStrategy):
    """What all questions share: they are about the asker and have no name."""

    stored = False

    def validate(self, obj: Object) -> list[FieldError]:
        """No metadata but what the server adds."""
        unnamed = not obj["metadata"].keys() - {"managedFields"}
        return [] if unnamed else list(shown_struct("metadata", obj["metadata"], "must be empty"))


class AccessReviewStrategy(ReviewStrategy):
    """SelfSubjectAccessReviews."""

    def prepare_create(self, obj: Object, now: float) -> None:
        """Allowed."""
        del now
        obj["status"] = {"allowed": True}

    def validate(self, obj: Object) -> list[FieldError]:
        """Exactly one question."""
        return [*_question_errors(obj["spec"]), *super().validate(obj)]


def _question_errors(spec: Object) -> Errors:
    path = spec.get("nonResourceAttributes")
    if path is not None and "resourceAttributes" in spec:
        shown = {"Path": path.get("path", ""), "Verb": path.get("verb", "")}
        yield from shown_struct("spec.nonResourceAttributes", shown, _NOT_BOTH)
    if path is None and "resourceAttributes" not in spec:
        yield invalid("spec.resourceAttributes", None, _ONE_OF_BOTH)


class RulesReviewStrategy(ReviewStrategy):
    """SelfSubjectRulesReviews."""

    def prepare_create(self, obj: Object, now: float) -> None:
        """Everything, in the namespace that is asked about, which the answer does not repeat."""
        del now
        if not obj["spec"].pop("namespace", ""):
            raise bad_request("no namespace on request")
        obj["metadata"].pop("managedFields", None)
        obj["status"] = _EVERYTHING


class SelfReviewStrategy(ReviewStrategy):
    """SelfSubjectReviews."""

    def prepare_create(self, obj: Object, now: float) -> None:
        """The administrator."""
        obj["metadata"]["creationTimestamp"] = timestamp(now)
        obj["status"] = {"userInfo": USER}
