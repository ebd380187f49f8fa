"""What an application may not contain: names that lead elsewhere, Siteshift's own, what decides for everybody."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.cluster.discovery import Resource
from reconciler.errors import Invalid
from reconciler.fleet.contents import unit_errors
from reconciler.fleet.model import Application, Contents, Placement
from reconciler.fleet.rendered import Found, Rendered

LEDGER = Application("ledger", "apps/ledger", ("a", "b"), "a", Placement("a", 1, "planned", "p"))


def manifest(kind: str, name: Any = "x", namespace: Any = "ledger", api_version: str = "v1") -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": namespace}}


ADMISSION, RBAC = "admissionregistration.k8s.io/v1", "rbac.authorization.k8s.io/v1"
REFUSED = {
    "a path in a name": manifest("Deployment", "../../victim/deployments/db", api_version="apps/v1"),
    "dots in a name": manifest("ConfigMap", "a..b"),
    "a slash in a namespace": manifest("ConfigMap", namespace="x/../victim"),
    "a number for a name": manifest("ConfigMap", 7),
    "an escape in a name": manifest("ConfigMap", "a\x1b[2J"),
    "Siteshift's namespace": manifest("ConfigMap", namespace="siteshift-system"),
    "Siteshift's namespace itself": manifest("Namespace", "siteshift-system", None),
    "a policy": manifest("ValidatingAdmissionPolicy", namespace=None, api_version=ADMISSION),
    "a webhook": manifest("MutatingWebhookConfiguration", namespace=None, api_version=ADMISSION),
    "a definition": manifest("CustomResourceDefinition", namespace=None, api_version="apiextensions.k8s.io/v1"),
    "rights for all": manifest("ClusterRoleBinding", namespace=None, api_version=RBAC),
    "a site's status": manifest("SiteApplication", api_version="siteshift.io/v1alpha1"),
    "capitals in a name": manifest("ConfigMap", "Settings"),
    "a colon in a name": manifest("Deployment", "system:x", api_version="apps/v1"),
    "the cluster's namespace": manifest("ConfigMap", namespace="kube-system"),
    "OpenShift's namespace": manifest("ConfigMap", namespace="openshift-monitoring"),
    "the cluster's namespace itself": manifest("Namespace", "kube-public", None),
    "a class": manifest("StorageClass", namespace=None, api_version="storage.k8s.io/v1"),
    "a class with a namespace": manifest("PriorityClass", namespace="ledger", api_version="scheduling.k8s.io/v1"),
    "a node": manifest("Node", namespace=None),
    "a kind that may be for the whole cluster": manifest("Thing", namespace=None, api_version="demo.io/v1"),
    "a pod": manifest("Pod"),
    "a controller of pods": manifest("ReplicationController"),
    "a pool": manifest("VirtualMachinePool", api_version="pool.kubevirt.io/v1alpha1"),
    "a set of instances": manifest("VirtualMachineInstanceReplicaSet", api_version="kubevirt.io/v1"),
}


@pytest.mark.parametrize("found", REFUSED.values(), ids=REFUSED.keys())
def test_an_application_may_not_contain_it(found: dict[str, Any]) -> None:
    (error, *_) = unit_errors(Rendered(LEDGER, "active", [Found(found, "apps/ledger/base/x.yaml")]), Contents())
    assert error.path == "apps/ledger/base/x.yaml"


@pytest.mark.parametrize(
    "found",
    [
        manifest("ConfigMap", "settings-7h2k"),
        manifest("Namespace", "ledger", None),
        manifest("PersistentVolume", "pv-1", None),
        manifest("ConfigMap", "settings", None),
        manifest("Role", "system:reader", api_version=RBAC),
        manifest("Deployment", api_version="apps/v1"),
    ],
    ids=["a ConfigMap", "its namespace", "a volume", "one in default", "a role with a colon", "a Deployment"],
)
def test_what_is_its_own_is_let_in(found: dict[str, Any]) -> None:
    assert unit_errors(Rendered(LEDGER, "active", [Found(found, "x.yaml")]), Contents()) == []


def test_the_fleet_says_which_cluster_scoped_kinds_and_namespaces_applications_have() -> None:
    contents = Contents(("PriorityClass.scheduling.k8s.io", "Thing.demo.io"), {"ledger": ("openshift-ledger",)})
    allowed = [
        manifest("PriorityClass", namespace=None, api_version="scheduling.k8s.io/v1"),
        manifest("Thing", namespace=None, api_version="demo.io/v1"),
        manifest("ConfigMap", namespace="openshift-ledger"),
    ]
    unit = Rendered(LEDGER, "active", [Found(each, "x.yaml") for each in [*allowed, manifest("Namespace", "x", None)]])
    (error,) = unit_errors(unit, contents)
    assert error.message == "an application may not contain the cluster-scoped Namespace x"
    assert error.hint == (
        "put it into a platform folder, or list Namespace in spec.contents.clusterKinds of siteshift.yaml"
    )


def test_the_platform_may_contain_what_applications_may_not() -> None:
    objects = [Found(each, "x.yaml") for each in REFUSED.values()]
    assert unit_errors(Rendered(None, "active", objects), Contents()) == []


def test_a_name_stays_one_segment_of_its_path() -> None:
    """The last wall: whatever passes the others cannot lead to another object."""
    maps = Resource("v1", "ConfigMap", "configmaps", True)
    assert (
        maps.path("a", "../../victim/secrets/top") == "/api/v1/namespaces/a/configmaps/..%2F..%2Fvictim%2Fsecrets%2Ftop"
    )
    assert maps.path("a/../b", "x") == "/api/v1/namespaces/a%2F..%2Fb/configmaps/x"
    with pytest.raises(Invalid):
        maps.path("a", "..")
