"""Rules for data: claims, volumes, and replication judged by the role that its site has.

Replication conditions count only when they were made for the object's present generation: its status as a whole
claims to be current even after an operation that failed.
"""

from __future__ import annotations

from reconciler.health.reading import Condition, condition, field
from reconciler.health.verdict import Health, failed, healthy, progressing, suspended
from reconciler.objects import Manifest

_GOOD_VOLUMES = ("Available", "Bound", "Released")


def claim(live: Manifest) -> Health | None:
    """A claim that lost its volume has failed."""
    if field(live, "status", "phase") == "Lost":
        return failed("Lost", "its volume is gone")
    return None


def volume(live: Manifest) -> Health:
    """A PersistentVolume."""
    phase = field(live, "status", "phase") or ""
    if phase == "Failed":
        return failed("VolumeFailed", field(live, "status", "message") or "its reclaiming failed")
    if phase in _GOOD_VOLUMES:
        return healthy(phase, "")
    return progressing(phase or "NotObserved", f"its phase is {phase or 'not set'}")


def data_volume(live: Manifest) -> Health:
    """A DataVolume that imports, clones or adopts."""
    phase = field(live, "status", "phase") or ""
    if phase == "Succeeded":
        return healthy()
    if phase == "Failed":
        return failed("ImportFailed", "its import failed")
    if phase in ("WaitForFirstConsumer", "PendingPopulation"):
        return suspended(phase, "it waits for the first pod that uses it")
    return progressing(phase or "NotObserved", f"its phase is {phase or 'not set'}")


def current(live: Manifest, kind: str) -> Condition | None:
    """A condition, if it was made for the object's present generation."""
    found = condition(live, kind)
    if found is None or found.get("observedGeneration") != field(live, "metadata", "generation"):
        return None
    return found


def says(live: Manifest, kind: str, status: str) -> bool:
    """Whether a condition of the present generation has that status."""
    found = current(live, kind)
    return found is not None and found.get("status") == status


def promoted(live: Manifest) -> bool:
    """Whether this copy is primary, by proof of the present generation."""
    completed = current(live, "Completed")
    return (
        field(live, "status", "state") == "Primary"
        and completed is not None
        and completed.get("status") == "True"
        and completed.get("reason") == "Promoted"
        and (condition(live, "Validated") or {}).get("status") != "False"
    )


def demoted(live: Manifest) -> bool:
    """Whether this copy is secondary, by proof of the present generation."""
    completed = current(live, "Completed")
    return (
        field(live, "status", "state") == "Secondary"
        and completed is not None
        and completed.get("status") == "True"
        and completed.get("reason") == "Demoted"
    )


def in_sync(live: Manifest) -> bool:
    """Whether this copy is secondary and has all the data. One read; a decision needs two in a row."""
    return demoted(live) and says(live, "Degraded", "False") and says(live, "Resyncing", "False")


def replication(live: Manifest, role: str) -> Health:
    """A VolumeReplication or VolumeGroupReplication: primary where active, secondary and in sync where passive."""
    if field(live, "metadata", "deletionTimestamp"):
        return progressing("Deleting", "it is being deleted: its conditions are those of before")
    wanted = "primary" if role == "active" else "secondary"
    asked, state = field(live, "spec", "replicationState"), field(live, "status", "state") or "Unknown"
    completed = current(live, "Completed") or {}
    if asked != wanted and not (asked == "resync" and wanted == "secondary"):
        return progressing("OtherRoleAsked", f"it is asked to be {asked or 'nothing'}, this site is {role}")
    if completed.get("status") == "False" and str(completed.get("reason", "")).startswith("FailedTo"):
        return failed(str(completed["reason"]), completed.get("message") or f"it cannot become {wanted}")
    if says(live, "Validated", "False"):
        return failed("NotValidated", (condition(live, "Validated") or {}).get("message") or "it is not valid")
    if wanted == "primary":
        return healthy("Promoted", "") if promoted(live) else progressing("Promoting", f"its state is {state}")
    if in_sync(live):
        return healthy("InSync", "")
    if says(live, "Resyncing", "True"):
        return progressing("Resyncing", "it copies from the primary")
    if demoted(live):
        return progressing("Degraded", "it is secondary and does not have all the data yet")
    return progressing("Demoting", f"its state is {state}")
