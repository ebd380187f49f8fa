"""The renderer: files in, manifests out.

Pure: no cluster, no network, no clock. It imports nothing of `reconciler`. The flow is one way:
`tree` (a folder or a Git commit) → `yaml` (documents) → `kustomization` (the build) → `site` (an application in a
role, with run level, component and origin beside each manifest).
"""
