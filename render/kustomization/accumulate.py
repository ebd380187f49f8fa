"""What a layer has gathered: drafts in order, found by identity without looking through all of them.

Also the configuration and the vars that travel upwards with them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from render.errors import KustomizationError
from render.kustomization.config import EMPTY, Config
from render.kustomization.draft import Draft
from render.kustomization.ids import Id, id_text

if TYPE_CHECKING:
    from render.kustomization.selector import Selector

Var = dict[str, Any]


class Accumulator:
    """The drafts of a layer, in order. Their identities are indexed when somebody asks and forgotten on changes."""

    def __init__(self) -> None:
        self.drafts: list[Draft] = []
        self.config: Config = EMPTY
        self.vars: dict[str, Var] = {}
        self.places_of_vars: dict[str, tuple[str, int]] = {}
        """For each var its kustomization and its number there."""
        self._current: dict[Id, Draft] | None = {}
        self._any: dict[Id, list[Draft]] | None = None
        self._named: dict[str, list[Draft]] | None = None
        self._has_deleted = False

    def append(self, draft: Draft) -> None:
        """Add an object. Raises `KustomizationError` if another one has its identity."""
        current = self._by_current()
        key = draft.id
        if key in current:
            raise KustomizationError(
                f"may not add resource with an already registered id: {draft.text}",
                hint=f"the other one comes from {current[key].origin.path}",
            )
        current[key] = draft
        self.drafts.append(draft)
        if self._any is not None:
            self._index(draft)

    def extend(self, drafts: Iterable[Draft]) -> None:
        """Add objects in order."""
        for draft in drafts:
            self.append(draft)

    def merge(self, other: Accumulator) -> None:
        """Take what the layer below has gathered."""
        self.extend(other.drafts)
        self.config = self.config.merge(other.config)
        for var in other.vars.values():
            self.add_var(var)
        self.places_of_vars.update(other.places_of_vars)

    def add_var(self, var: Var) -> None:
        """Add a variable. Raises `KustomizationError` if its name is taken."""
        if var["name"] in self.vars:
            raise KustomizationError(f"var '{var['name']}' already encountered")
        self.vars[var["name"]] = var

    def identities_changed(self) -> None:
        """Somebody changed names, namespaces or kinds: index anew before the next question."""
        self._current = None
        self._any = None
        self._named = None

    def deleted(self) -> None:
        """Somebody deleted an object."""
        self._has_deleted = True

    def drop_deleted(self) -> None:
        """Forget what patches have deleted."""
        if self._has_deleted:
            self._has_deleted = False
            self.drafts = [draft for draft in self.drafts if draft.manifest]
            self.identities_changed()

    def with_any_id(self, key: Id) -> list[Draft]:
        """The objects that have or had this identity, in order."""
        self._index_all()
        assert self._any is not None
        return [draft for draft in self._any.get(key, ()) if draft.manifest]

    def named(self, name: str) -> list[Draft]:
        """The objects that are or were called so, in order."""
        self._index_all()
        assert self._named is not None
        return [draft for draft in self._named.get(name, ()) if draft.manifest]

    def select(self, selector: Selector) -> list[Draft]:
        """The objects that a selector means, in order; one that names them plainly looks at nothing else."""
        drafts = self.named(selector.name) if selector.names_plainly else self.drafts
        return [draft for draft in drafts if draft.manifest and selector.matches(draft)]

    def check_unique(self, message: str) -> None:
        """Raise `KustomizationError` if two objects have one identity."""
        self.identities_changed()
        seen: dict[Id, Draft] = {}
        for draft in self.drafts:
            if draft.manifest:
                other = seen.setdefault(draft.id, draft)
                if other is not draft:
                    raise KustomizationError(
                        f"{message}: {draft.text}",
                        hint=f"one comes from {other.origin.path}, the other from {draft.origin.path}",
                    )

    def _index_all(self) -> None:
        if self._any is None or self._named is None:
            self._any, self._named = {}, {}
            for draft in self.drafts:
                if draft.manifest:
                    self._index(draft)

    def _index(self, draft: Draft) -> None:
        assert self._any is not None
        assert self._named is not None
        ids = dict.fromkeys(draft.all_ids)
        for old in ids:
            self._any.setdefault(old, []).append(draft)
        for name in dict.fromkeys(old[3] for old in ids):
            self._named.setdefault(name, []).append(draft)

    def _by_current(self) -> dict[Id, Draft]:
        if self._current is None:
            self._current = {}
            for draft in self.drafts:
                if draft.manifest:
                    self._current.setdefault(draft.id, draft)
        return self._current


def target_of(accumulator: Accumulator, patch: Draft) -> Draft:
    """The one object that a patch without a target means. Raises `KustomizationError` for none or several."""
    matches = accumulator.with_any_id(patch.id)
    if len(matches) == 1:
        return matches[0]
    what = "multiple matches" if matches else "no matches"
    name = id_text(patch.gvk, patch.name, patch.namespace)
    raise KustomizationError(f"{what} for Id {name}; failed to find unique target for patch {name}")
