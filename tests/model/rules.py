"""What must hold in every state of the model."""

from __future__ import annotations

from collections.abc import Callable

from model.values import OPEN, State
from model.world import Model
from reconciler.failover.protocol.values import Step

Rule = Callable[[Model, State], str]
"""What is wrong with a state; "" if nothing is."""


def one_writer(model: Model, state: State) -> str:
    """I1: two sites run it only after a disaster move declared one of them down while it might run."""
    excepted = model.tables.world(state).excepted
    running = [index for index in model.tables.everybody if model.tables.local(state, index).runs]
    if len(running) > 1 and len([index for index in running if index not in excepted]) > 1:
        return f"{' and '.join(model.names[index] for index in running)} run it"
    return ""


def nothing_lost(model: Model, state: State) -> str:
    """I2: whoever runs it has every write that nobody gave up; only a forced call of the driver gives writes up."""
    world = model.tables.world(state)
    for index, name in enumerate(model.names):
        site = model.tables.local(state, index)
        if site.runs and index not in world.excepted and site.wrote[: len(world.truth)] != world.truth:
            return f"{name} runs without the writes {sorted(set(world.truth) - set(site.wrote))}"
    return ""


def permits_follow_promotions(model: Model, state: State) -> str:
    """P7: a permit is open only where the journal says that the application is started or runs."""
    for index, name in enumerate(model.names):
        site = model.tables.local(state, index)
        if site.permit == OPEN and site.journal.step not in (Step.STARTING, Step.ACTIVE):
            return f"{name} has an open permit in step {site.journal.step.value}"
    return ""


EVERY_RULE: tuple[Rule, ...] = (one_writer, nothing_lost, permits_follow_promotions)
