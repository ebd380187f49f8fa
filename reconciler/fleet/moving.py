"""What a move, a suspension or its end changes in an application's own files: fields and their values, no text.

A move that could not be carried out is refused here, before anybody commits it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reconciler.errors import FleetError
from reconciler.fleet.durations import seconds, show
from reconciler.fleet.model import Application, Fleet, MoveKind, Placement

FieldValue = str | int | bool | Sequence[str] | Mapping[str, str | int | Sequence[str]] | None
"""A field's new value; None takes the field away."""


@dataclass(frozen=True, slots=True)
class Disaster:
    """What a disaster move asserts. `allow_data_loss` is a duration as written, or "unknown"."""

    declared_down: tuple[str, ...]
    allow_data_loss: str
    reason: str
    override_fence: str | None = None
    allow_discard: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Move:
    """One application's move and the fields of its placement that say so."""

    application: Application
    giver: str
    taker: str
    kind: MoveKind
    epoch: int
    fields: Mapping[str, FieldValue]
    allowed_loss: str | None
    reason: str | None
    declared_down: tuple[str, ...] = ()


def named(fleet: Fleet, name: str) -> Application:
    """The application of that name. Raises `FleetError` if there is none."""
    application = fleet.application(name)
    if application is None:
        known = ", ".join(application.name for application in fleet.applications)
        raise FleetError(f'there is no application "{name}" in this fleet ({known})')
    return application


def plan_move(
    application: Application, taker: str, disaster: Disaster | None = None, reason: str | None = None
) -> Move | None:
    """The move of an application to a site; None if its placement says so already. Raises `FleetError` for one that
    makes no sense.

    A planned move whose source dies is turned into a disaster move to the same target: that is a new epoch.
    """
    name, now = application.name, application.placement
    if taker not in application.sites:
        raise FleetError(f'"{taker}" is no site of {name} ({", ".join(application.sites)})')
    if taker == now.active and (disaster is None or _asserts(now, disaster)):
        return None
    if application.suspended:
        raise FleetError(f"{name} is suspended", hint=f"siteshift resume {name}")
    fields: dict[str, FieldValue] = {"active": taker, "epoch": now.epoch + 1, "acceptRewind": None}
    if disaster is None:
        fields |= {"move": "planned", "declaredDown": None, "allowDataLoss": None, "overrideFence": None}
        fields["reason"] = reason
        consents = now.allow_discard
    else:
        _check_disaster(application, taker, disaster)
        fields |= {
            "move": "disaster",
            "declaredDown": list(disaster.declared_down),
            "allowDataLoss": disaster.allow_data_loss,
            "reason": disaster.reason,
            "overrideFence": disaster.override_fence,
        }
        reason, consents = disaster.reason, (*now.allow_discard, *disaster.allow_discard)
    # A site's consent to be overwritten outlives the move that gave it, until the site is the one that holds the data.
    kept = [site for site in dict.fromkeys(consents) if site != taker]
    fields["allowDiscard"] = kept or None
    kind: MoveKind = "planned" if disaster is None else "disaster"
    loss = None if disaster is None else disaster.allow_data_loss
    giver = now.active if disaster is None or now.active != taker else disaster.declared_down[0]
    down = () if disaster is None else disaster.declared_down
    return Move(application, giver, taker, kind, now.epoch + 1, fields, loss, reason, down)


def _asserts(placement: Placement, disaster: Disaster) -> bool:
    """Whether a placement makes these very assertions already. Another reason is another assertion: that a site is
    still down is said anew by the next epoch."""
    loss = disaster.allow_data_loss
    return (
        placement.move == "disaster"
        and set(placement.declared_down) == set(disaster.declared_down)
        and placement.allow_data_loss == (loss if loss == "unknown" else seconds(loss))
        and placement.override_fence == disaster.override_fence
        and placement.reason == disaster.reason
        and set(disaster.allow_discard) <= set(placement.allow_discard)
    )


def _check_disaster(application: Application, taker: str, disaster: Disaster) -> None:
    for field, sites in (("--declare-down", disaster.declared_down), ("--allow-discard", disaster.allow_discard)):
        for site in sites:
            if site not in application.sites:
                raise FleetError(
                    f"{field} {site}: this is no site of {application.name} ({', '.join(application.sites)})"
                )
            if site == taker:
                raise FleetError(f"{field} {site}: this is the site that {application.name} would move to")
    if application.placement.active not in (*disaster.declared_down, taker):
        giver = application.placement.active
        raise FleetError(
            f"{application.name} is placed at {giver}, which is not declared down",
            hint=f"--declare-down {giver}; or leave out --disaster for a move that loses nothing",
        )


def message(moves: Sequence[Move]) -> str:
    """The commit message: what moves, from where to where, and why."""
    names, taker = ", ".join(move.application.name for move in moves), moves[0].taker
    lines = [f"Move {names} to {taker} ({moves[0].kind})", ""]
    lines += [f"{move.application.name}: {move.giver} > {move.taker}, epoch {move.epoch}" for move in moves]
    reason = moves[0].reason
    if moves[0].kind == "disaster":
        lines += ["", f"Declared down: {', '.join(moves[0].declared_down)}"]
        lines += [f"Data that may be lost: {moves[0].allowed_loss}"]
    if reason is not None:
        lines += ["", f"Reason: {reason}"]
    return "\n".join(lines) + "\n"


def loss_in_words(move: Move) -> str:
    """What a move may lose, as a sentence."""
    name, giver = move.application.name, move.giver
    if move.application.replication.driver == "none":
        return f"{name}: no data moves (driver none): what is on volumes at {giver} stays there."
    if move.kind == "planned":
        return f"{name}: nothing is lost: {move.taker} is promoted once {giver} has proven that its copy is complete."
    if move.allowed_loss == "unknown":
        return f"{name}: any amount of the newest data of {giver} may be lost."
    rpo = move.application.replication.rpo
    usual = "" if rpo is None else f" (its RPO is {show(rpo)})"
    return f"{name}: up to {move.allowed_loss} of the newest data of {giver} may be lost{usual}."
