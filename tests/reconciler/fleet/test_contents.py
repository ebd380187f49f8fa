"""What the rendered objects of one site may share, and which of them can be held back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.fleet.contents import check_contents
from reconciler.fleet.model import Application, Contents, Fleet, Lease, Placement, Replication
from reconciler.fleet.rendered import Found, Rendered

SHARED = Contents(namespaces={"ledger": ("n",), "payments": ("n",)})
FLEET = Fleet(
    "bank", "symmetric", (), (), (), poll=1.0, freshness=2.0, permit=4.0, request_timeout=1.0, contents=SHARED
)


def application(name: str, **changes: Any) -> Application:
    placed = Placement("a", 1, "planned", f"apps/{name}/placement.yaml")
    return replace(
        Application(name, f"apps/{name}", ("a", "b"), "a", placed, replication=Replication("csi-addons", (), 60.0)),
        **changes,
    )


def manifest(kind: str, name: str = "x", version: str = "v1", **spec: Any) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": "n"}, "spec": spec}


def unit(name: str | None, *objects: dict[str, Any], role: str = "active", **changes: Any) -> Rendered:
    owner = None if name is None else application(name, **changes)
    return Rendered(owner, role, [Found(found, f"{name}/{index}.yaml") for index, found in enumerate(objects)])  # type: ignore[arg-type]


def vm(grace: int | None = None, **spec: Any) -> dict[str, Any]:
    inside = {} if grace is None else {"terminationGracePeriodSeconds": grace}
    return manifest("VirtualMachine", version="kubevirt.io/v1", template={"spec": inside}, **spec)


CLAIM, FREE_CLAIM = manifest("PersistentVolumeClaim", volumeName="pv"), manifest("PersistentVolumeClaim")
VOLUME = manifest("PersistentVolume", "pv", csi={"driver": "d", "volumeHandle": "h"})
LEASED: dict[str, Any] = {"lease": Lease(5.0, 20.0)}

WRONG = {
    "one object twice in an application": (
        [unit("ledger", manifest("Service"), manifest("Service"))],
        "ledger/1.yaml: error: Service n/x is twice at site b: ledger/0.yaml",
    ),
    "one object in two applications": (
        [unit("ledger", manifest("Service")), unit("payments", manifest("Service"))],
        "payments/0.yaml: error: Service n/x is also in application ledger at site b: ledger/0.yaml",
    ),
    "one object in the platform and an application": (
        [unit(None, manifest("Service")), unit("payments", manifest("Service"))],
        "Service n/x is also in the platform",
    ),
    "one volume handle in two applications": (
        [
            unit("ledger", VOLUME),
            unit("payments", manifest("PersistentVolume", "other", csi={"driver": "d", "volumeHandle": "h"})),
        ],
        "PersistentVolume n/other uses volume handle d h at site b, as does PersistentVolume n/pv of application",
    ),
    "one volume for two claims": (
        [unit("ledger", VOLUME, CLAIM), unit("payments", manifest("PersistentVolumeClaim", "y", volumeName="pv"))],
        "PersistentVolumeClaim n/y uses PersistentVolume pv at site b",
    ),
    "a claim of nothing at a passive site": ([unit("ledger", FREE_CLAIM, role="passive")], "has no spec.volumeName"),
    "a data volume at a passive site": (
        [unit("ledger", manifest("DataVolume", version="cdi.kubevirt.io/v1beta1"), role="passive")],
        "makes a volume by itself at a passive site",
    ),
    "a data volume template at a passive site": (
        [unit("ledger", vm(dataVolumeTemplates=[{}]), role="passive")],
        "makes a volume by itself at a passive site",
    ),
    "a bare pod": ([unit("ledger", manifest("Pod"))], "Pod n/x cannot move"),
    "a daemon set": ([unit("ledger", manifest("DaemonSet", version="apps/v1"))], "DaemonSet n/x cannot move"),
    "a stop longer than the lease allows": (
        [unit("ledger", vm(30), **LEASED)],
        "apps/ledger/application.yaml: error: spec.lease.fenceAfter is 20s, expected at least",
    ),
    "a stop that nobody bounded": ([unit("ledger", vm(), **LEASED)], "VirtualMachine n/x may take 31s to stop"),
}


@pytest.mark.parametrize(("units", "said"), WRONG.values(), ids=WRONG.keys())
def test_what_may_not_be(units: list[Rendered], said: str) -> None:
    (error,) = check_contents(FLEET, "b", units)
    assert said in str(error)


RIGHT = {
    "a volume, its claim and a machine": [unit("ledger", VOLUME, CLAIM, vm(30), role="passive")],
    "equal names of other kinds": [unit("ledger", manifest("Service"), manifest("Secret", version="example.com/v1"))],
    "a claim of nothing where it is active": [unit("ledger", FREE_CLAIM)],
    "a claim of nothing without replication": [unit("ledger", FREE_CLAIM, role="passive", replication=Replication())],
    "a daemon set of the platform": [unit(None, manifest("DaemonSet", version="apps/v1"))],
    "a daemon set that never moves": [unit("ledger", manifest("DaemonSet", version="apps/v1"), sites=("b",))],
    "a quick stop under a lease": [unit("ledger", vm(1), manifest("Service"), **LEASED)],
    "nothing": [unit("ledger", **LEASED)],
}


@pytest.mark.parametrize("units", RIGHT.values(), ids=RIGHT.keys())
def test_what_may_be(units: list[Rendered]) -> None:
    assert check_contents(FLEET, "b", units) == []


@pytest.mark.parametrize(
    "spec", ["text", [1], {"csi": 5}, {"csi": {"volumeHandle": [1]}}, {"volumeName": ["x"]}], ids=repr
)
@pytest.mark.parametrize("kind", ["PersistentVolume", "PersistentVolumeClaim", "Service"])
def test_fields_of_another_shape_are_left_to_the_api_server(kind: str, spec: Any) -> None:
    odd = {"apiVersion": "v1", "kind": kind, "metadata": {"name": "x", "namespace": "n"}, "spec": spec}
    check_contents(FLEET, "b", [unit("ledger", odd, role="passive")])
