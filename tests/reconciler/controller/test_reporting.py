"""What a pass found reaches the log under the right names, and a status that was deleted comes back."""

from __future__ import annotations

import io
from typing import Any

import pytest

from reconciler.controller.desired import Revision
from reconciler.controller.passes import PassReport, UnitState
from reconciler.controller.reporting import Reporter
from reconciler.errors import NotFound
from reconciler.fleet.model import Fleet
from reconciler.objects import Ref
from reconciler.status.log import Log
from render.tree import MemoryTree


class Statuses:
    """An API server that holds nothing but the status objects, and refuses a status without one."""

    def __init__(self) -> None:
        self.objects: dict[str, Any] = {}

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
    revision = Revision("c", MemoryTree({}), Fleet("bank", "symmetric", (), (), ()))
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
