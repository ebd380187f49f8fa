"""What a pass found reaches the log under the right names, and a status that was deleted comes back."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest

from reconciler.controller.applying import ObjectState
from reconciler.controller.desired import Revision
from reconciler.controller.passes import PassReport, UnitState
from reconciler.controller.reporting import Reporter
from reconciler.errors import NotFound
from reconciler.failover.execute.memory import Outcome
from reconciler.failover.protocol.decisions import State
from reconciler.failover.protocol.values import Journal, Step
from reconciler.fleet.model import Fleet
from reconciler.objects import Ref
from reconciler.status.log import Log
from render.kustomization import Origin
from render.site import SiteManifest
from render.tree import MemoryTree

FLEET = Fleet("bank", "symmetric", (), (), ())


class Statuses:
    """An API server that holds nothing but the status objects, and refuses a status without one."""

    def __init__(self) -> None:
        self.objects: dict[str, Any] = {}

    def server_time(self) -> float:
        return 1_000_000.0

    def apply(self, manifest: dict[str, Any], **_: object) -> None:
        self.objects.setdefault(manifest["kind"], {})

    def apply_status(self, manifest: dict[str, Any], **_: object) -> None:
        if manifest["kind"] not in self.objects:
            raise NotFound("it is gone")
        self.objects[manifest["kind"]] = manifest["status"]


@pytest.fixture
def cluster() -> Statuses:
    return Statuses()


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def reporter(cluster: Statuses, out: io.StringIO) -> Reporter:
    # The double answers the two calls that a reporter makes of a whole cluster connection.
    return Reporter("a", cluster, Log("a", "text", out))  # type: ignore[arg-type]


def report(done: int, *units: UnitState, started: tuple[Ref, ...] = ()) -> PassReport:
    revision = Revision("c", MemoryTree({}), FLEET)
    return PassReport(revision, "steady", UnitState("platform", total=3, done=done), units, started=started)


def test_a_status_that_somebody_deleted_is_made_again(reporter: Reporter, cluster: Statuses) -> None:
    reporter.report(report(1))
    del cluster.objects["Site"]
    reporter.report(report(2))
    reporter.report(report(2))
    assert cluster.objects["Site"]["ready"] == "2/3"


def test_a_start_is_said_under_its_applications_name(reporter: Reporter, out: io.StringIO) -> None:
    web = Ref("apps", "Deployment", "shop", "web")
    reporter.report(report(3, UnitState("storefront", desired=frozenset({web})), started=(web,)))
    assert "started-workload application=storefront: Deployment shop/web" in out.getvalue()


def outcome() -> Outcome:
    return Outcome("active", False, False, State.ACTIVE, 1, (), (), False, None, Journal(step=Step.ACTIVE))


def test_a_commit_that_changes_another_application_writes_no_status_of_this_one(
    reporter: Reporter, cluster: Statuses
) -> None:
    first = (SiteManifest({"kind": "ConfigMap"}, "50", "web", Origin("x.yaml", 0), 0),)
    unit = UnitState("storefront", outcome=outcome(), rendered=first)
    reporter.report(report(3, unit))
    cluster.objects["SiteApplication"] = "as it was"
    reporter.report(replace(report(3, unit), revision=Revision("d", MemoryTree({}), FLEET)))
    assert cluster.objects["SiteApplication"] == "as it was"
    changed = replace(unit, rendered=(first[0]._replace(run_level="60"),))
    reporter.report(replace(report(3, changed), revision=Revision("e", MemoryTree({}), FLEET)))
    assert cluster.objects["SiteApplication"]["revision"] == "e"


def test_what_does_not_get_well_by_waiting_is_a_problem_of_its_object(reporter: Reporter, cluster: Statuses) -> None:
    item = SiteManifest({"kind": "ConfigMap"}, "50", "web", Origin("x.yaml", 0), 0)
    ref = Ref("", "ConfigMap", "shop", "settings")
    states = (
        ObjectState(item, ref, None, None, error="field is immutable"),
        ObjectState(item, ref, {}, None, contested="fighter has changed data.a back 3 times"),
        ObjectState(item, ref, {}, None),
    )
    reporter.report(report(3, UnitState("storefront", states, outcome=outcome(), error="not now")))
    assert [each["message"] for each in cluster.objects["SiteApplication"]["problems"]] == [
        "not now",
        "field is immutable",
        "fighter has changed data.a back 3 times",
    ]
