"""What a comparison found, as a value that is safe to show: Secret values are masked when it is made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from reconciler.cluster import MASK
from reconciler.cluster.redaction import LAST_APPLIED, is_secret
from reconciler.objects import Manifest, Ref, ref_of


class Verdict(Enum):
    """What a write would do to an object."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field: `old` is live, `new` is desired; None is a field that is not there."""

    path: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class Change:
    """One object. CHANGED without fields means that only the ownership of fields would change hands. `refusal` is why
    the API server would not take the write, "" where it would."""

    ref: Ref
    verdict: Verdict
    fields: tuple[FieldChange, ...] = ()
    refusal: str = ""


def change(manifest: Manifest, verdict: Verdict, fields: Iterable[FieldChange] = ()) -> Change:
    """A change of the manifest's object, masked where it is a Secret."""
    shown = tuple(sorted(fields, key=lambda field: field.path))
    if is_secret(manifest):
        shown = tuple(_masked(field) for field in shown)
    return Change(ref_of(manifest), verdict, shown)


def deleted(live: Manifest) -> Change:
    """The change that a deletion is."""
    return change(live, Verdict.DELETED)


def _masked(field: FieldChange) -> FieldChange:
    """A Secret's field without its value; that it is listed says that it differs."""
    if not field.path.startswith(("data", "stringData")) and LAST_APPLIED not in field.path:
        return field
    return FieldChange(field.path, _mask(field.old), _mask(field.new))


def _mask(value: Any) -> Any:
    if isinstance(value, dict):
        return dict.fromkeys(value, MASK)
    return None if value is None else MASK
