"""One module for each of Kustomize's transformers, named as Kustomize names them.

Holds: how a transformer's configuration changes drafts. Knows nothing of files (they come through a `Loader`) and of
the order in which transformers run.
"""
