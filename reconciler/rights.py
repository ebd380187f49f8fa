"""Which rights Siteshift needs in a cluster, and why: one table, from which the roles in `deploy/` are made.

Three roles. `siteshift` is for the objects in the system namespace, `siteshift-cluster` for what the protocol, the gate
and the guard must see and do everywhere, and `siteshift-fleet` for the objects that the fleet's own manifests contain.
The last one is added up from every ClusterRole with the label `siteshift.io/aggregate-to-fleet`, so that whoever puts
another kind into a fleet grants it there. Secrets are not in it: grant them where a fleet has any.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from reconciler.objects import SYSTEM_NAMESPACE, Manifest

API_VERSION = "rbac.authorization.k8s.io/v1"

READ = ("get", "list", "watch")
WRITE = ("create", "update", "patch", "delete")

AGGREGATE = "siteshift.io/aggregate-to-fleet"
"""The label of ClusterRoles whose rules the role for the fleet's objects has."""


@dataclass(frozen=True, slots=True)
class Right:
    """Verbs on resources of one API group, and why. `names`: only objects of these names."""

    group: str
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    why: str
    names: tuple[str, ...] = ()

    def rule(self) -> dict[str, Any]:
        """The same as a rule of a role."""
        rule: dict[str, Any] = {
            "apiGroups": [self.group],
            "resources": list(self.resources),
            "verbs": list(self.verbs),
        }
        return rule | ({"resourceNames": list(self.names)} if self.names else {})


SYSTEM: tuple[Right, ...] = (
    Right(
        "",
        ("configmaps",),
        ("get", "list", "create", "update", "patch"),
        "records of applications with journal and permit, inventories, the site's and the guard's own words",
    ),
    Right("coordination.k8s.io", ("leases",), ("get", "create", "update"), "one controller a site"),
    Right("siteshift.io", ("sites", "siteapplications"), ("get", "create", "patch"), "what the site reports"),
    Right("siteshift.io", ("sites/status", "siteapplications/status"), ("patch",), "what the site reports"),
)
"""In the system namespace."""

_STARTED = ("get", "list", "watch", "create", "patch")

EVERYWHERE: tuple[Right, ...] = (
    Right("", ("namespaces",), ("get", "list", "watch", "create", "patch"), "the cluster's UID, the system namespace"),
    Right("", ("pods",), ("list", "create"), "what runs, for proofs; a dry run tells whether the gate is closed"),
    Right("", ("persistentvolumeclaims", "persistentvolumes"), READ, "whether an application's claims are bound here"),
    Right("", ("endpoints",), ("get",), "the addresses of all API servers", ("kubernetes",)),
    Right("storage.k8s.io", ("storageclasses",), ("get",), "whether storage fits"),
    Right("storage.k8s.io", ("volumeattachments",), ("list",), "what is attached, for proofs"),
    Right(
        "apps", ("deployments", "statefulsets", "replicasets"), _STARTED, "start, stop, and proof that it has stopped"
    ),
    Right("batch", ("jobs", "cronjobs"), _STARTED, "start, stop, and proof that it has stopped"),
    Right("kubevirt.io", ("virtualmachines",), _STARTED, "start, stop, and proof that it has stopped"),
    Right("kubevirt.io", ("virtualmachineinstances",), ("list", "watch", "create"), "what runs; the gate's dry run"),
    Right(
        "replication.storage.openshift.io",
        ("volumereplications", "volumegroupreplications"),
        _STARTED,
        "the role of an application's storage",
    ),
    Right(
        "admissionregistration.k8s.io",
        ("validatingadmissionpolicies", "validatingadmissionpolicybindings"),
        ("list", "create", "update"),
        "the gate: compared in every pass, and put right",
    ),
    Right(
        "apiextensions.k8s.io",
        ("customresourcedefinitions",),
        ("create", "patch"),
        "the kinds of the site's reports",
    ),
)
"""In all namespaces."""

FLEET: tuple[Right, ...] = (
    Right("", ("namespaces", "configmaps", "services", "serviceaccounts"), (*READ, *WRITE), "plain applications"),
    Right("", ("persistentvolumeclaims", "persistentvolumes"), (*READ, *WRITE), "volumes, static ones too"),
    Right("apps", ("deployments", "statefulsets", "daemonsets", "replicasets"), (*READ, *WRITE), "workloads"),
    Right("batch", ("jobs", "cronjobs"), (*READ, *WRITE), "workloads"),
    Right("autoscaling", ("horizontalpodautoscalers",), (*READ, *WRITE), "scaling"),
    Right("policy", ("poddisruptionbudgets",), (*READ, *WRITE), "availability"),
    Right("networking.k8s.io", ("ingresses", "networkpolicies"), (*READ, *WRITE), "traffic"),
    Right("storage.k8s.io", ("storageclasses",), (*READ, *WRITE), "storage of a platform"),
    Right("kubevirt.io", ("virtualmachines",), (*READ, *WRITE), "virtual machines"),
    Right("cdi.kubevirt.io", ("datavolumes",), (*READ, *WRITE), "disks of virtual machines"),
    Right(
        "replication.storage.openshift.io",
        (
            "volumereplications",
            "volumegroupreplications",
            "volumereplicationclasses",
            "volumegroupreplicationclasses",
        ),
        (*READ, *WRITE),
        "replication",
    ),
)
"""What a fleet's manifests contain most often."""


def roles() -> Iterator[Manifest]:
    """The roles, in the order in which `deploy/roles.yaml` has them."""
    yield _role("Role", "siteshift", SYSTEM) | {
        "metadata": {"name": "siteshift", "namespace": SYSTEM_NAMESPACE},
    }
    yield _role("ClusterRole", "siteshift-cluster", EVERYWHERE)
    yield _role("ClusterRole", "siteshift-fleet-common", FLEET) | {
        "metadata": {"name": "siteshift-fleet-common", "labels": {AGGREGATE: "true"}},
    }
    yield {
        "apiVersion": API_VERSION,
        "kind": "ClusterRole",
        "metadata": {"name": "siteshift-fleet"},
        "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {AGGREGATE: "true"}}]},
    }


def _role(kind: str, name: str, rights: tuple[Right, ...]) -> Manifest:
    return {
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": {"name": name},
        "rules": [right.rule() for right in rights],
    }
