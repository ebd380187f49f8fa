"""Bases in other repositories that can change without a commit here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from render.kustomization.loader import is_remote
from render.tree.remote import parse_remote

if TYPE_CHECKING:
    from render.kustomization.accumulate import Accumulator
    from render.kustomization.fields import Trail
    from render.kustomization.layer import Layer
    from render.linting.rules import Told

RULE = "unpinned"
_COMMIT = re.compile(r"[0-9a-f]{40}")


def unpinned(layer: Layer, trail: Trail, _accumulator: Accumulator) -> Iterator[Told]:
    """Remote bases whose ref is no commit."""
    if len(trail) != 2:
        return
    field, place = trail
    entry: str = layer.fields[str(field)][place]
    if not is_remote(entry):
        return
    ref = parse_remote(entry).ref
    if not _COMMIT.fullmatch(ref):
        what = f'"{ref}" can be moved' if ref else "it follows the server's own branch"
        yield trail, RULE, (f"this base is not pinned: {what}", "name a full commit id: ?ref=<40 digits>")
