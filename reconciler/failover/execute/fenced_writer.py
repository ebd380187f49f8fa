"""Writes of the moves (P10): each carries the version of the object that was read, and is made only while the journal
entry that it belongs to is still the newest. Whoever paused in between writes nothing.

The order is: read the object, look that the entry is still ours, write with the object's version. A successor enters
first and then writes once to every object, so a predecessor either sees the entry or meets a new version.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from reconciler.errors import Conflict, Invalid, NotFound
from reconciler.failover.execute.record import Record, Records
from reconciler.failover.protocol.card import CardObject
from reconciler.objects import APPLY_MANAGER, MOVES_MANAGER, Manifest
from reconciler.starts.fields import is_stopped, owned_fields

if TYPE_CHECKING:
    from reconciler.cluster.client import Cluster

JSON_PATCH = "application/json-patch+json"
HAND_OVERS = 8
"""How often the handing over of a new object's fields is tried against its own controller's writes."""

VOIDED_ANNOTATION = "siteshift.io/voided"
"""Written once to every object before a site says that it has given up: older reads of it can no longer be written."""

Change = Callable[[Manifest], Mapping[str, Any] | None]
"""From the object as it is to the merge patch that is wanted; None where nothing needs to be written."""


class FencedWriter:
    """Writes for one application at one site."""

    def __init__(self, cluster: Cluster, application: str) -> None:
        self.cluster = cluster
        self.application = application
        self.records = Records(cluster)

    def holds(self, record: Record) -> None:
        """Raise Conflict unless the record's entry is still the newest."""
        now = self.records.read(self.application)
        if not now.same_entry(record):
            step = now.journal.step.value if now.journal else now.journal_damage
            raise Conflict(f"the journal of {self.application} has another entry ({step})")

    def change(
        self, record: Record | None, api_version: str, kind: str, namespace: str, name: str, change: Change
    ) -> bool:
        """Read, look, write; says whether something was written. NotFound if the object is not there.

        Without a record no entry is looked for: only for a stop whose record cannot be read or written.
        """
        found = self.cluster.get(api_version, kind, namespace, name)
        wanted = change(found)
        if wanted is None:
            return False
        if record is not None:
            self.holds(record)
        metadata = {**wanted.get("metadata", {}), "resourceVersion": found["metadata"]["resourceVersion"]}
        body = {**wanted, "metadata": metadata}
        self.cluster.patch(api_version, kind, namespace, name, body, manager=MOVES_MANAGER)
        return True

    def make_safe(self, record: Record | None, each: CardObject) -> bool:
        """Give an object its safe value: stopped, or secondary. False where it has it, or is not there."""

        def safe(found: Manifest) -> Mapping[str, Any] | None:
            spec = found.get("spec") or {}
            older = {field.older: None for field in owned_fields(found) if field.older in spec}
            if not older and all(spec.get(name) == value for name, value in each.safe.items()):
                return None
            return {"spec": {**each.safe, **older}}

        return self._change(record, each, safe)

    def void(self, record: Record, mark: str, starts: Iterable[CardObject], roles: Iterable[CardObject]) -> Record:
        """Write once to each object and to the record, so that nobody's older read can be written. Conflict where
        one would start, is told another role than the safe one, or the permit is not closed.

        mark: a text that no other process and no other entry uses, else the write would be one of nothing.
        """
        annotation = {"annotations": {VOIDED_ANNOTATION: mark}}

        def stopped(found: Manifest) -> Mapping[str, Any]:
            if not is_stopped(found):
                raise Conflict(f"{found['kind']} {found['metadata']['name']} would start again")
            return {"metadata": annotation}

        def secondary(found: Manifest) -> Mapping[str, Any]:
            role = owned_fields(found)[0]
            if (found.get("spec") or {}).get(role.name) != role.stopped:
                raise Conflict(f"{found['kind']} {found['metadata']['name']} is not told to be {role.stopped}")
            return {"metadata": annotation}

        for each in starts:
            self._change(record, each, stopped)
        for each in roles:
            self._change(record, each, secondary)
        now = self.records.read(self.application)
        if not now.same_entry(record) or not now.permit.closed:
            raise Conflict(f"the record of {self.application} has another entry, or its permit is open")
        return self.records.mark(now, VOIDED_ANNOTATION, mark)

    def _change(self, record: Record | None, each: CardObject, change: Change) -> bool:
        try:
            return self.change(record, each.api_version, each.ref.kind, each.ref.namespace, each.ref.name, change)
        except NotFound:
            return False

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
