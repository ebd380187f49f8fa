"""Who wants to know what a build does: `render.explanation` and `render.linting`. Builds go without one.

Steps are told by the place of the field that asks for them (`patches`, 3 of a kustomization), so an observer sees each
object before and after it. What follows all layers is told by the name of the step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from render.kustomization.accumulate import Accumulator
    from render.kustomization.fields import Trail
    from render.kustomization.layer import Layer


class Observer:
    """Is told of each step and may look at everything, but must change nothing."""

    def begins(self, layer: Layer, accumulator: Accumulator) -> None:
        """A layer begins to gather into the accumulator."""

    def before(self, layer: Layer, trail: Trail) -> None:
        """A field of the layer's kustomization is about to act. Some act twice: they read first."""

    def after(self, layer: Layer, trail: Trail) -> None:
        """It has acted."""

    def finished(self, step: str, accumulator: Accumulator) -> None:
        """One of the steps after all layers is done."""
