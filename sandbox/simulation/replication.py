"""csi-addons' controllers: VolumeReplication tells the array its role, and says what came of it.

Kept from the real one, because a careful driver must live with them: a refused promotion is forced without asking; a
resource that says Primary is not told again; a secondary needs two passes and is degraded in between; deleting a
resource ends the replication.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.objects import Manifest
from sandbox.simulation.array import Array, PreconditionError
from sandbox.simulation.engine import Key, KindId
from sandbox.simulation.replication_status import (
    PRIMARY,
    SECONDARY,
    UNKNOWN,
    replication_status,
)
from sandbox.simulation.settings import meets
from sandbox.simulation.storage import handle_of_claim
from sandbox.simulation.world import CLAIM, VOLUME, Delays, World, condition_of, key_of

GROUP = "replication.storage.openshift.io"
VERSION = f"{GROUP}/v1alpha1"
REPLICATION: KindId = (VERSION, "VolumeReplication")
GROUP_REPLICATION: KindId = (VERSION, "VolumeGroupReplication")
GROUP_CONTENT: KindId = (VERSION, "VolumeGroupReplicationContent")
REPLICATION_CLASS: KindId = (VERSION, "VolumeReplicationClass")
MANAGER = "csi-addons"
FINALIZER = GROUP


class Replications:
    """Tells the array the role of each VolumeReplication's volumes."""

    name = "replications"
    watched = (REPLICATION, GROUP_REPLICATION, GROUP_CONTENT, REPLICATION_CLASS, CLAIM, VOLUME)

    def __init__(self, world: World, array: Array) -> None:
        self._world = world
        self._array = array
        self._delays = Delays(world)

    def keys(self, manifest: Manifest) -> Iterable[Key]:
        """The resource itself, or every one whose prerequisites are not met yet."""
        if manifest["kind"] == REPLICATION[1]:
            return [key_of(manifest)]
        waiting = self._world.items(REPLICATION)
        return [key_of(found) for found in waiting if condition_of(found, "Validated").get("status") != "True"]

    def reconcile(self, key: Key) -> float | None:
        """One resource, one pass."""
        resource = self._world.get(REPLICATION, *key)
        if resource is None:
            return None
        handles = self.handles(resource)
        if "deletionTimestamp" in resource["metadata"]:
            self._array.disable(handles)
            release(self._world, resource)
            return None
        if hold(self._world, resource):
            return 0.0
        problem = self._missing(resource, handles)
        if problem:
            self._say(resource, "not validated", UNKNOWN, problem=problem)
            return None
        if resource["spec"]["replicationState"] == "primary":
            return self._primary(key, resource, handles)
        return self._secondary(key, resource, handles)

    def handles(self, resource: Manifest) -> list[str]:
        """The volumes on the array that a resource replicates; empty while they are not known."""
        source = resource["spec"]["dataSource"]
        namespace = key_of(resource)[0]
        if source["kind"] == "PersistentVolumeClaim":
            handle = handle_of_claim(self._world, namespace, source["name"])
            return [handle] if handle else []
        group = self._world.get(GROUP_REPLICATION, namespace, source["name"])
        named = group["spec"].get("volumeGroupReplicationContentName") if group is not None else None
        content = self._world.get(GROUP_CONTENT, None, named) if named else None
        return list(content["spec"]["source"]["volumeHandles"]) if content is not None else []

    def _missing(self, resource: Manifest, handles: list[str]) -> str:
        wanted = resource["spec"].get("volumeReplicationClass", "")
        if self._world.get(REPLICATION_CLASS, None, wanted) is None:
            return f"VolumeReplicationClass {wanted} does not exist"
        if not handles:
            source = resource["spec"]["dataSource"]
            return f"{source['kind']} {source['name']} has no volume yet"
        return ""

    def _primary(self, key: Key, resource: Manifest, handles: list[str]) -> float | None:
        settings = self._world.settings
        if state_of(resource) != PRIMARY:
            left = self._delays.left((key, "promote"), settings.promote_time)
            if left:
                return left
            self._delays.forget((key, "promote"), (key, "demote"), (key, "report"))
            problem = self._promote(key, resource, handles)
            if problem:
                self._say(resource, "promotion failed", state_of(resource) or UNKNOWN, problem=problem)
                return settings.settle_interval
        replicating, synced_at = self._progress(handles)
        left = self._delays.left((key, "report"), settings.report_interval)
        news = condition_of(resource, "Replicating").get("status") != str(replicating)
        if left and not news and is_current(resource, "Promoted"):
            return left
        self._delays.forget((key, "report"))
        self._say(resource, "promoted", PRIMARY, replicating=replicating, synced_at=synced_at)
        # Replication begins soon after a promotion; afterwards the set interval is often enough.
        return self._delays.left((key, "report"), settings.report_interval) if replicating else settings.settle_interval

    def _promote(self, key: Key, resource: Manifest, handles: list[str]) -> str:
        """Promote, and force it if the array asks for that; why it failed, or nothing."""
        if meets(self._world.settings.refuse_promote, *names_of(key, resource)):
            return "the array failed"
        try:
            self._array.promote(handles)
        except PreconditionError:
            self._array.promote(handles, force=True)
        return ""

    def _progress(self, handles: list[str]) -> tuple[bool, float | None]:
        """Whether all peers follow, and since when they have everything (epoch seconds)."""
        seen = [peer for handle in handles for peer in self._array.peers(handle)]
        expected = len(handles) * len(self._array.peer_names)
        received = [peer.received_at for peer in seen if peer.received_at is not None]
        follows = [peer for peer in seen if peer.copy is not None and peer.copy.role.value == "secondary"]
        complete = expected > 0 and len(follows) == expected and len(received) == expected
        return complete, min(received) if complete else None

    def _secondary(self, key: Key, resource: Manifest, handles: list[str]) -> float | None:
        settings = self._world.settings
        if state_of(resource) != SECONDARY:
            left = self._delays.left((key, "demote"), settings.demote_time)
            if left:
                return left
            self._delays.forget((key, "demote"), (key, "promote"))
            problem = self._demote(key, resource, handles)
            if problem:
                self._say(resource, "demotion failed", state_of(resource) or UNKNOWN, problem=problem)
                return settings.settle_interval
            self._say(resource, "demoted", SECONDARY)
            return settings.settle_interval
        spec = resource["spec"]
        force = spec["replicationState"] == "resync" or bool(spec.get("autoResync"))
        sync = self._array.resync(handles, force=force)
        if sync.in_sync:
            self._say(resource, "in sync", SECONDARY)
            return None
        self._say(resource, "split brain" if sync.diverged else "resyncing", SECONDARY, problem=sync.problem)
        return settings.settle_interval

    def _demote(self, key: Key, resource: Manifest, handles: list[str]) -> str:
        if meets(self._world.settings.refuse_demote, *names_of(key, resource)):
            return "the array failed"
        try:
            self._array.demote(handles)
        except PreconditionError as error:
            return str(error)
        return ""

    def _say(
        self,
        resource: Manifest,
        outcome: str,
        state: str,
        *,
        problem: str = "",
        replicating: bool | None = None,
        synced_at: float | None = None,
    ) -> None:
        status = replication_status(
            resource, outcome, state, problem=problem, replicating=replicating, synced_at=synced_at
        )
        self._world.set_status(resource, status, manager=MANAGER)


