"""Regular expressions as Go reads them, matched in linear time.

Kustomize takes expressions in selectors, in image names and in replacement paths. They come from a repository, so they
must neither mean something else here than there nor take for ever: Python's own expressions differ in syntax and
backtrack. So an expression is read by Go's rules into a machine of states, and a text is matched by following all
states at once. Plain texts, nearly all there are, never come that far.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from render.errors import KustomizationError
from render.kustomization.expression_syntax import Node, parse_expression

MOST_STATES = 20_000
"""States of one machine."""

MOST_WORK = 20_000_000
"""States times characters of one match."""

_MOST_KEPT_MOVES = 4_096
_EASY = re.compile(r"(?:[-\w/:@,= ]|\\\.|\.(?![*+?{]))*(?:\.\*)?(?:[-\w/:@,= ]|\\\.|\.(?![*+?{]))*", re.ASCII)
"""Texts with dots and at most one `.*`: Python means the same and takes no longer."""


@lru_cache(1024)
def expression(pattern: str) -> Callable[[str], bool]:
    """A test whether a text holds a match. Raises `KustomizationError` for an expression that Go refuses."""
    if _EASY.fullmatch(pattern):
        easy = re.compile(pattern, re.ASCII)
        return lambda text: easy.search(text) is not None
    return _Machine(pattern).finds


@lru_cache(1024)
def whole(pattern: str) -> Callable[[str], bool]:
    """A test whether the expression is all of a text, as selectors mean theirs."""
    if _EASY.fullmatch(pattern):
        easy = re.compile(pattern, re.ASCII)
        return lambda text: easy.fullmatch(text) is not None
    parse_expression(pattern)  # errors speak of what was written
    return _Machine(f"^(?:{pattern})$").finds


class _Machine:
    """States by number. A state waits for a character (a test and the next state), or splits, or looks around."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._tests: list[Callable[[str], bool] | None] = []
        self._looks: list[str] = []
        self._next: list[tuple[int, ...]] = []
        self._end = self._state()
        self._start = self._build(parse_expression(pattern), self._end)
        self._moves: dict[tuple[frozenset[int], str], frozenset[int]] = {}

    def finds(self, text: str) -> bool:
        """Whether the text holds a match."""
        if len(text) * len(self._next) > MOST_WORK:
            raise KustomizationError(
                f"the expression `{self._pattern[:80]}` is too large for a text of {len(text)} characters"
            )
        states: frozenset[int] = frozenset()
        before = ""
        for place in range(len(text) + 1):
            after = text[place : place + 1]
            reached = self._follow(states | {self._start}, before, after)
            if self._end in reached:
                return True
            if after:
                states = self._step(reached, after)
            before = after
        return False

    def _step(self, states: frozenset[int], character: str) -> frozenset[int]:
        key = (states, character)
        found = self._moves.get(key)
        if found is None:
            if len(self._moves) > _MOST_KEPT_MOVES:
                self._moves.clear()
            moved = set()
            for state in states:
                test = self._tests[state]
                if test is not None and test(character):
                    moved.add(self._next[state][0])
            found = self._moves[key] = frozenset(moved)
        return found

    def _follow(self, states: frozenset[int], before: str, after: str) -> frozenset[int]:
        """All states that are reached without taking a character."""
        seen = set(states)
        pending = list(states)
        while pending:
            state = pending.pop()
            if self._tests[state] is None and (not self._looks[state] or _holds(self._looks[state], before, after)):
                for following in self._next[state]:
                    if following not in seen:
                        seen.add(following)
                        pending.append(following)
        return frozenset(seen)

    def _state(self, *following: int, test: Callable[[str], bool] | None = None, look: str = "") -> int:
        if len(self._next) >= MOST_STATES:
            raise KustomizationError(f"error parsing regexp: expression too large: `{self._pattern[:80]}`")
        self._tests.append(test)
        self._looks.append(look)
        self._next.append(following)
        return len(self._next) - 1

    def _build(self, node: Node, after: int) -> int:
        """The first state of a part that goes on to the state `after`."""
        if node.kind == "test":
            return self._state(after, test=node.test)
        if node.kind == "look":
            return self._state(after, look=node.look)
        if node.kind == "sequence":
            for part in reversed(node.parts):
                after = self._build(part, after)
            return after
        if node.kind == "choice":
            return self._state(*[self._build(part, after) for part in node.parts])
        return self._repeated(node, after)

    def _repeated(self, node: Node, after: int) -> int:
        part = node.parts[0]
        if node.most is None:
            loop = self._state()
            self._next[loop] = (self._build(part, loop), after)
            after = loop
        else:
            for _ in range(node.most - node.least):
                after = self._state(self._build(part, after), after)
        for _ in range(node.least):
            after = self._build(part, after)
        return after


def _holds(look: str, before: str, after: str) -> bool:
    if look == "begin":
        return not before
    if look == "end":
        return not after
    if look == "line begin":
        return before in ("", "\n")
    if look == "line end":
        return after in ("", "\n")
    return (_is_word(before) != _is_word(after)) == (look == "boundary")


def _is_word(character: str) -> bool:
    return character.isascii() and (character.isalnum() or character == "_")
