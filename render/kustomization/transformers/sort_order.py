"""SortOrderTransformer: the legacy order puts what others need first, `fifo` keeps the order of the files (K1)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cmp_to_key
from typing import Any

from render.errors import KustomizationError
from render.kustomization.accumulate import Accumulator
from render.kustomization.draft import Draft
from render.kustomization.ids import Gvk, id_text
from render.kustomization.tables.order import KIND_RANK, ranks


def sort(accumulator: Accumulator, options: dict[str, Any]) -> None:
    """Order the drafts as `sortOptions` says. Raises `KustomizationError` for options that do not fit together."""
    order = options.get("order") or ""
    legacy = options.get("legacySortOptions")
    if order not in ("fifo", "legacy"):
        raise KustomizationError("the field 'sortOptions.order' must be one of [fifo, legacy]")
    if order == "fifo":
        if legacy is not None:
            raise KustomizationError(
                "the field 'sortOptions.legacySortOptions' is set but the selected sort order is 'fifo', not 'legacy'"
            )
        return
    rank = KIND_RANK
    if legacy is not None:
        rank = ranks(tuple(legacy.get("orderFirst") or ()), tuple(legacy.get("orderLast") or ()))
    accumulator.drafts = sorted(accumulator.drafts, key=_keys(accumulator.drafts, rank))


def _keys(drafts: Sequence[Draft], rank: dict[str, int]) -> Any:
    if sum(draft.kind == "Namespace" for draft in drafts) > 1:
        return cmp_to_key(lambda one, other: _compare(one, other, rank))
    return lambda draft: _key(draft, rank)


def _key(draft: Draft, rank: dict[str, int]) -> tuple[int, str, str]:
    gvk = draft.gvk
    return rank.get(gvk[2], 0), _gvk_key(gvk), _id_key(draft)


def _compare(one: Draft, other: Draft, rank: dict[str, int]) -> int:
    """Core namespaces come before namespaces of other groups, against the order of everything else."""
    left, right = _key(one, rank), _key(other, rank)
    if one.kind == other.kind == "Namespace" and left[1] != right[1] and "" in (one.gvk[0], other.gvk[0]):
        return -1 if left[1] > right[1] else 1
    return (left > right) - (left < right)


def _gvk_key(gvk: Gvk) -> str:
    group, version, kind = gvk
    return f"{group or '~G'}_{version or '~V'}_{kind or '~K'}"


def _id_key(draft: Draft) -> str:
    kind = id_text(draft.gvk, "", "").partition("/")[0]
    name = draft.value(("metadata", "name"))
    text = draft.text_at(("metadata", "name"), name) if name is not None else ""
    return f"{kind}|{draft.namespace or '~X'}|{text or '~N'}"