def state_of(resource: Manifest) -> str:
    """`status.state`; empty before the first pass."""
    return str((resource.get("status") or {}).get("state") or "")


def is_current(resource: Manifest, reason: str) -> bool:
    """Whether the last pass saw this generation and ended so."""
    found: Mapping[str, object] = condition_of(resource, "Completed")
    generation = resource["metadata"].get("generation", 1)
    return found.get("reason") == reason and found.get("observedGeneration") == generation


def names_of(key: Key, resource: Manifest) -> Key:
    """The name that a fault means: the group's, for the inner resource of a group."""
    source = resource["spec"]["dataSource"]
    return (key[0], source["name"]) if source["kind"] == GROUP_REPLICATION[1] else key


def hold(world: World, resource: Manifest) -> bool:
    """Put our finalizer on a resource; whether it was missing."""
    finalizers = resource["metadata"].get("finalizers") or []
    if FINALIZER in finalizers:
        return False
    world.patch(resource, {"metadata": {"finalizers": [*finalizers, FINALIZER]}}, manager=MANAGER)
    return True


def release(world: World, resource: Manifest) -> None:
    """Take our finalizer away: the resource may go."""
    finalizers = resource["metadata"].get("finalizers") or []
    if FINALIZER in finalizers:
        others = [name for name in finalizers if name != FINALIZER]
        world.patch(resource, {"metadata": {"finalizers": others}}, manager=MANAGER)
