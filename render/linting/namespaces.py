"""Namespaces that do not get where they seem to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from render.kustomization.accumulate import Accumulator
    from render.kustomization.draft import Draft
    from render.kustomization.fields import Trail
    from render.kustomization.layer import Layer
    from render.linting.finding import Finding
    from render.linting.rules import Told
    from render.linting.watching import Watcher

RULE = "namespace"


def reach(layer: Layer, trail: Trail, accumulator: Accumulator) -> Iterator[Told]:
    """`namespace` over objects that have none, that charts made, or that a kustomization below has given another."""
    wanted = layer.get("namespace")
    if not wanted:
        return
    drafts = [draft for draft in accumulator.drafts if draft.manifest]
    reached = any((not draft.cluster_scoped or draft.kind == "Namespace") and not draft.from_helm for draft in drafts)
    told = _overridden(wanted, drafts)
    if drafts and not reached:
        charts = any(draft.from_helm for draft in drafts)
        why = "charts set their namespaces themselves" if charts else "every object here belongs to the whole cluster"
        told = f"the namespace reaches nothing: {why}", "take it away, or move it up"
    yield trail, RULE, told


def _overridden(wanted: str, drafts: list[Draft]) -> tuple[str, str] | None:
    for draft in drafts:
        if draft.namespace not in ("", wanted) and draft.original_namespace != draft.namespace:
            message = f"namespace {wanted} replaces {draft.namespace}, which a kustomization below gives {draft.text}"
            return message, "say it in one place: the topmost namespace wins for all objects"
    return None


def subjects_elsewhere(watcher: Watcher, _read: set[str]) -> Iterator[Finding]:
    """Subjects of bindings that name a service account where the build does not have it."""
    for drafts in watcher.results:
        accounts: dict[str, set[str]] = {}
        for draft in drafts:
            if draft.kind == "ServiceAccount":
                accounts.setdefault(draft.name, set()).add(draft.effective_namespace)
        for draft in drafts:
            if draft.kind in ("RoleBinding", "ClusterRoleBinding"):
                yield from _subjects(watcher, draft, accounts)


def _subjects(watcher: Watcher, draft: Draft, accounts: dict[str, set[str]]) -> Iterator[Finding]:
    subjects = draft.content.get("subjects")
    for place, subject in enumerate(subjects if isinstance(subjects, list) else ()):
        if not isinstance(subject, dict) or subject.get("kind") != "ServiceAccount":
            continue
        name, wanted = str(subject.get("name")), str(subject.get("namespace") or "default")
        there = accounts.get(name)
        if there is None or wanted in there:
            continue
        message = f"{draft.kind} {draft.name} is for ServiceAccount {name} in {wanted}, but it is in {sorted(there)[0]}"
        hint = "namespace: changes subjects called default only; name the account as it is written in its file"
        trail = (*draft.source, "subjects", place)
        yield watcher.finding(draft.origin.path, trail, RULE, (message, hint), draft.origin.document)
