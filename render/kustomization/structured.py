"""Fields inside text: a path may go on into JSON or YAML that a string holds, as in a ConfigMap's data."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

from render import yaml
from render.errors import KustomizationError, YamlError
from render.kustomization.draft import deep_copy
from render.kustomization.fieldpath import find_places, look_up
from render.kustomization.values import go_json
from render.yaml.scalars import resolve


def set_in_text(manifest: Any, steps: Sequence[str], data: Any, text: str, *, create: bool) -> bool:
    """Set a field inside a string that the path leads through; False if there is none or it has no such field."""
    for length in range(1, len(steps)):
        with contextlib.suppress(KustomizationError):
            trail = look_up(manifest, steps[:length])
            value = _at(manifest, trail) if trail is not None else None
            if isinstance(value, str) and trail:
                return _set(manifest, trail, value, steps[length:], data, text, create=create)
    return False


def _set(
    manifest: Any, trail: Sequence[str | int], held: str, steps: Sequence[str], data: Any, text: str, *, create: bool
) -> bool:
    try:
        documents = yaml.parse(held.encode("utf-8", "surrogatepass"), "")
    except YamlError:
        return False
    document = deep_copy(documents[0]) if documents else None
    if document is None:
        return False
    try:
        places = find_places(document, steps, data if create else None, create=create)
    except KustomizationError:
        return False
    for place in places:
        if isinstance(place.value, dict | list):
            place.set(deep_copy(data))
        elif isinstance(place.value, str) and not place.made_scalar:
            place.set(text)
        else:
            place.set(resolve(text) if text else None)
    if places:
        _at(manifest, trail[:-1])[trail[-1]] = _printed(document, held)
    return bool(places)


def _printed(document: Any, before: str) -> str:
    """The changed text in the manner of the old one."""
    if before.strip()[:1] in ("{", "["):
        pretty = "\n" in before and "  " in before
        return go_json(document, indent=2 if pretty else None)
    return yaml.dump([document]).strip()


def _at(node: Any, trail: Sequence[str | int]) -> Any:
    for step in trail:
        node = node[step]
    return node
