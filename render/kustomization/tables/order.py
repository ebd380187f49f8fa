"""The order of kinds in which Kustomize prints and considers objects.

Facts of Kustomize 5.8.1 (kubernetes-sigs/kustomize, Apache-2.0), written down as a table.
"""

from __future__ import annotations

ORDER_FIRST: tuple[str, ...] = (
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
)
ORDER_LAST: tuple[str, ...] = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")


def ranks(first: tuple[str, ...], last: tuple[str, ...]) -> dict[str, int]:
    """The rank of each kind named; every other kind has rank 0."""
    found = {kind: position - len(first) for position, kind in enumerate(first)}
    found.update({kind: 1 + position for position, kind in enumerate(last)})
    return found


KIND_RANK: dict[str, int] = ranks(ORDER_FIRST, ORDER_LAST)
