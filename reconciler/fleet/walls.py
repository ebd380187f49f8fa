"""What an application may not contain, whoever wrote it: the walls between applications, the platform and Siteshift.

Pure, and the same for `validate` and for the controller: anyone can push, so what only `validate` refused would be no
wall at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from reconciler.errors import FleetError
from reconciler.fleet.model import Contents
from reconciler.fleet.rendered import Found, Rendered, mapping
from reconciler.objects import SYSTEM_NAMESPACE, group_of

LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
"""A namespace's name."""

NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
"""An object's name. A slash, a percent sign or `..` would leave its path."""

RBAC = "rbac.authorization.k8s.io"
RBAC_NAME = re.compile(r"[a-zA-Z0-9]([-a-zA-Z0-9._:]{0,251}[a-zA-Z0-9])?")
"""The names of RBAC's objects may have colons and capitals."""

OF_THE_CLUSTER = re.compile(r"kube-.*|openshift(-.*)?")
"""Namespaces that the cluster itself runs in."""

BUILT_IN = frozenset(
    {
        *("", "apps", "autoscaling", "batch", "coordination.k8s.io", "discovery.k8s.io", "events.k8s.io"),
        *("networking.k8s.io", "policy", RBAC),
    }
)
"""Groups whose cluster-scoped kinds are all in `CLUSTER_SCOPED`."""

CLUSTER_SCOPED = frozenset(
    {
        *(("", kind) for kind in ("ComponentStatus", "Namespace", "Node", "PersistentVolume")),
        *((RBAC, kind) for kind in ("ClusterRole", "ClusterRoleBinding")),
        *(("networking.k8s.io", kind) for kind in ("IPAddress", "IngressClass", "ServiceCIDR")),
        *(("storage.k8s.io", kind) for kind in ("CSIDriver", "CSINode", "StorageClass", "VolumeAttachment")),
        ("storage.k8s.io", "VolumeAttributesClass"),
        ("scheduling.k8s.io", "PriorityClass"),
        ("node.k8s.io", "RuntimeClass"),
        ("certificates.k8s.io", "CertificateSigningRequest"),
        ("flowcontrol.apiserver.k8s.io", "FlowSchema"),
        ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"),
        ("snapshot.storage.k8s.io", "VolumeSnapshotClass"),
        ("snapshot.storage.k8s.io", "VolumeSnapshotContent"),
        ("groupsnapshot.storage.k8s.io", "VolumeGroupSnapshotClass"),
        ("groupsnapshot.storage.k8s.io", "VolumeGroupSnapshotContent"),
        ("replication.storage.openshift.io", "VolumeGroupReplicationClass"),
        ("replication.storage.openshift.io", "VolumeGroupReplicationContent"),
        ("replication.storage.openshift.io", "VolumeReplicationClass"),
        ("csiaddons.openshift.io", "NetworkFence"),
        ("csiaddons.openshift.io", "NetworkFenceClass"),
    }
)
"""Cluster-scoped kinds (group, kind). Of other groups, what has no namespace is taken for one."""

REFUSED = {
    ("admissionregistration.k8s.io", "*"): "it decides what everybody may write in this cluster",
    ("apiextensions.k8s.io", "CustomResourceDefinition"): "it changes a kind for everybody",
    ("apiregistration.k8s.io", "APIService"): "it changes an API for everybody",
    ("rbac.authorization.k8s.io", "ClusterRole"): "it gives rights in everybody's namespaces",
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): "it gives rights in everybody's namespaces",
    ("siteshift.io", "*"): "it is Siteshift's own",
}
"""(group, kind; * for all) → why an application may not have it. The platform may."""


def wall_errors(unit: Rendered, contents: Contents) -> Iterator[FleetError]:
    """Everything that an application may not contain; the platform may."""
    if unit.application is not None:
        for found in unit.objects:
            yield from _of_each(found, unit.application.name, contents)


def allows(contents: Contents, group: str, kind: str) -> bool:
    """Whether applications may have a cluster-scoped kind."""
    return (f"{kind}.{group}" if group else kind) in contents.cluster_kinds


def _of_each(found: Found, application: str, contents: Contents) -> Iterator[FleetError]:
    manifest = found.manifest
    metadata, kind = mapping(manifest.get("metadata")), str(manifest.get("kind"))
    name, namespace = metadata.get("name"), metadata.get("namespace")
    group = group_of(str(manifest.get("apiVersion")))
    for field, value, pattern in (
        ("name", name, RBAC_NAME if group == RBAC else NAME),
        ("namespace", namespace, LABEL),
    ):
        if value is not None and (not isinstance(value, str) or not pattern.fullmatch(value) or ".." in value):
            message = f"metadata.{field} of a {kind} is {value!r}, which is no name in Kubernetes"
            yield found.wrong(message, "metadata", field, hint="lower-case letters, digits and dashes")
    space = str(name if (group, kind) == ("", "Namespace") else namespace)
    if space == SYSTEM_NAMESPACE:
        message = f"{kind} {name} lies in {SYSTEM_NAMESPACE}, which is Siteshift's own"
        yield found.wrong(message, "metadata", hint="put it into a namespace of its own")
    elif OF_THE_CLUSTER.fullmatch(space) and application not in contents.given(space):
        message = f"{kind} {name} lies in {space}, which is the cluster's own"
        yield found.wrong(message, "metadata", hint="put it into a platform folder")
    why = REFUSED.get((group, kind)) or REFUSED.get((group, "*"))
    if why:
        message = f"an application may not contain a {kind}: {why}"
        yield found.wrong(message, "kind", hint="put it into a platform folder")
    elif _is_cluster_scoped(group, kind, namespace) and not allows(contents, group, kind):
        message = f"an application may not contain the cluster-scoped {kind} {name}"
        if (group, kind) not in CLUSTER_SCOPED:
            message = f"{kind} {name} names no namespace, and no cluster-scoped {kind} is allowed"
        whole = f"{kind}.{group}" if group else kind
        hint = f"put it into a platform folder, or list {whole} in spec.contents.clusterKinds of siteshift.yaml"
        yield found.wrong(message, "kind", hint=hint)


def _is_cluster_scoped(group: str, kind: str, namespace: object) -> bool:
    return (group, kind) in CLUSTER_SCOPED or (namespace is None and group not in BUILT_IN)
