"""Workloads that two write, or that do not stay as they are written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from render.kustomization.draft import Draft, Trail
    from render.linting.finding import Finding
    from render.linting.watching import Watcher

RULE = "workload"


def replicas_beside_autoscalers(watcher: Watcher, _read: set[str]) -> Iterator[Finding]:
    """`replicas` of a workload that an autoscaler of the same build scales."""
    for drafts in watcher.results:
        scaled: dict[tuple[object, object, str], str] = {}
        for draft in drafts:
            if draft.kind == "HorizontalPodAutoscaler":
                kind, name = (draft.value(("spec", "scaleTargetRef", field)) for field in ("kind", "name"))
                scaled[kind, name, draft.effective_namespace] = draft.name
        for draft in drafts:
            scaler = scaled.get((draft.kind, draft.name, draft.effective_namespace))
            if scaler is not None and draft.value(("spec", "replicas")) is not None:
                message = f"{draft.kind} {draft.name} has replicas, and HorizontalPodAutoscaler {scaler} sets them, too"
                hint = "leave replicas out: each time that they are applied, they undo what the autoscaler did"
                yield _at(watcher, draft, ("spec", "replicas"), (message, hint))


def jobs_that_delete_themselves(watcher: Watcher, _read: set[str]) -> Iterator[Finding]:
    """Jobs with a time to live, which are applied again once they are gone."""
    field = ("spec", "ttlSecondsAfterFinished")
    for drafts in watcher.results:
        for draft in drafts:
            if draft.kind == "Job" and draft.value(field) is not None:
                message = f"Job {draft.name} is deleted once it has finished, then applied and run again"
                yield _at(watcher, draft, field, (message, "leave ttlSecondsAfterFinished out, or use a CronJob"))


def machines_told_twice(watcher: Watcher, _read: set[str]) -> Iterator[Finding]:
    """`running` beside `runStrategy` of a virtual machine."""
    for drafts in watcher.results:
        for draft in drafts:
            fields = [draft.value(("spec", field)) for field in ("running", "runStrategy")]
            if draft.kind == "VirtualMachine" and None not in fields:
                message = f"VirtualMachine {draft.name} has running and runStrategy, which exclude each other"
                yield _at(watcher, draft, ("spec", "running"), (message, "keep runStrategy: running is the older one"))


def _at(watcher: Watcher, draft: Draft, trail: Trail, told: tuple[str, str]) -> Finding:
    return watcher.finding(draft.origin.path, (*draft.source, *trail), RULE, told, draft.origin.document)
