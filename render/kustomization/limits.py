"""What one build may cost: generous beyond any repository that people write, and small beside what a bomb would take.

A few lines can ask for exponentially much: bases that each name the one below twice, replacements that copy a field
into itself, variables, generators and patches that repeat. So a build counts what it makes, and stops with an error.
"""

from __future__ import annotations

from typing import Any

from render.errors import KustomizationError

MOST_NESTED = 60
"""Kustomizations inside each other."""

MOST_LAYERS = 10_000
"""Kustomizations of one build, each counted as often as it is named."""

MOST_OBJECTS = 500_000
"""Objects of one build, each counted as often as it is made."""

MOST_MADE = 128 << 20
"""Characters (a node counts as `NODE` of them) that replacements, copies, variables and generators may make."""

NODE = 200
"""Characters of memory that a node takes, roughly."""

MOST_PAIRED = 4_000
"""Elements of a list whose elements must be compared with each other to merge."""


class Budget:
    """What a build has used so far."""

    def __init__(self) -> None:
        self._layers = 0
        self._objects = 0
        self._made = 0

    def layer(self, path: str) -> None:
        """One more kustomization is built. Raises `KustomizationError` if that is too much."""
        self._layers += 1
        if self._layers > MOST_LAYERS:
            raise KustomizationError(
                f"the build has more than {MOST_LAYERS} kustomizations",
                path=path,
                hint="bases that each name the one below twice double at every step",
            )

    def objects(self, count: int, path: str) -> None:
        """More objects are made. Raises `KustomizationError` if that is too much."""
        self._objects += count
        if self._objects > MOST_OBJECTS:
            raise KustomizationError(f"the build has more than {MOST_OBJECTS} objects", path=path)

    def made(self, characters: int) -> None:
        """Text or nodes are made. Raises `KustomizationError` if that is too much."""
        self._made += characters
        if self._made > MOST_MADE:
            raise KustomizationError(
                f"the build makes more than {MOST_MADE >> 20} MiB out of what is written",
                hint="something copies a value into itself again and again",
            )

    def copied(self, value: Any) -> None:
        """A value is copied. Raises `KustomizationError` if that is too much."""
        self.made(weight(value))


def weight(value: Any) -> int:
    """How many characters a value counts for."""
    if isinstance(value, str):
        return NODE + len(value)
    if isinstance(value, dict):
        return NODE + sum(len(key) + weight(item) for key, item in value.items())
    return NODE + sum(map(weight, value)) if isinstance(value, list) else NODE
