"""What a write does to an object: patches of four kinds, and who owns which field afterwards.

Belongs here: functions from JSON values to JSON values. JSON patch, merge patch, strategic merge patch and server-side
apply, the views of schemas that the last two follow (`typed.py`), sets of fields and `metadata.managedFields`.
Never belongs here: storage, requests, defaults, validation of objects, any kind's own rules. Time comes in as a number.

A patch request's way: `verbs/patch.py` picks one of `json_patch`, `merge_patch`, `strategic` or `apply` by content type
and hands the result to the same steps as an update; every write but an apply then goes through `managed_fields.update`.
What cannot be done is raised as a `Failure` in the words that kube-apiserver uses.
"""
