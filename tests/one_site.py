"""What site a knows, in its plainest form: each test says only what differs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reconciler.failover.protocol.decisions import Decision
from reconciler.failover.protocol.knowledge import Knowledge, Limits
from reconciler.failover.protocol.values import (
    GIVEN_UP,
    SETTLING,
    Ack,
    AckState,
    Demotion,
    Gate,
    Heartbeat,
    History,
    Journal,
    LeaseFacts,
    Listing,
    Observation,
    Permit,
    Placed,
    Promotion,
    Reading,
    Running,
    SiteSeen,
    StartObject,
    Step,
)
from reconciler.fleet.model import Application, Group, Lease, Placement, Replication
from reconciler.objects import Ref
from reconciler.replica import Replica, ReplicaRole, Sync

NOW, SERVER = 1000.0, 5_000_000.0
LIMITS = Limits(
    poll=1,
    freshness=2,
    permit=4,
    request_timeout=1,
    tolerance=0.5,
    stop=6,
    guard=1,
    promotion=60,
    silence=10,
    readiness=30,
)
LEASE = Lease(5, 20)
DB = Ref("kubevirt.io", "VirtualMachine", "bank", "db")
SVC = Ref("kubevirt.io", "VirtualMachine", "bank", "svc")
SECONDARY = Replica(ReplicaRole.SECONDARY, Sync.IN_SYNC, ReplicaRole.SECONDARY, peers=("b",))
DIVERGED = replace(SECONDARY, sync=Sync.BROKEN)
PRIMARY = Replica(ReplicaRole.PRIMARY, Sync.IN_SYNC, ReplicaRole.PRIMARY, exposure=1.0, peers=("b",))
STOPPED = (StartObject(DB, "10", stopped=True), StartObject(SVC, "50", stopped=True))
RUNS = tuple(StartObject(ref, level, False, True, True) for ref, level in ((DB, "10"), (SVC, "50")))
QUIET = Observation(NOW, STOPPED)
BUSY = Observation(NOW, RUNS, instances=(DB, SVC))
CLOSED, OPEN = Permit(9e9, 0.0), Permit(SERVER - 1, SERVER + 3)
REFUSING = Gate(True, {"https://a": True}, NOW - 20)
FIRST = Promotion(1, 3)
"""How b, or a, became primary at epoch 1."""

ACTIVE_STEPS = (Step.STARTING, Step.ACTIVE, Step.STOPPING, Step.DEMOTING)


def placement(active: str, epoch: int, move: Any = "planned", **more: Any) -> Placement:
    return Placement(active, epoch, move, "apps/ledger/placement.yaml", **more)


def history(*placements: Placement, base: Placement | None = None, **more: Any) -> History:
    placed = tuple(Placed(f"commit-{each.epoch}", each, f"before-{each.epoch}") for each in placements)
    return History("head", placed, base, **more)


def journal(step: Step, epoch: int = 1, **more: Any) -> Journal:
    """Of site a: primary since epoch 1 in the steps in which it may write."""
    active = step in ACTIVE_STEPS
    settled = {Step.ACTIVE: AckState.ACTIVE, Step.STARTING: AckState.PROMOTED}.get(step)
    facts: dict[str, Any] = {
        "sequence": 50,
        "epoch": epoch,
        "commit": f"commit-{epoch}",
        "step": step,
        "role": "active" if active else "passive",
        "promotion": FIRST if active else None,
        "settled": settled or (AckState.ACTIVE if active else None),
        "leases": (None,),
    }
    return Journal(**(facts | more))


def ack(site: str, state: AckState, epoch: int, **more: Any) -> Ack:
    settled = more.pop("settled", state if state in SETTLING else None)
    return Ack("ledger", site, epoch, f"commit-{epoch}", f"uid-{site}", state, settled, **more)


def seen(said: Ack | None, site: str = "b", **more: Any) -> SiteSeen:
    """A trusted site with a living heartbeat; its ack is plausible."""
    running = more.pop("running", False)
    role = more.pop("role", ReplicaRole.PRIMARY if running else ReplicaRole.SECONDARY)
    exposure, lease = more.pop("exposure", None), more.pop("lease", None)
    beat = Heartbeat(
        9, f"uid-{site}", 9, echo=more.pop("echo", {}), applications={"ledger": Running(running, role, exposure, lease)}
    )
    named = site if said and said.settled not in GIVEN_UP else "a"
    facts: dict[str, Any] = {
        "ack": said,
        "on_branch": True,
        "placement": placement(named, said.epoch) if said else None,
        "heartbeat": beat,
        "heartbeat_since": NOW - 1,
        "guard_since": NOW - 1,
        "ack_since": NOW - 1,
        "witnessed": True,
    }
    return SiteSeen(**(facts | more))


def listing(*acks: Ack, proven: bool = True, age: float = 0.5, **more: Any) -> Listing:
    sites = {site: SiteSeen() for site in ("a", "b")} | {each.site: seen(each, each.site) for each in acks}
    return Listing("head", NOW - age, proven, sites | more.pop("sites", {}), **({"value": "own"} | more))


def knows(said: Journal, newest: Placement, *acks: Ack, **more: Any) -> Knowledge:
    """Site a in this step, under this newest placement, with a quiet cluster and a closed gate by default."""
    runs = said.step in (Step.STARTING, Step.ACTIVE)
    lease = more.pop("lease_of", said.leases[-1] if said.leases else None)
    application = Application(
        "ledger",
        "apps/ledger",
        more.pop("carried_by", ("a", "b")),
        "a",
        newest,
        replication=Replication("csi-addons", (Group("VolumeReplication", "ledger", "bank"),), 30.0),
        lease=lease,
        suspended=more.pop("suspended", False),
    )
    observation = more.pop("observation", BUSY if runs else QUIET)
    replica = more.pop("replica", PRIMARY if runs else SECONDARY)
    readings = more.pop("readings", readings_of(observation, replica) if observation else ())
    facts: dict[str, Any] = {
        "site": "a",
        "cluster": "uid-a",
        "application": application,
        "limits": LIMITS,
        "now": NOW,
        "server_time": SERVER,
        "history": history(newest, base=newest if newest.epoch == said.epoch else None),
        "listing": listing(*acks),
        "journal": said,
        "permit": OPEN if runs else CLOSED,
        "gate": Gate(True) if runs else REFUSING,
        "readings": readings,
        "lease": LeaseFacts(0.5, 0.5),
        "step_since": NOW - 1,
    }
    return Knowledge(**(facts | more))


def readings_of(observation: Observation, *replicas: Replica) -> tuple[Reading, ...]:
    """Two readings a poll apart, of one replica or of two in their order."""
    first, last = replicas[0], replicas[-1]
    return Reading(replace(observation, at=NOW - 1), first), Reading(replace(observation, at=NOW), last)


def reasons(decision: Decision) -> list[str]:
    return [each.reason for each in decision.holds]


def kinds(decision: Decision) -> list[str]:
    return [type(each).__name__ for each in decision.effects]


def reached(decision: Decision) -> Step | None:
    """The step that the journal goes to; None where nothing is journaled."""
    return decision.entry.step if decision.entry else None


def given(site: str = "b", complete: tuple[str, ...] = ("a",), **more: Any) -> dict[str, Any]:
    """What an ack of a former primary says besides its state."""
    return {"promotion": FIRST, "demotion": Demotion(FIRST, 2, 40, complete, **more)}
