"""What an application may not contain: names that lead elsewhere, Siteshift's own, what decides for everybody."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.cluster.discovery import Resource
from reconciler.errors import Invalid
from reconciler.fleet.contents import unit_errors
from reconciler.fleet.model import Application, Placement
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
    "a pod": manifest("Pod"),
    "a controller of pods": manifest("ReplicationController"),
    "a pool": manifest("VirtualMachinePool", api_version="pool.kubevirt.io/v1alpha1"),
    "a set of instances": manifest("VirtualMachineInstanceReplicaSet", api_version="kubevirt.io/v1"),
}


@pytest.mark.parametrize("found", REFUSED.values(), ids=REFUSED.keys())
def test_an_application_may_not_contain_it(found: dict[str, Any]) -> None:
    (error, *_) = unit_errors(Rendered(LEDGER, "active", [Found(found, "apps/ledger/base/x.yaml")]))
    assert error.path == "apps/ledger/base/x.yaml"


@pytest.mark.parametrize(
    "found",
    [
        manifest("ConfigMap", "settings-7h2k"),
        manifest("Namespace", "ledger", None),
        manifest("Role", "system:reader", api_version=RBAC),
        manifest("Deployment", api_version="apps/v1"),
    ],
    ids=["a ConfigMap", "its namespace", "a role with a colon", "a Deployment"],
)
def test_what_is_its_own_is_let_in(found: dict[str, Any]) -> None:
    assert unit_errors(Rendered(LEDGER, "active", [Found(found, "x.yaml")])) == []


def test_the_platform_may_contain_what_applications_may_not() -> None:
    objects = [Found(each, "x.yaml") for each in REFUSED.values()]
    assert unit_errors(Rendered(None, "active", objects)) == []


def test_a_name_stays_one_segment_of_its_path() -> None:
    """The last wall: whatever passes the others cannot lead to another object."""
    maps = Resource("v1", "ConfigMap", "configmaps", True)
    assert (
        maps.path("a", "../../victim/secrets/top") == "/api/v1/namespaces/a/configmaps/..%2F..%2Fvictim%2Fsecrets%2Ftop"
    )
    assert maps.path("a/../b", "x") == "/api/v1/namespaces/a%2F..%2Fb/configmaps/x"
    with pytest.raises(Invalid):
        maps.path("a", "..")
