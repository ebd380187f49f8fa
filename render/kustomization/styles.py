"""How the values of one object are written, whatever has happened to it since it was read.

A patch keeps the style of what it replaces, so what comes out may depend on quotes in a file three layers below. Few
objects are ever asked, so patches are only noted; whoever asks has them laid over the styles once more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from render.errors import YamlError
from render.kustomization.elements import MISSING
from render.kustomization.ids import text_of
from render.kustomization.written import Trail, Written, is_in_brackets, written_in
from render.yaml.scalars import is_string
from render.yaml.styles import style_of
from render.yaml.tags import NULL, tag_of
from render.yaml.written import Scalar, value_of

if TYPE_CHECKING:
    from render.kustomization.draft import Draft


class Styles:
    """The styles of one draft's values."""

    __slots__ = ("_draft", "_written")

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        patches = draft.laid_over
        self._written = self._at_first(patches[0][0] if patches else draft.content)

    def written(self) -> Written:
        """How each value is written, where that is not how it would be printed."""
        patches = self._draft.laid_over
        while patches:
            from render.kustomization.styled_merge import merge_styles

            before, patch, writer = patches.pop(0)
            self._written = merge_styles(self._draft, before, self._written, writer, patch)
        return self._written

    def _at_first(self, manifest: Any) -> Written:
        draft = self._draft
        if draft.inline == b"":
            return dict(_as_printed(manifest, ()))
        written = written_in(draft.data(), draft.origin.document)
        source = draft.source
        if not source:
            return dict(written)
        length = len(source)
        found = {trail[length:]: how for trail, how in written.items() if trail[:length] == source}
        if is_in_brackets(written, source):
            found[()] = None
        return found

    def at(self, trail: Trail, value: Any) -> Scalar:
        """How the scalar is written that stands at the trail."""
        how = self.written().get(trail)
        if how is None:
            return plain(value)
        return how if stands_for(how, value) else plain(value)._replace(style=how.style, is_tagged=how.is_tagged)

    def note(self, trail: Trail, scalar: Scalar) -> None:
        """Note how a scalar is written that was set already."""
        self.written()[trail] = scalar

    def copy(self, trail: Trail, source: Styles, place: Trail) -> None:
        """Note that what stands at a trail is a copy of what stands in another object."""
        found, length = source.written(), len(place)
        copied = {(*trail, *at[length:]): how for at, how in found.items() if at[:length] == place}
        written = self.written()
        for at in [at for at in written if at[: len(trail)] == trail]:
            del written[at]
        written.update(copied)

    def rewrite(self, trail: Trail, text: str) -> None:
        """Put another text at the trail, without a type of its own: where no quotes stand, the text says what it is."""
        draft = self._draft
        how = Scalar(text, tag="", style=self.at(trail, draft.value(trail)).style)
        draft.set(trail, value_of(how, flow=self.is_in_brackets(trail)))
        self.note(trail, how)

    def is_empty(self, trail: Trail) -> bool:
        """Whether nothing at all stands at the trail."""
        how = self.written().get(trail)
        return how is not None and not how.text and how.tag == NULL

    def is_quoted(self, trail: Trail, text: str) -> bool:
        """Whether a text stands in quotes or in a block: what replaces it is a text, too."""
        return bool(self.at(trail, text).style)

    def is_untyped(self, trail: Trail, value: Any) -> bool:
        """Whether the scalar at the trail has no tag: Kustomize takes such a one for a text until it prints it."""
        return value is not None and not isinstance(value, dict | list) and not self.at(trail, value).tag

    def restyled(self, trail: Trail, old: Any, patch: Scalar) -> Any:
        """The value of a patch in the style of the one that it replaces, and in its own where it replaces nothing."""
        if old is not MISSING:
            kept = self.at(trail, old)
            patch = patch._replace(style=kept.style, is_tagged=kept.is_tagged)
        return value_of(patch, flow=self.is_in_brackets(trail))

    def empty_places(self) -> list[Trail]:
        """Where nothing at all stands."""
        return [trail for trail, how in self.written().items() if how is not None and not how.text and how.tag == NULL]

    def is_in_brackets(self, trail: Trail) -> bool:
        """Whether what stands at the trail is inside brackets."""
        return is_in_brackets(self.written(), trail)


def plain(value: Any) -> Scalar:
    """How a value is written that a transformer has set."""
    if isinstance(value, str):
        return Scalar(value, style="" if is_string(value) and "\n" not in value else '"')
    return Scalar(text_of(value), tag_of(value))


def stands_for(scalar: Scalar, value: Any) -> bool:
    """Whether a value is that of the scalar."""
    for flow in (False, True):
        try:
            found = value_of(scalar, flow=flow)
        except YamlError:
            found = scalar.text
        if type(found) is type(value) and (found == value or (found != found and value != value)):
            return True
    return False


def _as_printed(node: Any, trail: Trail) -> Iterator[tuple[Trail, Scalar | None]]:
    """The styles of what Kustomize has printed and read again, as it does around JSON patches."""
    if isinstance(node, dict | list):
        if not node:
            yield trail, None
        for step, item in node.items() if isinstance(node, dict) else enumerate(node):
            yield from _as_printed(item, (*trail, step))
    elif isinstance(node, str):
        style = style_of(node) if node else '"'
        if style:
            yield trail, Scalar(node, style=style)
