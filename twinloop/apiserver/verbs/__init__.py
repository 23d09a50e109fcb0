"""The verbs: what create, get, list, watch, update, patch and delete do with an object of any kind.

Belongs here: the order of steps that kube-apiserver's endpoint handlers and generic registry take, with `Call` as the
request's own state. What is particular to a kind is its `Strategy`, what spans kinds is `admission/`.

Never belongs here: HTTP, and knowledge of one kind, but for the subresources of pods and namespaces in the table of
`subresources.py`.
"""
