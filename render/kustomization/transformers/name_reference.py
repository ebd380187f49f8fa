"""NameReferenceTransformer: fields that hold another object's name follow when that name changes (K13 to K19).

Runs once, at the top. For each kind of referrer the fields of all references are gathered in one tree of paths, so that
an object is walked once; candidates come from an index of earlier names, so that no reference looks through them all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from render.errors import KustomizationError
from render.kustomization.accumulate import Accumulator
from render.kustomization.config import Config, NameReferences
from render.kustomization.draft import Draft, Trail
from render.kustomization.fieldspec import held_at, steps_of, wrong_kind
from render.kustomization.ids import CLUSTER, Gvk, field_text, selects, text_of
from render.yaml.scalars import is_string, resolve


class _Step:
    """A step of the paths of one kind: where they go on, and what the field here refers to."""

    __slots__ = ("next", "targets")

    def __init__(self) -> None:
        self.next: dict[str, _Step] = {}
        self.targets: list[tuple[Gvk, str]] = []


class _References:
    """The paths of all references, by the kind of the referrer."""

    def __init__(self, references: NameReferences) -> None:
        self._references = references
        self._by_kind: dict[Gvk, _Step] = {}

    def of(self, gvk: Gvk) -> _Step:
        """The tree of paths of one kind."""
        root = self._by_kind.get(gvk)
        if root is None:
            root = self._by_kind[gvk] = _Step()
            for target, specs in self._references:
                for spec in specs:
                    if selects(spec.gvk, gvk):
                        self._add(root, spec.path, target)
        return root

    def _add(self, root: _Step, path: str, target: Gvk) -> None:
        step = root
        for name, _, _ in steps_of(path):
            step = step.next.setdefault(name, _Step())
        step.targets.append((target, path))


def fix_references(accumulator: Accumulator) -> None:
    """Bring every reference up to date. Raises `KustomizationError` for one that could mean several objects."""
    config: Config = accumulator.config
    if config.compiled_references is None:
        config.compiled_references = _References(config.references)
    candidates = _Candidates(accumulator.drafts)
    for draft in accumulator.drafts:
        root = config.compiled_references.of(draft.original_gvk)
        if root.next:
            try:
                _Referrer(draft, candidates).walk(draft.content, root, ())
            except KustomizationError as error:
                draft.blame(error)
                raise


class _Candidates:
    """Renamed objects by what they were called, and which namespaces there are."""

    def __init__(self, drafts: Sequence[Draft]) -> None:
        self._by_name: dict[str, list[Draft]] = {}
        self.original_namespaces: dict[str, set[tuple[str, str]]] = {}
        for draft in drafts:
            for name in dict.fromkeys(name for _, name, _ in draft.previous):
                self._by_name.setdefault(name, []).append(draft)
            current = (draft.effective_namespace, draft.namespace)
            self.original_namespaces.setdefault(draft.original_namespace, set()).add(current)

    def called(self, name: str) -> list[Draft]:
        """The objects that were once called so, in order."""
        return self._by_name.get(name, [])


def _bound_namespaces(draft: Draft) -> frozenset[str]:
    """A role binding also sees the namespaces of its service accounts."""
    subjects = draft.content.get("subjects") if draft.kind == "RoleBinding" else None
    found = set()
    for subject in subjects if isinstance(subjects, list) else ():
        if isinstance(subject, dict) and "namespace" in subject and subject.get("kind") == "ServiceAccount":
            if not isinstance(subject["namespace"], str):
                raise KustomizationError(
                    f'Invalid Input: namespace is blank for resource "{draft.text}"',
                    hint="give each subject's namespace as text",
                )
            found.add(subject["namespace"])
    return frozenset(found)


class _Referrer:
    """One object whose references are followed."""

    def __init__(self, draft: Draft, candidates: _Candidates) -> None:
        self._draft = draft
        self._candidates = candidates
        self._namespace = draft.effective_namespace
        self._bound_namespaces = _bound_namespaces(draft) if self._namespace != CLUSTER else frozenset()

    def walk(self, node: Any, step: _Step, trail: Trail) -> None:
        """Follow the paths below a value."""
        if node is None:
            return
        if isinstance(node, list):
            for position, element in enumerate(node):
                self.walk(element, step, (*trail, position))
        elif isinstance(node, dict):
            for name, following in step.next.items():
                value = node.get(name)
                if value is None and held_at(self._draft, (*trail, name)) is None:
                    continue
                for target, path in following.targets:
                    self._follow((*trail, name), target, path)
                if following.next:
                    self.walk(value, following, (*trail, name))
        else:
            raise KustomizationError(
                f"updating name reference in '{next(iter(step.next))}' field of '{self._draft.text}':"
                " expected sequence or mapping node",
                within=trail,
            )

    def _follow(self, trail: Trail, target: Gvk, path: str) -> None:
        value = held_at(self._draft, trail)
        try:
            if isinstance(value, list):
                for position, element in enumerate(value):
                    self._follow_one((*trail, position), element, target, path)
            else:
                self._follow_one(trail, value, target, path)
        except KustomizationError as error:
            raise KustomizationError(
                f"updating name reference in '{path}' field of '{self._draft.text}': {error.message}",
                hint=error.hint,
                within=trail,
            ) from error

    def _follow_one(self, trail: Trail, value: Any, target: Gvk, path: str) -> None:
        if value is None:
            return
        if isinstance(value, dict):
            self._follow_mapping(trail, value, target, path)
        elif isinstance(value, list):
            raise KustomizationError(f"{wrong_kind('ScalarNode', value)}: a string or a mapping is expected")
        else:
            name = text_of(value)
            found = self._referral(self._visible(self._candidates.called(name)), target, path, _same_name)
            if found is not None and found.name != name:
                self._rename(trail, value, found.name)

    def _rename(self, trail: Trail, old: Any, name: str) -> None:
        """Write a name where another stood: what has no quotes takes its type from the text."""
        quoted = isinstance(old, str) and not is_string(name) and self._draft.styles.is_quoted(trail, old)
        self._draft.set(trail, name if quoted else resolve(name))

    def _follow_mapping(self, trail: Trail, value: dict[str, Any], target: Gvk, path: str) -> None:
        if "name" not in value:
            raise KustomizationError("path config error; no 'name' field in node")
        name = text_of(value["name"])
        visible = self._visible(self._candidates.called(name))
        if "namespace" in value:
            visible = self._in_namespace(visible, text_of(value["namespace"]))
        found = self._referral(visible, target, path, _same_name_and_namespace)
        if found is None or (found.name == name and not found.namespace):
            return
        if found.name != name:
            self._rename((*trail, "name"), value["name"], found.name)
        if found.namespace and value.get("namespace") != found.namespace:
            self._draft.set((*trail, "namespace"), found.namespace)

    def _visible(self, drafts: Iterable[Draft]) -> list[Draft]:
        """Those that an object in this namespace may refer to."""
        return [draft for draft in drafts if self._sees(draft.effective_namespace, draft.namespace)]

    def _sees(self, effective: str, written: str) -> bool:
        if self._namespace == CLUSTER or effective in (CLUSTER, self._namespace):
            return True
        return written in self._bound_namespaces

    def _in_namespace(self, drafts: list[Draft], namespace: str) -> list[Draft]:
        """Those that were in the namespace at first, or if nothing ever was, those that are in it now."""
        if namespace == CLUSTER:
            return []
        was_used = any(self._sees(*place) for place in self._candidates.original_namespaces.get(namespace, ()))
        if was_used:
            return [draft for draft in drafts if draft.original_namespace == namespace]
        return [draft for draft in drafts if draft.effective_namespace == namespace]

    def _referral(
        self, candidates: list[Draft], target: Gvk, path: str, alike: Callable[[list[Draft]], bool]
    ) -> Draft | None:
        """The one object that is meant, None if no renamed one is."""
        if not candidates:
            return None
        candidates = [draft for draft in candidates if _was_kind(draft, target)]
        role = self._role_kind(path)
        if role is not None:
            candidates = [draft for draft in candidates if _was_kind(draft, role)]
        if self._namespace != CLUSTER:
            candidates = [draft for draft in candidates if self._shares_namespace(draft)]
        if len(candidates) > 1:
            candidates = [draft for draft in candidates if self._shares_affixes(draft, or_has_none=True)]
            if len(candidates) > 1:
                candidates = [draft for draft in candidates if self._shares_affixes(draft, or_has_none=False)]
        if not candidates:
            return None
        if len(candidates) > 1 and not alike(candidates):
            raise KustomizationError(
                f"found multiple possible referrals: {', '.join(draft.text for draft in candidates)}",
                hint="give the objects different names, or put them in different namespaces",
            )
        return candidates[0]

    def _role_kind(self, path: str) -> Gvk | None:
        """What kind a role binding's `roleRef` says it means."""
        if not path.endswith("roleRef/name"):
            return None
        reference = self._draft.content.get("roleRef")
        if not isinstance(reference, dict) or "apiGroup" not in reference or "kind" not in reference:
            return None
        return field_text(reference, "apiGroup"), "", field_text(reference, "kind")

    def _shares_namespace(self, draft: Draft) -> bool:
        return draft.effective_namespace in (CLUSTER, self._namespace) or draft.kind == "ServiceAccount"

    def _shares_affixes(self, draft: Draft, *, or_has_none: bool) -> bool:
        return all(
            _ends_alike(own, other) or (or_has_none and not (own and other))
            for own, other in ((draft.prefixes, self._draft.prefixes), (draft.suffixes, self._draft.suffixes))
        )


def _was_kind(draft: Draft, target: Gvk) -> bool:
    group, version, _ = draft.gvk
    return any(selects(target, (group, version, kind)) for kind, _, _ in draft.previous)


def _ends_alike(one: list[str], other: list[str]) -> bool:
    shared = min(len(one), len(other))
    return one[-shared:] == other[-shared:] if shared else len(one) == len(other)


def _same_name(drafts: list[Draft]) -> bool:
    return len({draft.name for draft in drafts}) == 1


def _same_name_and_namespace(drafts: list[Draft]) -> bool:
    return len({(draft.name, draft.namespace) for draft in drafts}) == 1
