"""How long what an object runs may take to stop: the one place that knows the default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.objects import Manifest

DEFAULT_GRACE = 30.0
"""Seconds that a pod has to stop where its template says nothing, as in Kubernetes."""

TEMPLATES: Mapping[str, tuple[str, ...]] = {"CronJob": ("spec", "jobTemplate", "spec", "template", "spec")}
USUAL_TEMPLATE = ("spec", "template", "spec")


def grace_of(manifest: Manifest) -> float:
    """Seconds that an object may take to stop what it runs; 0 for an object that runs nothing."""
    template: Any = manifest
    for name in TEMPLATES.get(manifest["kind"], USUAL_TEMPLATE):
        template = template.get(name) if isinstance(template, Mapping) else None
    if not isinstance(template, Mapping):
        return 0.0
    grace = template.get("terminationGracePeriodSeconds")
    return float(grace) if isinstance(grace, int | float) else DEFAULT_GRACE
