"""What csi-addons says about a replication: its conditions as data, and the status that they make up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.objects import Manifest
from sandbox.simulation.world import timestamp, with_conditions

PRIMARY, SECONDARY, UNKNOWN = "Primary", "Secondary", "Unknown"

Row = tuple[str, str, str]
"""A condition's type, status and reason."""

VALIDATED: Row = ("Validated", "True", "PrerequisiteMet")
NOT_VALIDATED: Row = ("Validated", "False", "PrerequisiteNotMet")
REPLICATING: Row = ("Replicating", "True", "Replicating")
NOT_REPLICATING: Row = ("Replicating", "False", "NotReplicating")
HEALTHY: Row = ("Degraded", "False", "Healthy")
DEGRADED: Row = ("Degraded", "True", "VolumeDegraded")
BROKEN: Row = ("Degraded", "True", "Error")
NOT_RESYNCING: Row = ("Resyncing", "False", "NotResyncing")
RESYNCING: Row = ("Resyncing", "True", "ResyncTriggered")

OUTCOMES: Mapping[str, tuple[Row, ...]] = {
    "promoted": (("Completed", "True", "Promoted"), HEALTHY, NOT_RESYNCING, VALIDATED),
    "promotion failed": (("Completed", "False", "FailedToPromote"), BROKEN, NOT_RESYNCING, VALIDATED),
    "demoted": (("Completed", "True", "Demoted"), DEGRADED, NOT_RESYNCING, VALIDATED),
    "demotion failed": (("Completed", "False", "FailedToDemote"), BROKEN, NOT_RESYNCING, VALIDATED),
    "resyncing": (("Completed", "True", "Demoted"), DEGRADED, RESYNCING, VALIDATED),
    "split brain": (("Completed", "True", "Demoted"), DEGRADED, NOT_RESYNCING, VALIDATED),
    "in sync": (("Completed", "True", "Demoted"), HEALTHY, NOT_RESYNCING, VALIDATED),
    "not validated": (("Completed", "False", "FailedToPromote"), BROKEN, NOT_RESYNCING, NOT_VALIDATED),
}
"""What each outcome of a pass leaves behind."""

MESSAGES: Mapping[str, str] = {
    "promoted": "volume is marked primary",
    "promotion failed": "failed to promote volume",
    "demoted": "volume is marked secondary",
    "demotion failed": "failed to demote volume",
    "resyncing": "volume is marked secondary and is resyncing",
    "split brain": "volume is marked secondary and does not follow its peer",
    "in sync": "volume is marked secondary",
    "not validated": "prerequisites are not met",
}


def replication_status(
    resource: Manifest,
    outcome: str,
    state: str,
    *,
    problem: str = "",
    replicating: bool | None = None,
    synced_at: float | None = None,
) -> dict[str, Any]:
    """The status after a pass. `observedGeneration` is set even when the pass failed, as the real one does.

    `replicating` and `synced_at` (epoch seconds) are known at a primary only; elsewhere they are left out.
    """
    before = resource.get("status") or {}
    generation = resource["metadata"].get("generation", 1)
    rows = list(OUTCOMES[outcome])
    if state == PRIMARY and replicating is not None:
        rows.append(REPLICATING if replicating else NOT_REPLICATING)
    text = f"{MESSAGES[outcome]}: {problem}" if problem else MESSAGES[outcome]
    conditions = with_conditions(before.get("conditions") or [], _conditions(rows, text, generation))
    status: dict[str, Any] = {
        "state": state,
        "message": text,
        "observedGeneration": generation,
        "conditions": conditions,
    }
    changed = (before.get("state"), before.get("observedGeneration")) != (state, generation)
    for name in ("lastStartTime", "lastCompletionTime"):
        status[name] = timestamp() if changed or name not in before else before[name]
    if state == PRIMARY and synced_at is not None:
        status["lastSyncTime"] = timestamp(synced_at)
    elif state == PRIMARY and "lastSyncTime" in before:
        status["lastSyncTime"] = before["lastSyncTime"]
    return status


def group_status(group: Manifest, inner: Manifest, claims: Iterable[str]) -> dict[str, Any]:
    """A group's status: its VolumeReplication's, with every condition's generation overwritten by the group's own.

    That is the real one's habit, and a trap: right after an edit, a condition of before looks current.
    """
    generation = group["metadata"].get("generation", 1)
    copied = dict(inner.get("status") or {})
    conditions = [{**found, "observedGeneration": generation} for found in copied.get("conditions") or []]
    status = {**copied, "observedGeneration": generation}
    if conditions:
        status["conditions"] = conditions
    references = [{"name": name} for name in sorted(claims)]
    if references:
        status["persistentVolumeClaimsRefList"] = references
    return status


def _conditions(rows: Iterable[Row], message: str, generation: int) -> list[dict[str, Any]]:
    return [
        {"type": kind, "status": status, "reason": reason, "message": message, "observedGeneration": generation}
        for kind, status, reason in rows
    ]
