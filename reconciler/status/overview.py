"""What `siteshift status` shows, as a value and as lines: sites, applications, and what is waited for or held.

Made from what the sites report about themselves. A site that does not answer is shown as such, with what it said last
on Git; nothing is guessed about it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reconciler.failover.protocol.values import Ack
from reconciler.fleet.durations import show
from reconciler.fleet.model import Application, Fleet

SILENT = "Unreachable"

GIVING_UP = frozenset({"Stopping", "Demoting", "Demoted"})
"""States of a site that stops what it ran, gate closed."""


@dataclass(frozen=True, slots=True)
class SiteView:
    """What is known of one site: its own report, its applications' reports (by name) and its last acks. `reported` is
    None where its API did not answer; `why` says why not. `silent`: for how many seconds no controller has worked
    there, None while one does. `exposures`: seconds since the last sync of what runs there, None where that cannot be
    told."""

    name: str
    reported: Mapping[str, Any] | None
    applications: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    acks: Mapping[str, Ack] = field(default_factory=dict)
    exposures: Mapping[str, float | None] = field(default_factory=dict)
    why: str = ""
    silent: float | None = None


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything that `status` shows. `revision` and `subject` are the branch's newest commit."""

    fleet: Fleet
    revision: str
    subject: str
    sites: tuple[SiteView, ...]


def as_json(overview: Overview) -> dict[str, Any]:
    """The same for programs."""
    return {
        "fleet": overview.fleet.name,
        "revision": overview.revision,
        "sites": {
            site.name: {"reachable": site.reported is not None, **(site.reported or {})} for site in overview.sites
        },
        "applications": {
            application.name: {
                "active": application.placement.active,
                "epoch": application.placement.epoch,
                "sites": {site.name: _said(site, application.name) for site in overview.sites},
            }
            for application in overview.fleet.applications
        },
    }


def names(overview: Overview) -> Iterator[str]:
    """The sites and applications by name: `site/a`, `application/ledger`."""
    yield from (f"site/{site.name}" for site in overview.sites)
    yield from (f"application/{application.name}" for application in overview.fleet.applications)


def lines(overview: Overview, *, wide: bool = False) -> Iterator[str]:
    """The overview as text; `wide` with whole commit ids and every wait."""
    fleet = overview.fleet
    counted = f"{_count(len(fleet.sites), 'site')}, {_count(len(fleet.applications), 'application')}"
    yield f'FLEET {fleet.name}  {overview.revision[: None if wide else 7]} "{overview.subject}"  {counted}'
    yield ""
    yield from _table(
        [("SITE", "STATE", "REVISION", "RUN LEVEL", "READY"), *(_site_row(site, wide=wide) for site in overview.sites)]
    )
    yield ""
    names = [f"AT {site.name.upper()}" for site in overview.sites]
    head = ("APPLICATION", "ACTIVE", "EPOCH", *names, "EXPOSED")
    yield from _table([head, *(_application_row(overview, application) for application in fleet.applications)])
    news = [line for site in overview.sites for line in _site_news(site, wide=wide)]
    news += [line for application in fleet.applications for line in _news(overview, application, wide=wide)]
    if news:
        yield ""
        yield from news


def _site_row(site: SiteView, *, wide: bool) -> tuple[str, ...]:
    if site.reported is None:
        return (site.name, SILENT, "-", "-", "-")
    found = site.reported
    revision = str(found.get("revision", "-"))[: None if wide else 7]
    return (site.name, str(found.get("state", "-")), revision, found.get("runLevel", "-"), found.get("ready", "-"))


def _application_row(overview: Overview, application: Application) -> tuple[str, ...]:
    states = [str(_said(site, application.name).get("state", "-")) for site in overview.sites]
    last = _last_promoted(overview, application.name)
    exposed = [site.exposures[application.name] for site in last if application.name in site.exposures]
    placement = application.placement
    return (
        application.name,
        placement.active,
        str(placement.epoch),
        *states,
        exposure_in_words(exposed),
    )


