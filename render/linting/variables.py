"""Vars that nobody uses: Kustomize says so in a log that few read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from render.kustomization.accumulate import Accumulator
    from render.linting.rules import Told

RULE = "unused"


def unused(accumulator: Accumulator) -> Iterator[tuple[str, Told]]:
    """The vars, with what is said about those that no object holds; asked before they are put in."""
    for name, (path, place) in accumulator.places_of_vars.items():
        used = any(_holds(draft.content, f"$({name})") for draft in accumulator.drafts if draft.manifest)
        told = None if used else (f"nothing holds $({name})", "take it away, or copy the value by replacements")
        yield path, (("vars", place), RULE, told)


def _holds(node: Any, text: str) -> bool:
    if isinstance(node, str):
        return text in node
    parts = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return any(_holds(part, text) for part in parts)
