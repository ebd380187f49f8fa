"""Takes over objects that people applied before Siteshift did, so that what Git drops later is dropped there as well.

Server-side apply keeps a field for as long as any manager owns it. On the first contact the fields of `kubectl` and of
what was there before server-side apply are handed to the generic apply, and the fields that moves own to the moves:
nothing of the object changes, so nothing restarts.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from reconciler.objects import APPLY_MANAGER, MOVES_MANAGER, Manifest
from reconciler.starts.fields import owned_fields

FORMER = ("kubectl", "before-first-apply")
"""Managers, by the beginning of their names, whose fields are taken over."""

RESTARTED = "f:kubectl.kubernetes.io/restartedAt"

Fields = dict[str, Any]


def taken_over(live: Manifest, *, moves: bool) -> list[dict[str, Any]] | None:
    """The object's managedFields after the take-over; None where there is nothing to take over.

    `moves`: the object belongs to an application, so that start and role fields go to the moves' manager.
    """
    owners = live["metadata"].get("managedFields") or []
    former = [each for each in owners if each["manager"].startswith(FORMER) and not each.get("subresource")]
    if not former:
        return None
    fields = _without_restarts(union(each.get("fieldsV1") or {} for each in former))
    own: Fields = {}
    if moves:
        spec = dict(fields.get("f:spec") or {})
        names = [f"f:{field.name}" for field in owned_fields(live)]
        own = {name: spec.pop(name) for name in names if name in spec}
        fields = fields | {"f:spec": spec}
    rest = [each for each in owners if each not in former]
    rest = _merged(rest, former[0], APPLY_MANAGER, "Apply", fields)
    return _merged(rest, former[0], MOVES_MANAGER, "Update", {"f:spec": own}) if own else rest


def _without_restarts(fields: Fields) -> Fields:
    """Without the mark of `kubectl rollout restart`, wherever it stands: if it were ours it would go with the next
    apply, and every pod of the template with it. What nobody owns stays."""
    return {name: _without_restarts(below) for name, below in fields.items() if name != RESTARTED}


def union(found: Iterable[Fields]) -> Fields:
    """Every field that is in any of them."""
    whole: Fields = {}
    for fields in found:
        for name, below in fields.items():
            whole[name] = union((whole[name], below)) if name in whole else below
    return whole


def _merged(
    owners: list[dict[str, Any]], like: dict[str, Any], manager: str, operation: str, fields: Fields
) -> list[dict[str, Any]]:
    known = next((each for each in owners if (each["manager"], each["operation"]) == (manager, operation)), None)
    if known is None:
        return [*owners, like | {"manager": manager, "operation": operation, "fieldsV1": fields}]
    both = known | {"fieldsV1": union((known.get("fieldsV1") or {}, fields))}
    return [both if each is known else each for each in owners]
