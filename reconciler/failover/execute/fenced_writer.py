"""Writes of the moves (P10): each carries the version of the object that was read, and is made only while the journal
entry that it belongs to is still the newest. Whoever paused in between writes nothing.

The order is: read the object, look that the journal is still ours, write with the object's version. A successor
journals first and then writes once to every object, so a predecessor either sees the journal or meets a new version.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reconciler.cluster.client import JSON_PATCH
from reconciler.errors import Conflict, Invalid, NotFound
from reconciler.failover.protocol.documents import read_journal, write_journal
from reconciler.failover.protocol.values import Journal
from reconciler.objects import APPLY_MANAGER, MOVES_MANAGER, SYSTEM_NAMESPACE, Manifest
from reconciler.starts.fields import owned_fields

if TYPE_CHECKING:
    from reconciler.cluster import Cluster

HAND_OVERS = 8
"""How often the handing over of a new object's fields is tried against its own controller's writes."""

JOURNAL_FILE = "journal.json"
VOIDED_ANNOTATION = "siteshift.io/voided"
"""Written once to every object before a site says that it has given up: older reads of it can no longer be written."""

Change = Callable[[Manifest], Mapping[str, Any] | None]
"""From the object as it is to the merge patch that is wanted; None where nothing needs to be written."""


def journal_name(application: str) -> str:
    """The ConfigMap of an application's journal."""
    return f"journal-{application}"


@dataclass(frozen=True, slots=True)
class Entry:
    """The newest journal entry, and the version of the object that holds it ("" where there is none yet)."""

    journal: Journal
    version: str


class FencedWriter:
    """Writes for one application at one site."""

    def __init__(self, cluster: Cluster, application: str) -> None:
        self.cluster = cluster
        self.application = application

    def read(self) -> Entry:
        """The journal; an empty one where none was written yet."""
        try:
            found = self.cluster.get("v1", "ConfigMap", SYSTEM_NAMESPACE, journal_name(self.application))
        except NotFound:
            return Entry(Journal(), "")
        name = f"ConfigMap {SYSTEM_NAMESPACE}/{journal_name(self.application)}"
        return Entry(
            read_journal((found.get("data") or {}).get(JOURNAL_FILE, ""), name),
            found["metadata"]["resourceVersion"],
        )

    def enter(self, before: Entry, journal: Journal) -> Entry:
        """Write the next entry; Conflict if somebody else wrote one."""
        manifest: Manifest = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": journal_name(self.application), "namespace": SYSTEM_NAMESPACE},
            "data": {JOURNAL_FILE: write_journal(journal)},
        }
        if before.version:
            manifest["metadata"]["resourceVersion"] = before.version
            written = self.cluster.replace(manifest, manager=MOVES_MANAGER)
        else:
            written = self.cluster.create(manifest, manager=MOVES_MANAGER)
        return Entry(journal, written["metadata"]["resourceVersion"])

    def holds(self, entry: Entry) -> None:
        """Raise Conflict unless the entry is still the newest."""
        now = self.read()
        if now.version != entry.version:
            raise Conflict(f"the journal of {self.application} has a newer entry ({now.journal.step.value})")

    def change(self, entry: Entry, api_version: str, kind: str, namespace: str, name: str, change: Change) -> bool:
        """Read, look, write; says whether something was written. NotFound if the object is not there."""
        found = self.cluster.get(api_version, kind, namespace, name)
        wanted = change(found)
        if wanted is None:
            return False
        self.holds(entry)
        metadata = {**wanted.get("metadata", {}), "resourceVersion": found["metadata"]["resourceVersion"]}
        body = {**wanted, "metadata": metadata}
        self.cluster.patch(api_version, kind, namespace, name, body, manager=MOVES_MANAGER)
        return True

    def create(self, manifest: Manifest) -> Manifest:
        """Create an object whole, by the moves' manager, and hand the fields that are not its own to the generic apply.
        AlreadyExists if it is there."""
        found = self.cluster.create(manifest, manager=MOVES_MANAGER)
        for _ in range(HAND_OVERS):
            owners = handed_over(found)
            if owners is None:
                break
            metadata = found["metadata"]
            place = (found["apiVersion"], found["kind"], metadata.get("namespace"), metadata["name"])
            body = [
                {"op": "test", "path": "/metadata/resourceVersion", "value": metadata["resourceVersion"]},
                {"op": "replace", "path": "/metadata/managedFields", "value": owners},
            ]
            try:
                return self.cluster.patch(*place, body, manager=MOVES_MANAGER, content_type=JSON_PATCH)
            except Invalid:
                # The object's own controller wrote to it meanwhile.
                found = self.cluster.get(*place)
        return found


def handed_over(created: Manifest) -> list[dict[str, Any]] | None:
    """The owners of an object's fields after its creation: the moves keep their own fields, the rest belongs to the
    generic apply, so that what is later taken out of Git is taken out of the object. None where nothing is to be done.
    """
    owners = created["metadata"].get("managedFields") or []
    whole = next((each for each in owners if each["manager"] == MOVES_MANAGER and each["operation"] == "Update"), None)
    if whole is None or "subresource" in whole:
        return None
    rest: dict[str, Any] = copy.deepcopy(whole["fieldsV1"])
    spec = rest.get("f:spec", {})
    own = {
        f"f:{field.name}": spec.pop(f"f:{field.name}") for field in owned_fields(created) if f"f:{field.name}" in spec
    }
    others = [each for each in owners if each is not whole]
    generic = whole | {"manager": APPLY_MANAGER, "operation": "Apply", "fieldsV1": rest}
    return [*others, whole | {"fieldsV1": {"f:spec": own}}, generic]
