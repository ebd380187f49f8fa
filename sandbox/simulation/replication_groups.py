"""csi-addons' group controller: a group becomes a content and one VolumeReplication, whose status it copies."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from reconciler.objects import Manifest
from sandbox.simulation.engine import Key
from sandbox.simulation.replication import (
    GROUP,
    GROUP_CONTENT,
    GROUP_REPLICATION,
    MANAGER,
    REPLICATION,
    hold,
    release,
)
from sandbox.simulation.replication_status import group_status
from sandbox.simulation.storage import DRIVER, claim_of, handle_of_claim
from sandbox.simulation.world import CLAIM, VOLUME, World, key_of, owner_key, owner_reference


class ReplicationGroups:
    """Keeps the content and the VolumeReplication of each group."""

    name = "replication groups"
    watched = (GROUP_REPLICATION, GROUP_CONTENT, REPLICATION, CLAIM, VOLUME)

    def __init__(self, world: World) -> None:
        self._world = world

    def keys(self, manifest: Manifest) -> Iterable[Key]:
        """The group itself, the owner of a VolumeReplication, or the groups that may select a claim."""
        if manifest["kind"] == GROUP_REPLICATION[1]:
            return [key_of(manifest)]
        if manifest["kind"] == REPLICATION[1]:
            return owner_key(manifest, GROUP_REPLICATION[1])
        if manifest["kind"] == GROUP_CONTENT[1]:
            reference = manifest["spec"].get("volumeGroupReplicationRef") or {}
            return [(reference["namespace"], reference["name"])] if reference else []
        namespace, _ = key_of(manifest) if manifest["kind"] == CLAIM[1] else claim_of(manifest)
        return [key_of(group) for group in self._world.items(GROUP_REPLICATION) if key_of(group)[0] == namespace]

    def reconcile(self, key: Key) -> float | None:
        """One group, one step."""
        group = self._world.get(GROUP_REPLICATION, *key)
        if group is None or group["spec"].get("external"):
            return None
        content = self._world.get(GROUP_CONTENT, None, content_name(group))
        inner = self._world.get(REPLICATION, key[0], inner_name(group))
        if "deletionTimestamp" in group["metadata"]:
            return self._dissolve(group, content, inner)
        if hold(self._world, group):
            return 0.0
        claims = self._claims(group)
        volumes = [handle_of_claim(self._world, key[0], name) for name in claims]
        handles = sorted(handle for handle in volumes if handle)
        if not handles or len(handles) < len(claims):
            return None  # the real one says nothing either: the group stays without a status
        content = self._keep_content(group, content, handles)
        group = self._name(group)
        inner = self._keep_inner(group, inner)
        if inner is not None:
            self._world.set_status(group, group_status(group, inner, claims), manager=MANAGER)
        return None

    def _claims(self, group: Manifest) -> list[str]:
        namespace = key_of(group)[0]
        selector = group["spec"]["source"]["selector"]
        found = [claim for claim in self._world.items(CLAIM) if key_of(claim)[0] == namespace]
        return sorted(key_of(claim)[1] for claim in found if selects(selector, claim["metadata"].get("labels") or {}))

    def _keep_content(self, group: Manifest, content: Manifest | None, handles: list[str]) -> Manifest | None:
        if content is None:
            self._world.create(content_of(group, handles), manager=MANAGER)
        elif content["spec"]["source"]["volumeHandles"] != handles:
            content = self._world.patch(content, {"spec": {"source": {"volumeHandles": handles}}}, manager=MANAGER)
        return content

    def _name(self, group: Manifest) -> Manifest:
        """Write into the group's spec which content and VolumeReplication are its own."""
        names = {
            "volumeGroupReplicationContentName": content_name(group),
            "volumeReplicationName": inner_name(group),
        }
        missing = {field: name for field, name in names.items() if not group["spec"].get(field)}
        return self._world.patch(group, {"spec": missing}, manager=MANAGER) if missing else group

    def _keep_inner(self, group: Manifest, inner: Manifest | None) -> Manifest | None:
        wanted = inner_of(group)
        if inner is None:
            self._world.create(wanted, manager=MANAGER)
            return self._world.get(REPLICATION, *key_of(wanted))
        fields = ("replicationState", "autoResync")
        if any(inner["spec"].get(name) != wanted["spec"][name] for name in fields):
            body = {"spec": {name: wanted["spec"][name] for name in fields}}
            return self._world.patch(inner, body, manager=MANAGER)
        return inner

    def _dissolve(self, group: Manifest, content: Manifest | None, inner: Manifest | None) -> float | None:
        if inner is not None:
            self._world.delete(inner)
            return None
        if content is not None:
            self._world.delete(content)
        release(self._world, group)
        return None


def content_name(group: Manifest) -> str:
    """The name of the group's content."""
    return str(group["spec"].get("volumeGroupReplicationContentName") or f"vgrcontent-{group['metadata']['uid']}")


def inner_name(group: Manifest) -> str:
    """The name of the group's VolumeReplication."""
    return str(group["spec"].get("volumeReplicationName") or f"vr-{group['metadata']['uid']}")


def content_of(group: Manifest, handles: list[str]) -> Manifest:
    """The content that lists the group's volumes."""
    namespace, name = key_of(group)
    reference = {"apiVersion": group["apiVersion"], "kind": group["kind"], "namespace": namespace, "name": name}
    spec = {
        "provisioner": DRIVER,
        "source": {"volumeHandles": handles},
        "volumeGroupReplicationClassName": group["spec"]["volumeGroupReplicationClassName"],
        "volumeGroupReplicationHandle": f"{namespace}-{name}",
        "volumeGroupReplicationRef": {**reference, "uid": group["metadata"]["uid"]},
    }
    metadata = {"name": content_name(group)}
    return {"apiVersion": GROUP_CONTENT[0], "kind": GROUP_CONTENT[1], "metadata": metadata, "spec": spec}


def inner_of(group: Manifest) -> Manifest:
    """The VolumeReplication of the whole group."""
    namespace, name = key_of(group)
    spec = {
        "volumeReplicationClass": group["spec"].get("volumeReplicationClassName", ""),
        "replicationState": group["spec"]["replicationState"],
        "autoResync": bool(group["spec"].get("autoResync")),
        "dataSource": {"apiGroup": GROUP, "kind": GROUP_REPLICATION[1], "name": name},
    }
    metadata = {"name": inner_name(group), "namespace": namespace, "ownerReferences": owner_reference(group)}
    return {"apiVersion": REPLICATION[0], "kind": REPLICATION[1], "metadata": metadata, "spec": spec}


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a label selector matches; an empty one matches nothing here, so that no group takes all claims."""
    exact: Mapping[str, str] = selector.get("matchLabels") or {}
    expressions: list[Mapping[str, Any]] = selector.get("matchExpressions") or []
    if not exact and not expressions:
        return False
    if any(labels.get(name) != value for name, value in exact.items()):
        return False
    return all(_holds(each["operator"], labels.get(each["key"]), each.get("values") or ()) for each in expressions)


def _holds(operator: str, value: str | None, values: Collection[str | None]) -> bool:
    wanted = {"In": value in values, "NotIn": value not in values, "Exists": value is not None}
    return wanted.get(operator, value is None)
