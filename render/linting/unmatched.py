"""Entries that mean objects and images which are not there: Kustomize says nothing about them."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from render.kustomization.selector import Selector
from render.kustomization.transformers.image_tag import Image, split_image
from render.kustomization.transformers.replacement import read_replacements

if TYPE_CHECKING:
    from render.kustomization.accumulate import Accumulator
    from render.kustomization.fields import Trail
    from render.kustomization.layer import Layer
    from render.linting.rules import Told

RULE = "unmatched"


def patches(layer: Layer, trail: Trail, accumulator: Accumulator) -> Iterator[Told]:
    """Patches whose target is nothing."""
    if len(trail) != 2:
        return
    field, place = trail
    target = layer.fields[str(field)][place].get("target")
    if target is not None:
        yield (*trail, "target"), RULE, _selected(accumulator, target, "this patch changes nothing: no object matches")


def replacements(layer: Layer, trail: Trail, accumulator: Accumulator) -> Iterator[Told]:
    """Targets of replacements that are nothing."""
    if len(trail) != 2:
        return
    entry = layer.fields["replacements"][trail[1]]
    for number, replacement in enumerate(read_replacements(layer.loader, entry)):
        for place, target in enumerate(replacement.get("targets") or ()):
            where = trail if entry.get("path") else (*trail, "targets", place, "select")
            told = _selected(accumulator, target.get("select") or {}, "nothing is replaced: no object matches")
            yield where, RULE if not entry.get("path") else f"{RULE} {number}.{place}", told


def images(layer: Layer, trail: Trail, accumulator: Accumulator) -> Iterator[Told]:
    """Entries of `images` that no container uses."""
    if trail != ("images",):
        return
    used = {image for draft in accumulator.drafts if draft.manifest for image in _images(draft.manifest)}
    for place, entry in enumerate(layer.fields["images"]):
        probe = Image({**entry, "newName": "", "newTag": "probe", "digest": "", "tagSuffix": ""})
        told = None
        if not any(probe.change(image) != image or image.endswith(":probe") for image in used):
            near = _near(probe.name, {split_image(image)[0] for image in used})
            told = (f'no container has the image "{probe.name}"', near or "images are matched without tag and digest")
        yield ("images", place), RULE, told


def _selected(accumulator: Accumulator, target: dict[str, Any], message: str) -> tuple[str, str] | None:
    if accumulator.select(Selector(target)):
        return None
    wanted = ", ".join(f"{field}: {value}" for field, value in target.items())
    near = ""
    if target.get("name"):
        without = Selector({field: value for field, value in target.items() if field != "name"})
        near = _near(target["name"], {draft.name for draft in accumulator.select(without)})
    return f"{message} {{{wanted}}}", near or "the target is looked for among what the resources and components gave"


def _near(name: str, known: set[str]) -> str:
    found = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.6)
    return f'did you mean "{found[0]}"?' if found else ""


def _images(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "image" and isinstance(value, str):
                yield value
            else:
                yield from _images(value)
    elif isinstance(node, list):
        for item in node:
            yield from _images(item)
