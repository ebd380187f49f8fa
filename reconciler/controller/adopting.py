"""Takes over objects that people applied before Siteshift did, so that what Git drops later is dropped there as well.

Server-side apply keeps a field for as long as any manager owns it. On the first contact the fields of `kubectl` and of
what was there before server-side apply are handed to the generic apply, and the fields that moves own to the moves:
nothing of the object changes, so nothing restarts. Objects of other managers are taken over with consent only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from reconciler.errors import Refused
from reconciler.fleet.model import Contents
from reconciler.objects import APPLY_MANAGER, MOVES_MANAGER, Manifest, ref_of
from reconciler.starts.fields import owned_fields

FORMER = ("kubectl", "before-first-apply")
"""Managers, by the beginning of their names, whose fields are taken over."""

TAKE_OVER = "siteshift.io/take-over"
"""On an object in Git, with the value "true": it may be taken over from whoever manages it."""

RESTARTED = "f:kubectl.kubernetes.io/restartedAt"

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rights:
    """Whose objects are written, and what the fleet lets it write."""

    application: str
    contents: Contents


def other_manager(live: Manifest) -> str:
    """Who manages an object that Siteshift does not ("": nobody, or Siteshift)."""
    metadata = live["metadata"]
    owners = [each for each in metadata.get("managedFields") or () if not each.get("subresource")]
    managers = [str(each.get("manager")) for each in owners if each.get("fieldsV1")]
    if {APPLY_MANAGER, MOVES_MANAGER} & set(managers):
        return ""
    controller = next((each for each in metadata.get("ownerReferences") or () if each.get("controller")), None)
    if controller is not None:
        return f"{controller.get('kind')} {controller.get('name')}"
    return managers[0] if managers else ""


def refuse_other_managers(desired: Manifest, live: Manifest, rights: Rights) -> None:
    """Raise `Refused` for an object that somebody else manages, unless Git consents that it is taken over."""
    manager = other_manager(live)
    metadata = live["metadata"]
    space = metadata["name"] if live["kind"] == "Namespace" else metadata.get("namespace")
    consents = (desired["metadata"].get("annotations") or {}).get(TAKE_OVER) == "true"
    if not manager or consents or space in rights.contents.take_over:
        return
    where = f", or list {space} in spec.contents.takeOver of siteshift.yaml" if space else ""
    raise Refused(
        f"{ref_of(live)} is managed by {manager} and is left as it is; to take it over, set the annotation"
        f' {TAKE_OVER}: "true" on it in Git{where}'
    )


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
