"""ReplicaCountTransformer: sets how many replicas the workloads of a name have (K25)."""

from __future__ import annotations

from collections.abc import Sequence

from render.errors import KustomizationError
from render.kustomization.accumulate import Accumulator
from render.kustomization.draft import Draft, Trail
from render.kustomization.fieldspec import FieldSpec, find, held_at, wrong_kind
from render.kustomization.ids import gvk_text, selects


def set_replicas(accumulator: Accumulator, name: str, count: int, specs: Sequence[FieldSpec]) -> None:
    """Set the count on objects that have or had the name. Raises `KustomizationError` if there are none."""
    found = False
    for spec in specs:
        for draft in accumulator.named(name):
            if any(old[3] == name and selects(spec.gvk, old[:3]) for old in draft.all_ids):
                found = True
                if selects(spec.gvk, draft.gvk):
                    for trail in find(draft, spec, create=True):
                        _set(draft, spec, trail, count)
    if not found:
        kinds = " ".join(gvk_text(spec.gvk) for spec in specs)
        raise KustomizationError(
            f"resource with name {name} does not match a config with the following GVK [{kinds}]",
            hint=f"no workload is called {name}",
        )


def _set(draft: Draft, spec: FieldSpec, trail: Trail, count: int) -> None:
    old = held_at(draft, trail)
    if isinstance(old, dict | list):
        raise KustomizationError(
            f"considering field '{spec.path}' of object {draft.text}: {wrong_kind('ScalarNode', old)}"
        )
    quoted = isinstance(old, str) and draft.styles.is_quoted(trail, old)
    draft.set(trail, str(count) if quoted else count)
