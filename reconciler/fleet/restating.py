"""The next epoch of a placement that names the same site again: with a consent that was missing, or after a rewind.

Every consent belongs to its epoch (P13): what a placement asserts is said again beside what is new.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reconciler.errors import FleetError
from reconciler.fleet.model import NOWHERE, Application
from reconciler.fleet.moving import FieldValue

Fields = Mapping[str, FieldValue]


def allow_discard(application: Application, sites: Sequence[str]) -> Fields | None:
    """Let the replicas of these sites be overwritten; None if the placement says so already. Raises `FleetError` for
    the active site, and for one that the application does not have."""
    now = application.placement
    for site in sites:
        if site not in application.sites:
            raise FleetError(f"{site} is no site of {application.name} ({', '.join(application.sites)})")
        if site == now.active:
            raise FleetError(
                f"{site} is the active site of {application.name}: nothing would be left to overwrite its copy from"
            )
    if now.active == NOWHERE:
        raise FleetError(f"{application.name} is to run nowhere: there is no copy to overwrite another one from")
    _refuse_suspended(application)
    if set(sites) <= set(now.allow_discard):
        return None
    return {
        "epoch": now.epoch + 1,
        "allowDiscard": list(dict.fromkeys((*now.allow_discard, *sites))),
        "acceptRewind": None,
    }


def override_fence(application: Application, why: str) -> Fields | None:
    """Let the disaster move go on although nothing proves that the sites that are declared down have stopped; None if
    the placement says so already. Raises `FleetError` where no disaster move is asked for."""
    now = application.placement
    if now.move != "disaster":
        raise FleetError(
            f"{application.name} is placed at {now.active} by a planned move, which waits for no fence",
            hint=f"siteshift failover {application.name} --to SITE --disaster, if a site is down",
        )
    _refuse_suspended(application)
    if now.override_fence == why:
        return None
    return {"epoch": now.epoch + 1, "overrideFence": why, "acceptRewind": None}


def accept_rewind(application: Application, to: str, marks: Sequence[str], highest: int, reason: str | None) -> Fields:
    """Accept the branch as it is, for all sites at once: an epoch above `highest`, planned. What an epoch that was lost
    with the old branch, or one before it, had asserted and consented to is void."""
    epoch = max(highest, application.placement.epoch) + 1
    return {
        "epoch": epoch,
        "move": "planned",
        "declaredDown": None,
        "allowDataLoss": None,
        "overrideFence": None,
        "allowDiscard": None,
        "reason": reason,
        "acceptRewind": {"to": to, "from": list(dict.fromkeys(marks))},
    }


def retired(application: Application, site: str) -> Fields | None:
    """Take a site out of the application's sites; None if it is none of them. Raises `FleetError` for the active site,
    the home, and the only one. The placement stays as it is: a move and a change of sites are two steps (P12)."""
    name, now = application.name, application.placement
    if site not in application.sites:
        return None
    if site == now.active:
        raise FleetError(f"{site} is the active site of {name}", hint=f"siteshift failover {name} --to SITE, first")
    left = [each for each in application.sites if each != site]
    if not left:
        raise FleetError(f"{site} is the only site of {name}", hint="remove the application instead")
    fields: dict[str, FieldValue] = {"sites": left}
    if application.home == site:
        fields["home"] = now.active if now.active in left else left[0]
    return fields


def _refuse_suspended(application: Application) -> None:
    if application.suspended:
        raise FleetError(f"{application.name} is suspended", hint=f"siteshift resume {application.name}")
