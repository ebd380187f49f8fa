"""Quotes that get lost: Kustomize prints a text plainly wherever YAML reads it as the same text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from render.kustomization.written import written_in

if TYPE_CHECKING:
    from render.kustomization.draft import Draft, Trail
    from render.linting.finding import Finding
    from render.linting.watching import Watcher

RULE = "quotes"
_VARIABLE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*(?::?[-=?+][^}]*)?\}")
"""What a later step may replace: `${NAME}`, also with a default."""
_QUOTES = ("'", '"')


def lost_before_substitution(watcher: Watcher, _read: set[str]) -> Iterator[Finding]:
    """Texts that are one variable in quotes, which a later step may make numbers or booleans."""
    for drafts in watcher.results:
        for draft in drafts:
            if draft.inline is None and draft.context.holds(draft.origin.path, None, b"${"):
                yield from _of(watcher, draft)


def _of(watcher: Watcher, draft: Draft) -> Iterator[Finding]:
    written = written_in(draft.data(), draft.origin.document)
    for trail, text in _texts(draft.content, ()):
        place = (*draft.source, *trail)
        how = written.get(place)
        if how is not None and how.text == text and how.style in _QUOTES and _VARIABLE.fullmatch(text):
            message = f"the quotes around {text} are not printed: what replaces it later may become a number or boolean"
            hint = "join it with a letter, or let the later step add the quotes"
            yield watcher.finding(draft.origin.path, place, RULE, (message, hint), draft.origin.document)


def _texts(node: Any, trail: Trail) -> Iterator[tuple[Trail, str]]:
    if isinstance(node, dict | list):
        for step, item in node.items() if isinstance(node, dict) else enumerate(node):
            yield from _texts(item, (*trail, step))
    elif isinstance(node, str):
        yield trail, node
