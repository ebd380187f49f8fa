"""Puts real controllers together between a story's mirror, API and caches, with the product's own function."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reconciler.controller import assemble as assembling
from reconciler.controller import loop
from reconciler.failover.execute import knowing
from simulation.links import Caches, Client, Mirror

if TYPE_CHECKING:
    from simulation.world import World

BUSY = 1.0
"""How often a pass looks at the time while something is waited for, in seconds: half as often as in real life."""

PROMOTION_LIMIT = 60.0
"""Seconds that a driver may take before people are asked to look: they are patient for five minutes in real life."""


@contextmanager
def assembled(world: World) -> Iterator[None]:
    """The real assembling of a controller, between this world's mirror, API and caches."""

    def mirror(*_: Any, **__: Any) -> Mirror:
        task = world.scheduler.current
        assert task is not None
        return world.controller_of(task.process).mirror

    def caches(*_: Any, **__: Any) -> Caches:
        task = world.scheduler.current
        assert task is not None
        return Caches(world, task.process)

    changes: list[tuple[Any, str, Any]] = [
        (assembling, "Mirror", mirror),
        (assembling, "Caches", caches),
        (assembling, "Cluster", Connections(world)),
        (assembling, "_render_service", lambda *_: None),  # units are rendered here, in no process of their own
        (loop, "BUSY", BUSY),
        (knowing, "PROMOTION_LIMIT", PROMOTION_LIMIT),
        *world.variant.changes,
    ]
    before = [(module, name, getattr(module, name)) for module, name, _ in changes]
    for module, name, value in changes:
        setattr(module, name, value)
    try:
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)


@dataclass
class Connections:
    world: World

    def connect(self, *_: Any, **__: Any) -> Client:
        return self.world.client()
