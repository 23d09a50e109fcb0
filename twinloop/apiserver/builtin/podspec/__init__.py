"""What a PodSpec means: its defaults and its rules, for pods themselves and for the templates of workloads.

Belongs here: one module for each part of the spec (containers, environment, volumes, probes, scheduling, security,
resources), all of them functions from plain dicts to `FieldError`s in the order in which Kubernetes reports them. Never
belongs here: a pod's status and life (`builtin/pods.py`), and anything that looks at other objects.

`spec.py` calls the parts; `update.py` says what may change afterwards. The rules and their words are those of
Kubernetes' pkg/apis/core/validation, without the volume types of single vendors and without Windows, whose fields are
stored unchecked.
"""
