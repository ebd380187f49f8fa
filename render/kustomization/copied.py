"""What a replacement copies: a scalar as it is written, or a mapping or list with the styles of what is in it."""

from __future__ import annotations

from typing import Any

from render.errors import KustomizationError, YamlError
from render.kustomization.copying import deep_copy
from render.kustomization.draft import Draft, Trail
from render.kustomization.fieldpath import Place
from render.yaml.nodes import node_of
from render.yaml.written import Scalar, value_of


class Value:
    """What is copied: a scalar as it is written, or a mapping or list.

    A whole field is looked at again each time that its own object has changed.
    """

    def __init__(self, *, how: Scalar | None = None, draft: Draft | None = None, trail: Trail = ()) -> None:
        self.how = how
        self._draft = draft
        self._trail = trail
        self.data: Any = None
        if draft is not None:
            self.follow(draft)
        elif how is not None:
            self.data = scalar_value(how)

    @property
    def text(self) -> str:
        """The text of a scalar, "" for anything else."""
        return self.how.text if self.how else ""

    def follow(self, changed: Draft) -> None:
        """Take what the field holds now if this object is its own."""
        if changed is self._draft:
            self.data = changed.value(self._trail)
            self.how = None if isinstance(self.data, dict | list) else changed.styles.at(self._trail, self.data)

    def node(self) -> Any:
        """The value as a node of a YAML text, with its styles."""
        if self._draft is None or self.how is not None:
            return self.how
        length = len(self._trail)
        written = self._draft.styles.written()
        return node_of(self.data, {at[length:]: how for at, how in written.items() if at[:length] == self._trail})

    def put(self, target: Draft, place: Place) -> None:
        """Put a copy in the place of a mapping or list."""
        target.context.budget.copied(self.data)
        place.set(deep_copy(self.data))
        if self._draft is not None:
            target.styles.copy(place.trail, self._draft.styles, self._trail)
        elif self.how is not None:
            target.styles.note(place.trail, self.how)


def scalar_value(how: Scalar, *, flow: bool = False, otherwise: str | None = None) -> Any:
    """The value of a scalar; `otherwise` where tag and text differ, an error if that is None."""
    try:
        return value_of(how, flow=flow)
    except YamlError as error:
        if otherwise is not None:
            return otherwise
        raise KustomizationError(
            f"yaml: {error.message}", hint="the target keeps its type: write it in quotes to replace it by text"
        ) from error
