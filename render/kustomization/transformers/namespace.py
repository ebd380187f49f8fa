"""NamespaceTransformer: moves objects into a namespace, and the references that name it (K20, K21)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from render.errors import KustomizationError
from render.kustomization.accumulate import Accumulator
from render.kustomization.draft import Draft, Trail
from render.kustomization.fieldspec import FieldSpec, find, held_at, wrong_kind
from render.kustomization.ids import is_empty, selects, text_of
from render.kustomization.saying import as_written

SUBJECT_MODES = ("defaultOnly", "none", "allServiceAccounts")
_BINDINGS = ("RoleBinding", "ClusterRoleBinding")
_METADATA_NAMESPACE = FieldSpec(("", "", ""), "metadata/namespace", True)


class NamespaceChange:
    """What a namespace transformer is told to do."""

    def __init__(
        self, namespace: str, specs: Sequence[FieldSpec], *, unset_only: bool = False, subjects: str = "defaultOnly"
    ) -> None:
        if subjects not in SUBJECT_MODES:
            allowed = '"defaultOnly", "none" or "allServiceAccounts"'
            raise KustomizationError(f'invalid value "{subjects}" for setRoleBindingSubjects: must be one of {allowed}')
        self.namespace = namespace
        self.unset_only = unset_only
        self.subjects = subjects
        self._specs = [spec for spec in specs if spec.path != "metadata/namespace"]

    def apply(self, accumulator: Accumulator) -> None:
        """Set the namespace everywhere. Raises `KustomizationError` if two objects then have one identity."""
        if not self.namespace:
            return
        for draft in accumulator.drafts:
            if draft.from_helm:  # a chart has been told the namespace and means what it says
                continue
            draft.remember_identity()
            self.set_in(draft)
        accumulator.check_unique("namespace transformation produces ID conflict")

    def set_in(self, draft: Draft) -> None:
        """Set an object's own namespace if its kind has one, and those of subjects and of the fields of the specs."""
        if not draft.cluster_scoped:
            for trail in find(draft, _METADATA_NAMESPACE, create=True):
                self._set(draft, trail)
        gvk = draft.gvk
        is_binding = gvk[2] in _BINDINGS
        if is_binding:
            self._set_subjects(draft)
        for spec in self._specs:
            if spec.path == "metadata/name" and draft.api_version != "v1":
                continue
            if is_binding and spec.gvk[2] in _BINDINGS and spec.path == "subjects/namespace":
                continue
            if selects(spec.gvk, gvk):
                for trail in find(draft, spec, create=True):
                    self._set(draft, trail, spec.path)

    def _set_subjects(self, draft: Draft) -> None:
        subjects = draft.content.get("subjects")
        if self.subjects == "none" or subjects is None:
            return
        if not isinstance(subjects, list):
            raise KustomizationError(
                f"setting namespace on (cluster)role binding subjects: {wrong_kind('SequenceNode', subjects)}"
            )
        for position, subject in enumerate(subjects):
            if self._is_meant(subject):
                self._set(draft, ("subjects", position, "namespace"))

    def _is_meant(self, subject: Any) -> bool:
        if not isinstance(subject, dict):
            return False
        if self.subjects == "allServiceAccounts":
            return text_of(subject.get("kind")) == "ServiceAccount"
        return text_of(subject.get("name")) == "default"

    def _set(self, draft: Draft, trail: Trail, path: str = "metadata/namespace") -> None:
        old = held_at(draft, trail)
        if isinstance(old, dict | list):
            raise KustomizationError(
                f"namespace field specs must target scalar nodes: considering field '{path}' of object {draft.text}:"
                f" {wrong_kind('ScalarNode', old)}: node contents:\n{as_written(draft, trail, old)}"
            )
        if self.unset_only and not is_empty(old) and text_of(old):
            return
        if old != self.namespace:
            draft.set(trail, self.namespace)
