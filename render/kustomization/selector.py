"""Selecting objects as `target`, `select` and `reject` do: anchored expressions and label selectors."""

from __future__ import annotations

import re
from typing import Any

from render.kustomization.draft import Draft
from render.kustomization.expressions import whole
from render.kustomization.ids import Gvk
from render.kustomization.label_selector import label_selector

_PLAIN = re.compile(r"[-\w]+", re.ASCII)


def _matches(pattern: str, *values: str) -> bool:
    return not pattern or any(whole(pattern)(value) for value in values)


class Selector:
    """A `target`: every part that it has must match."""

    def __init__(self, entry: dict[str, Any]) -> None:
        self.group = entry.get("group") or ""
        self.version = entry.get("version") or ""
        self.kind = entry.get("kind") or ""
        self.name = entry.get("name") or ""
        self.namespace = entry.get("namespace") or ""
        self.label_selector = entry.get("labelSelector") or ""
        self.annotation_selector = entry.get("annotationSelector") or ""
        for pattern in (self.group, self.version, self.kind, self.name, self.namespace):
            if pattern:
                whole(pattern)

    @property
    def names_nothing(self) -> bool:
        """Whether it has no part that looks at an identity."""
        return not (self.group or self.version or self.kind or self.name or self.namespace)

    @property
    def names_plainly(self) -> bool:
        """Whether the name is one name and no expression."""
        return _PLAIN.fullmatch(self.name) is not None

    def matches_gvk(self, gvk: Gvk) -> bool:
        """Whether group, version and kind match."""
        return _matches(self.group, gvk[0]) and _matches(self.version, gvk[1]) and _matches(self.kind, gvk[2])

    def matches_id(self, gvk: Gvk, name: str, namespace: str) -> bool:
        """Whether an identity matches, as replacements look at it."""
        return self.matches_gvk(gvk) and _matches(self.name, name) and _matches(self.namespace, namespace)

    def matches_marks(self, draft: Draft) -> bool:
        """Whether labels and annotations match."""
        return (not self.label_selector or label_selector(self.label_selector)(draft.strings("labels"))) and (
            not self.annotation_selector or label_selector(self.annotation_selector)(draft.strings("annotations"))
        )

    def matches(self, draft: Draft) -> bool:
        """Whether an object matches by its original or its current name and namespace."""
        return (
            self.matches_gvk(draft.gvk)
            and _matches(self.name, draft.original_name, draft.name)
            and _matches(self.namespace, draft.original_namespace, draft.effective_namespace)
            and self.matches_marks(draft)
        )
