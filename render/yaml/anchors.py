"""Anchors and aliases, with a bound on what they may unfold to.

An alias shares its anchor's value, so a bomb costs nothing to read; it would cost everything to print. So the size and
the depth of each shared value are known, what aliases add is counted, and a value that contains itself is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

MOST_DEPTH = 300
"""Levels of nesting, aliases unfolded. Kubernetes' own objects stay below 40."""

MOST_ALIASED = 1_000_000
"""Nodes that the aliases of one file may unfold to; a long text counts as several."""

_NODE = 64
"""Characters of a text that count as a node."""

EMPTY = object()
"""Stands for an anchored value that is not there; what it means depends on where the alias stands."""


class Anchors:
    """The anchors of the document that is being read. `fail` is called with a message and the alias's event."""

    def __init__(self, fail: Callable[[str, Any], NoReturn]) -> None:
        self._fail = fail
        self._values: dict[str, Any] = {}
        self._measured: dict[int, tuple[int, int]] = {}
        self._aliased = 0
        self.opened: list[Any] = []
        """Anchored collections that are not complete yet, outermost first."""

    def clear(self) -> None:
        """Forget the anchors: a document knows only its own."""
        self._values.clear()
        self._measured.clear()

    def name(self, anchor: str, value: Any) -> None:
        """Remember a scalar; an anchor that is used again takes the new value."""
        self._values[anchor] = value

    def open(self, anchor: str, collection: Any) -> None:
        """Remember a collection that begins."""
        self._values[anchor] = collection
        self.opened.append(collection)

    def close(self, collection: Any) -> None:
        """Note that a collection, anchored or not, is complete."""
        if self.opened[-1] is collection:
            self.opened.pop()

    def value(self, event: Any, depth: int, empty: str | None = None) -> Any:
        """What an alias at the given depth stands for; `empty` where nothing is."""
        anchor = event.anchor
        if anchor not in self._values:
            self._fail(f"unknown anchor '{anchor}' referenced", event)
        value = self._values[anchor]
        if any(value is collection for collection in self.opened):
            self._fail(f"anchor '{anchor}' value contains itself", event)
        nodes, levels = self._measure(value)
        self._aliased += nodes
        if self._aliased > MOST_ALIASED:
            self._fail(f"aliases unfold to more than {MOST_ALIASED} nodes", event)
        if depth + levels > MOST_DEPTH:
            self._fail(f"nested more than {MOST_DEPTH} levels deep", event)
        return empty if value is EMPTY else value

    def _measure(self, value: Any) -> tuple[int, int]:
        """Nodes and levels of a complete value; each shared collection is walked once."""
        if value.__class__ is not dict and value.__class__ is not list:
            return (1 + len(value) // _NODE if value.__class__ is str else 1), 0
        known = self._measured.get(id(value))
        if known is None:
            inner = [self._measure(item) for item in (value.values() if value.__class__ is dict else value)]
            nodes = 1 + sum(count for count, _ in inner)
            known = self._measured[id(value)] = (nodes, 1 + max((levels for _, levels in inner), default=0))
        return known
