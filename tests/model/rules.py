"""What must hold in every state of the model."""

from __future__ import annotations

from model.world import OPEN, Model, State
from reconciler.failover.protocol.values import Step


def one_writer(model: Model, state: State) -> str:
    """I1: two sites run it only after a disaster move declared one of them down while it ran."""
    running = [index for index, site in enumerate(state.sites) if site.runs and site.alive]
    unexcepted = [index for index in running if index not in state.excepted]
    if len(running) > 1 and len(unexcepted) == len(running):
        return f"{' and '.join(model.names[index] for index in running)} run it"
    return ""


def nothing_lost(model: Model, state: State) -> str:
    """I2: without a disaster, whoever runs it has every write."""
    if any(each.move == "disaster" for each in state.commits):
        return ""
    whole = tuple(range(1, state.newest + 1))
    for name, site in zip(model.names, state.sites, strict=True):
        if site.runs and site.wrote != whole:
            return f"{name} runs without the writes {sorted(set(whole) - set(site.wrote))}"
    return ""


def permits_follow_promotions(model: Model, state: State) -> str:
    """P7: a permit is open only where the journal says that the application is started or runs."""
    for name, site in zip(model.names, state.sites, strict=True):
        if site.permit == OPEN and site.journal.step not in (Step.STARTING, Step.ACTIVE):
            return f"{name} has an open permit in step {site.journal.step.value}"
    return ""


EVERY_RULE = (one_writer, nothing_lost, permits_follow_promotions)
