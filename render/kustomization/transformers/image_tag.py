"""ImageTagTransformer: gives images another name, tag or digest (K23, K24)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from render.errors import KustomizationError
from render.kustomization.accumulate import Accumulator
from render.kustomization.draft import Draft, Trail
from render.kustomization.expressions import expression
from render.kustomization.fieldspec import SpecsByKind, find, held_at, wrong_kind

_CONTAINER_LISTS = ("containers", "initContainers")


class Image:
    """One entry of `images`."""

    def __init__(self, entry: dict[str, Any]) -> None:
        self.name = entry.get("name") or ""
        self._new_name = entry.get("newName") or ""
        self._new_tag = entry.get("newTag") or ""
        self._digest = entry.get("digest") or ""
        self._tag_suffix = entry.get("tagSuffix") or ""
        try:
            self._matches = expression(f"^{self.name}(:[a-zA-Z0-9_.{{}}-]*)?(@sha256:[a-zA-Z0-9_.{{}}-]*)?$")
        except KustomizationError as error:
            raise KustomizationError(
                f"the image name {self.name!r} is no valid regular expression: {error.message}",
                hint="names are matched as regular expressions: put a backslash before special characters",
            ) from error

    def change(self, image: str) -> str:
        """The image as this entry wants it."""
        if not self._matches(image):
            return image
        name, tag, digest = split_image(image)
        name = self._new_name or name
        if self._new_tag:
            tag, digest = self._new_tag, self._digest
        elif self._digest:
            tag, digest = "", self._digest
        elif self._tag_suffix:
            tag, digest = tag + self._tag_suffix, ""
        return name + (f":{tag}" if tag else "") + (f"@{digest}" if digest else "")


def split_image(image: str) -> tuple[str, str, str]:
    """Name, tag and digest; a registry's port belongs to the name."""
    slash = max(image.find("/"), 0)
    at, colon = image.find("@", slash), image.find(":", slash)
    if at < 0 and colon < 0:
        return image, "", ""
    if at >= 0 and (at < colon or colon < 0):
        return image[:at], "", image[at:].removeprefix("@")
    if at >= 0:
        return image[:colon], image[colon:at].removeprefix(":"), image[at:].removeprefix("@")
    return image[:colon], image[colon:].removeprefix(":"), ""


def set_images(accumulator: Accumulator, images: Sequence[Image], specs: SpecsByKind) -> None:
    """Change images in lists of containers anywhere, then in the fields of the specs; both, for each entry in turn."""
    for draft in accumulator.drafts:
        if draft.kind == "CustomResourceDefinition":
            continue
        anywhere = list(_in_containers(draft.content, []))
        by_spec = [trail for spec in specs.of(draft.gvk) for trail in find(draft, spec)]
        for image in images:
            for trails in (anywhere, by_spec):
                for trail in trails:
                    _change(draft, trail, image)


def _change(draft: Draft, trail: Trail, image: Image) -> None:
    old = held_at(draft, trail)
    if old is None:
        return
    if isinstance(old, dict | list):
        raise KustomizationError(f"image of {draft.text}: {wrong_kind('ScalarNode', old)}")
    text = draft.text_at(trail, old)
    new = image.change(text)
    if new == text:
        return
    draft.rewrite(trail, new)


def _in_containers(node: Any, trail: list[str | int]) -> Iterator[Trail]:
    if isinstance(node, dict):
        for key, value in node.items():
            if isinstance(value, dict | list):
                trail.append(key)
                yield from _in_containers(value, trail)
                if key in _CONTAINER_LISTS and isinstance(value, list):
                    for position, element in enumerate(value):
                        if isinstance(element, dict):
                            if "image" in element:
                                yield (*trail, position, "image")
                        elif element is not None:
                            raise KustomizationError(wrong_kind("MappingNode", element))
                trail.pop()
    elif isinstance(node, list):
        for position, value in enumerate(node):
            if isinstance(value, dict | list):
                trail.append(position)
                yield from _in_containers(value, trail)
                trail.pop()
