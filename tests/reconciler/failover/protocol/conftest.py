"""What a site knows, in its plainest form: each test says only what differs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from reconciler.failover.protocol.values import (
    Ack,
    AckState,
    Demotion,
    Gate,
    History,
    Journal,
    Knowledge,
    Limits,
    Listing,
    Observation,
    Permit,
    Placed,
    Sign,
    StartObject,
    Step,
)
from reconciler.fleet.model import Application, Group, Lease, Placement, Replication
from reconciler.objects import Ref
from reconciler.replica import Replica, ReplicaRole, Sync

NOW, SERVER = 1000.0, 5_000_000.0
LIMITS = Limits(1, 2, 4, 1, 0.5, 6, 60, 10, 30)
DB = Ref("kubevirt.io", "VirtualMachine", "bank", "db")
SVC = Ref("kubevirt.io", "VirtualMachine", "bank", "svc")
SECONDARY = Replica(ReplicaRole.SECONDARY, Sync.IN_SYNC, ReplicaRole.SECONDARY, peers=("b",))
PRIMARY = Replica(ReplicaRole.PRIMARY, Sync.IN_SYNC, ReplicaRole.PRIMARY, exposure=1.0, peers=("b",))
STOPPED = (StartObject(DB, "10", stopped=True), StartObject(SVC, "50", stopped=True))
RUNNING = tuple(StartObject(ref, level, False, True, True) for ref, level in ((DB, "10"), (SVC, "50")))


class Telling:
    """Builds knowledge of site a, and the values in it."""

    def placement(self, active: str, epoch: int, move: Any = "planned", **more: Any) -> Placement:
        return Placement(active, epoch, move, "apps/ledger/placement.yaml", **more)

    def ack(self, site: str, state: AckState, epoch: int, **more: Any) -> Ack:
        settled = more.pop("settled", state)
        return Ack("ledger", site, epoch, f"commit-{epoch}", f"uid-{site}", state, settled, **more)

    def history(self, *placements: Placement, base: Placement | None = None, **more: Any) -> History:
        placed = tuple(Placed(f"commit-{each.epoch}", each) for each in placements)
        return History("head", placed, base, **more)

    def journal(self, step: Step, epoch: int = 1, **more: Any) -> Journal:
        role = "active" if step in (Step.STARTING, Step.ACTIVE, Step.STOPPING, Step.DEMOTING) else "passive"
        primary = more.pop("primary", epoch if role == "active" else 0)
        return Journal(5, epoch, f"commit-{epoch}", step, more.pop("role", role), primary, **more)

    def listing(self, *acks: Ack, proven: bool = True, age: float = 0.5, **more: Any) -> Listing:
        signs = more.pop("signs", {each: Sign(3, {}, NOW - 1, NOW - 1, True) for each in ("a", "b")})
        return Listing("head", NOW - age, proven, {each.site: each for each in acks}, signs, **more)

    def knows(self, journal: Journal, newest: Placement, *acks: Ack, **more: Any) -> Knowledge:
        """Site a in this step, under this newest placement, with a quiet cluster and a shut gate by default."""
        before = replace(newest, epoch=journal.epoch) if newest.epoch == journal.epoch else None
        lease = more.pop("lease", None)
        application = Application(
            "ledger",
            "apps/ledger",
            ("a", "b"),
            "a",
            newest,
            replication=Replication("csi-addons", (Group("VolumeReplication", "ledger", "bank"),), 30.0),
            lease=lease,
            suspended=more.pop("suspended", False),
        )
        quiet = Observation(NOW, STOPPED)
        facts: dict[str, Any] = {
            "site": "a",
            "cluster": "uid-a",
            "application": application,
            "limits": LIMITS,
            "now": NOW,
            "server_time": SERVER,
            "history": self.history(newest, base=before),
            "listing": self.listing(*acks),
            "journal": journal,
            "permit": Permit(SERVER - 60, SERVER - 60, withdrawn=SERVER - 20),
            "gate": Gate(True, {"https://a": True}, NOW - 20),
            "observation": quiet,
            "replica": SECONDARY,
            "before": replace(quiet, at=NOW - 1),
            "replica_before": SECONDARY,
            "step_since": NOW - 1,
        }
        if journal.step in (Step.STARTING, Step.ACTIVE):
            facts |= {
                "permit": Permit(SERVER - 1, SERVER + 3),
                "gate": Gate(True),
                "observation": Observation(NOW, RUNNING, instances=(DB, SVC)),
                "replica": PRIMARY,
                "replica_before": PRIMARY,
            }
        facts |= more
        if "replica" in more and "replica_before" not in more:
            facts["replica_before"] = more["replica"]
        return Knowledge(**facts)


@pytest.fixture
def telling() -> Telling:
    return Telling()


@pytest.fixture
def lease() -> Lease:
    return Lease(5, 12)


@pytest.fixture
def demoted() -> Callable[..., Demotion]:
    return lambda primary, epoch, *complete: Demotion(primary, epoch, complete)
