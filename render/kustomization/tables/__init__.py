"""Facts about Kubernetes and Kustomize as data.

Holds: field specs, name references, merge keys, scopes, orders. Knows nothing of how they are used.
"""
