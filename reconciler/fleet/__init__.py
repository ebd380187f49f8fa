"""What people wrote, parsed and validated: Fleet, Application, Placement, each knowing its file and line.

Knows nothing of Git (it reads a `render.tree.Tree`) and nothing of Kubernetes.
"""