def _site_news(site: SiteView, *, wide: bool) -> Iterator[str]:
    if site.silent is not None:
        since = "has ever worked" if math.isinf(site.silent) else f"has worked for {show(round(site.silent))}"
        yield f"site {site.name}: no controller {since} here, and what it reports is as old"
    found = site.reported or {}
    problems = _problems(found, wide=wide)
    yield from (f"site {site.name}: {problem}" for problem in problems)
    if not problems and found.get("message"):
        yield f"site {site.name}: {found['message']}"


def _problems(found: Mapping[str, Any], *, wide: bool) -> list[str]:
    """What a site or an application reports that does not get well by waiting; the first unless all are wanted."""
    return [f"{each['object']}: {each['message']}" for each in found.get("problems", ())[: None if wide else 1]]


def active_at(overview: Overview, application: str) -> list[str]:
    """The sites whose controllers say now that the application is active there: more than one is a disaster. A site
    that is giving it up, as one does that returns after it was overtaken, does by itself what people would do."""
    said = ((site, site.applications.get(application, {})) for site in overview.sites if site.silent is None)
    return [site.name for site, found in said if found.get("role") == "active" and found.get("state") not in GIVING_UP]


def _last_promoted(overview: Overview, application: str) -> list[SiteView]:
    """The sites whose copy is the application's: a site that is dead and was overtaken goes on saying that it runs."""
    promoted = {
        site.name: ack.promotion.epoch
        for site in overview.sites
        if (ack := site.acks.get(application)) is not None and ack.promotion is not None
    }
    newest = max(promoted.values(), default=None)
    return [site for site in overview.sites if newest is None or promoted.get(site.name) == newest]


def exposure_in_words(exposed: Sequence[float | None]) -> str:
    """The longest, where several sites say one: never less than it is."""
    known = [each for each in exposed if each is not None]
    if len(known) < len(exposed):
        return "unknown"
    return show(math.ceil(max(known))) if known else "-"


def _news(overview: Overview, application: Application, *, wide: bool) -> Iterator[str]:
    active = active_at(overview, application.name)
    if len(active) > 1:
        yield f"{application.name}: is active at {' and '.join(active)} at once: stop one of them by hand now"
    for site in overview.sites:
        found = site.applications.get(application.name, {})
        problems = _problems(found, wide=wide)
        yield from (f"{application.name}: {site.name}: {problem}" for problem in problems)
        for hold in found.get("holds", ()):
            yield f"{application.name}: {site.name} is held, {hold['reason']}: {hold['message']}"
            yield f"  {hold['liftedBy']}"
        for wait in found.get("waits", ())[: None if wide else 1]:
            most = f", for at most {wait['atMost']}" if "atMost" in wait else ""
            yield f"{application.name}: {site.name} waits for {wait['on']}: {wait['because']}{most}"
        if not (problems or found.get("holds") or found.get("waits")) and found.get("message"):
            yield f"{application.name}: {site.name}: {found['message']}"
    for site in overview.sites:
        if site.reported is None and application.name in site.acks:
            ack = site.acks[application.name]
            yield f"{application.name}: {site.name} said {ack.state.value} at epoch {ack.epoch} when it last spoke"


def _said(site: SiteView, application: str) -> Mapping[str, Any]:
    if site.reported is not None:
        return site.applications.get(application, {})
    ack = site.acks.get(application)
    return {} if ack is None else {"state": f"({ack.state.value})", "epoch": ack.epoch}


def _table(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def unhealthy(overview: Overview) -> bool:
    """Whether anything needs a person: a hold, a problem, a site that does not answer or has no controller, an
    application that is active at two sites."""
    return any(map(_ails, overview.sites)) or any(
        len(active_at(overview, application.name)) > 1 for application in overview.fleet.applications
    )


def _ails(site: SiteView) -> bool:
    if site.reported is None or site.silent is not None or site.reported.get("problems"):
        return True
    return any(found.get("holds") or found.get("problems") for found in site.applications.values())
