"""Which resources are served: the table of built-in kinds, and what a kind is to the rest of the server."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any

import schemas
from sandbox.apiserver.schema import OPAQUE, Compiler, Node

VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, slots=True)
class ScalePaths:
    """Where a workload holds what its Scale shows; each a path such as `.spec.replicas`, "" for no selector."""

    spec: str = ".spec.replicas"
    status: str = ".status.replicas"
    selector: str = ""


BUILTIN_SCALE = ScalePaths(selector=".spec.selector")


@dataclass(frozen=True, slots=True)
class Kind:
    """A served resource. `storage` names its bucket in the store (`deployments.apps`), whatever the version."""

    group: str
    version: str
    kind: str
    plural: str
    singular: str
    namespaced: bool
    schema: Node
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    has_status: bool = False
    generation: bool = False
    custom: bool = False
    columns: tuple[dict[str, Any], ...] = ()
    selectable: tuple[dict[str, Any], ...] = ()
    raw_schema: dict[str, Any] = field(default_factory=dict, compare=False)
    storage_version: str = ""
    scale: ScalePaths | None = None

    @property
    def api_version(self) -> str:
        """`apps/v1`, `v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def storage(self) -> str:
        """The store's bucket."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


# A row: apiVersion, kind, plural, short names, categories, flags.
# Flags: n namespaced, s has a status subresource, g has metadata.generation, c has a scale subresource.
BUILTIN: tuple[tuple[str, str, str, str, str, str], ...] = (
    ("v1", "Namespace", "namespaces", "ns", "", "s"),
    ("v1", "ConfigMap", "configmaps", "cm", "", "n"),
    ("v1", "Secret", "secrets", "", "", "n"),
    ("v1", "Service", "services", "svc", "all", "ns"),
    ("v1", "ServiceAccount", "serviceaccounts", "sa", "", "n"),
    ("v1", "Pod", "pods", "po", "all", "nsg"),
    ("v1", "PersistentVolumeClaim", "persistentvolumeclaims", "pvc", "", "ns"),
    ("v1", "PersistentVolume", "persistentvolumes", "pv", "", "s"),
    ("v1", "Event", "events", "ev", "", "n"),
    ("v1", "Node", "nodes", "no", "", "s"),
    ("v1", "Endpoints", "endpoints", "ep", "", "n"),
    ("v1", "LimitRange", "limitranges", "limits", "", "n"),
    ("v1", "ResourceQuota", "resourcequotas", "quota", "", "ns"),
    ("apps/v1", "Deployment", "deployments", "deploy", "all", "nsgc"),
    ("apps/v1", "StatefulSet", "statefulsets", "sts", "all", "nsgc"),
    ("apps/v1", "ReplicaSet", "replicasets", "rs", "all", "nsgc"),
    ("apps/v1", "DaemonSet", "daemonsets", "ds", "all", "nsg"),
    ("apps/v1", "ControllerRevision", "controllerrevisions", "", "", "n"),
    ("batch/v1", "Job", "jobs", "", "all", "nsg"),
    ("batch/v1", "CronJob", "cronjobs", "cj", "all", "nsg"),
    ("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", "hpa", "all", "ns"),
    ("rbac.authorization.k8s.io/v1", "Role", "roles", "", "", "n"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings", "", "", "n"),
    ("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", "", "", ""),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "clusterrolebindings", "", "", ""),
    ("coordination.k8s.io/v1", "Lease", "leases", "", "", "n"),
    ("storage.k8s.io/v1", "StorageClass", "storageclasses", "sc", "", ""),
    ("storage.k8s.io/v1", "VolumeAttachment", "volumeattachments", "", "", "s"),
    ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy", "validatingadmissionpolicies", "",
     "api-extensions", "sg"),
    ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings", "",
     "api-extensions", "g"),
    ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", "",
     "api-extensions", "g"),
    ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations", "",
     "api-extensions", "g"),
    ("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets", "pdb", "", "nsg"),
    ("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", "netpol", "", "ng"),
    ("networking.k8s.io/v1", "Ingress", "ingresses", "ing", "", "nsg"),
    ("networking.k8s.io/v1", "IngressClass", "ingressclasses", "", "", "g"),
    ("scheduling.k8s.io/v1", "PriorityClass", "priorityclasses", "pc", "", "g"),
    ("discovery.k8s.io/v1", "EndpointSlice", "endpointslices", "", "", "ng"),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", "crd crds",
     "api-extensions", "sg"),
)  # fmt: skip


@cache
def kubernetes_schemas() -> dict[str, Any]:
    """The schemas of the built-in kinds (Kubernetes', Apache License 2.0; see `schemas_from_kubernetes`)."""
    return schemas.kubernetes()


@cache
def builtin_compiler() -> Compiler:
    """Compiles built-in schemas; an object without fields is raw JSON there."""
    return Compiler(kubernetes_schemas()["definitions"], bare_object=OPAQUE)


@cache
def builtin_kinds() -> tuple[Kind, ...]:
    """Every built-in kind of the table."""
    return tuple(_builtin(*row) for row in BUILTIN)


def _builtin(api_version: str, kind: str, plural: str, short_names: str, categories: str, flags: str) -> Kind:
    group, _, version = api_version.rpartition("/")
    name = kubernetes_schemas()["kinds"][f"{api_version} {kind}"]
    return Kind(
        group,
        version,
        kind,
        plural,
        kind.lower(),
        "n" in flags,
        builtin_compiler().named(name),
        tuple(short_names.split()),
        tuple(categories.split()),
        has_status="s" in flags,
        generation="g" in flags,
        storage_version=version,
        scale=BUILTIN_SCALE if "c" in flags else None,
    )


@cache
def scale_kind() -> Kind:
    """The kind of the subresource `scale`, which is served below others alone."""
    return _builtin("autoscaling/v1", "Scale", "scales", "", "", "n")


def metadata_schema() -> Node:
    """ObjectMeta, which custom resources share with the built-in kinds."""
    return builtin_compiler().named("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta")
