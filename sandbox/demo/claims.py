"""What must be observed of each step, as claims over the histories that the sites' APIs gave. Nothing here acts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sandbox.demo.checker import checks, files, records
from sandbox.demo.checker.history import Life, Point, asked, at_path, condition, is_ready, points
from sandbox.demo.checker.observer import Key
from sandbox.demo.fleet import CAP, LEASE_SECONDS
from sandbox.demo.stage import Claim, Stage
from sandbox.demo.table import Row
from sandbox.demo.timeline import COPY

STARTABLE = 8
"""So many workloads at least must have been free to start at once, or the cap proves nothing."""

WRITING = 1.0
"""A guest that wrote within so many seconds was writing."""

SLOW = 60.0
"""Seconds that anything may take on a machine that does something else too."""


def runs(application: str, site: str, within: float = SLOW) -> Claim:
    """All of an application is ready at a site, its data is primary there, and the site says so."""

    def wrong(stage: Stage) -> Iterator[str]:
        objects = stage.objects(site)
        for key in _workloads(stage, application):
            value = objects.get(key)
            if value is None or not asked(value) or not is_ready(value):
                yield f"{checks.name_of(key)} is not ready at {site}"
        state = at_path(objects.get((COPY, application, application)), ("status", "state"))
        if state != "Primary":
            yield f"the copy of {application} at {site} is {state}"
        status = _status(objects, application)
        if status.get("role") != "active" or status.get("state") not in ("Active", "Protected"):
            yield f"{site} says {status.get('role')}, {status.get('state')}: {status.get('message')}"

    return Claim(f"{application} runs at {site}", wrong, within)


def rests(application: str, site: str, within: float = SLOW) -> Claim:
    """An application is at a site, stopped, and its data follows the other site's."""

    def wrong(stage: Stage) -> Iterator[str]:
        objects = stage.objects(site)
        for key in _workloads(stage, application):
            if key not in objects:
                yield f"{checks.name_of(key)} is not there at {site}"
            elif asked(objects[key]):
                yield f"{checks.name_of(key)} is asked to run at {site}"
        for key in objects:
            if key[:2] == ("VirtualMachineInstance", application):
                yield f"{checks.name_of(key)} is at {site}"
        copy = objects.get((COPY, application, application), {})
        state = at_path(copy, ("status", "state"))
        if state != "Secondary" or condition(copy, "Degraded") != "False":
            yield f"the copy of {application} at {site} is {state}: {at_path(copy, ('status', 'message'))}"
        status = _status(objects, application)
        done, _, total = str(status.get("ready", "")).partition("/")
        if status.get("role") != "passive" or not total or done != total:
            yield f"{site} says {status.get('role')}, {status.get('state')}, {status.get('ready')} ready"

    return Claim(f"{application} is passive at {site}, and its copy is in sync", wrong, within)


def started_in_order(site: str, *applications: str) -> Claim:
    """Since the commit: everything was started once, nothing before all of the lower run levels was ready."""
    return Claim(
        f"{site} started {_and(applications)} in run-level order: databases were ready before any service was started",
        lambda stage: checks.started_in_order(_started(stage, site, applications), stage.world.levels, applications),
    )


def gate_reached(site: str, *applications: str) -> Claim:
    """The start gate's cap was reached and never passed, with enough that wanted to start."""

    def wrong(stage: Stage) -> list[str]:
        found = _started(stage, site, applications)
        free = checks.most_startable(found, stage.world.levels)
        few = [f"only {free} workloads could have started at once"] if free < STARTABLE else []
        return [*few, *checks.within_the_gate(found, CAP, reached=True)]

    def note(stage: Stage) -> str:
        free = checks.most_startable(_started(stage, site, applications), stage.world.levels)
        return f"{free} could have started at once"

    return Claim(f"at {site} the cap of {CAP} starts at once was reached and never passed", wrong, note=note)


def gate_kept(site: str, application: str) -> Claim:
    """The start gate's cap was never passed in a move."""
    return Claim(
        f"at {site} never more than {CAP} workloads were starting at once",
        lambda stage: checks.within_the_gate(_started(stage, site, [application]), CAP, reached=False),
    )


def stopped_in_order(application: str, site: str) -> Claim:
    """Since the commit: everything was stopped, nothing before the higher run levels' instances were gone."""

    def wrong(stage: Stage) -> list[str]:
        since = stage.notes.committed
        ended = [life for life in stage.lives(site, application) if life.stopped is None or life.stopped.at >= since]
        ran = [each for each in stage.instances(site, application) if each.gone is None or each.gone.at >= since]
        return checks.stopped_in_order(ended, ran, stage.world.levels, [application])

    return Claim(f"{site} stopped {application} in reverse run-level order", wrong)


def ready_before_stop(application: str, giver: str, taker: str) -> Claim:
    """The taker said Ready before the giver stopped anything."""

    def wrong(stage: Stage) -> list[str]:
        since = stage.notes.committed
        said = stage.world.words.first(taker, application, "Ready", since) if stage.world.words else None
        if said is None:
            return [f"{taker} has not said Ready"]
        stops = [life.stopped for life in stage.lives(giver, application) if life.stopped is not None]
        early = [stop for stop in stops if since <= stop.at < said]
        return [f"{giver} stopped a workload {said - early[0].at:.2f} s before"] if early else []

    return Claim(f"{taker} said Ready before {giver} stopped anything", wrong, SLOW)


def demoted_then_promoted(application: str, giver: str, taker: str) -> Claim:
    """At the giver: instances gone, copy demoted, ack Demoted; then, at the taker, promotion and the first start."""

    def wrong(stage: Stage) -> Iterator[str]:
        since, words = stage.notes.committed, stage.world.words
        gone = [each.gone for each in stage.instances(giver, application) if each.gone is None or each.gone.at >= since]
        demoted = _roles(stage, giver, application, "secondary")
        if not demoted or any(moment is None or moment > demoted[0] for moment in gone):
            yield f"the copy at {giver} was demoted while instances were there"
        said = words.first(giver, application, "Demoted", since) if words else None
        promoted = _roles(stage, taker, application, "primary")
        if said is None:
            yield f"{giver} has not said Demoted"
        elif not promoted or promoted[0].at < said:
            yield f"{taker} promoted its copy before {giver} had said Demoted"
        starts = _started(stage, taker, [application])
        if not promoted or any(life.asked < promoted[0] for life in starts):
            yield f"{taker} started a workload before its copy was promoted"

    return Claim(
        f"{giver} demoted its copy after its last instance and said Demoted; only then {taker} promoted and started",
        wrong,
    )


def others_untouched(application: str) -> Claim:
    """Every object of every other application has the resourceVersion that it had before the commit."""

    def wrong(stage: Stage) -> list[str]:
        now = versions_of_others(stage, application)
        return [f"{site} {text}" for site in now for text in checks.changed(stage.notes.versions[site], now[site])]

    return Claim(
        "every object of the other applications kept its resourceVersion",
        wrong,
        note=lambda stage: f"{sum(map(len, stage.notes.versions.values()))} objects at two sites",
    )


def versions_of_others(stage: Stage, application: str) -> dict[str, dict[str, str]]:
    """resourceVersion of every object of every other application, by site."""
    others = sorted({key[1] for key in stage.world.levels} - {application})
    return {site: observer.versions(others) for site, observer in stage.world.observers.items()}


def records_kept(application: str, site: str, *, all_of_them: bool, allowed: float = 0.0) -> Claim:
    """No record is lost; or, after a disaster, none but those of the last `allowed` seconds: they are counted."""

    def counted(stage: Stage) -> records.Count:
        arrays = [each.array for each in stage.world.sites.values()]
        surviving = stage.world.sites[site].array
        return records.count(arrays, surviving, files.volumes(stage.world.clone, application))

    def wrong(stage: Stage) -> list[str]:
        found = counted(stage)
        row(stage, application, site, found.lost)
        if not found.acknowledged:
            return ["no guest has written anything"]
        if all_of_them:
            return [f"{found.lost} of {found.acknowledged} records are lost"] if found.lost else []
        return [f"lost records span {found.span:.1f} s"] if found.span > allowed else []

    def note(stage: Stage) -> str:
        found = counted(stage)
        return f"{found.lost} lost of {found.acknowledged} that guests were told are safe"

    text = "no record is lost" if all_of_them else f"the records lost are of no more than the last {allowed:g} s"
    return Claim(f"{application}: {text}", wrong, note=note)


def row(stage: Stage, application: str, site: str, lost: int) -> None:
    """Note in the table how long the move took, from the push of the commit to the last workload ready."""
    ready = [life.ready.at for life in _started(stage, site, [application]) if life.ready is not None]
    taken = max(ready, default=stage.notes.committed) - stage.notes.committed
    stage.notes.rows[application, site] = Row(application, site, "", "", f"{taken:.1f} s", str(lost))


def all_killed() -> Claim:
    """No process of the dead site is left."""

    def wrong(stage: Stage) -> Iterator[str]:
        death = stage.notes.death
        for pid in death.pids if death else ():
            if _is_there(pid):
                yield f"process {pid} is still there"

    return Claim("every process of a was killed with SIGKILL", wrong)


def was_writing(application: str, site: str) -> Claim:
    """The dead site's guests wrote until the end."""

    def wrong(stage: Stage) -> list[str]:
        death = stage.notes.death
        assert death is not None
        last = records.last_written(stage.world.sites[site].array, files.volumes(stage.world.clone, application))
        quiet = death.clock - last
        return [f"the last record was written {quiet:.1f} s before"] if quiet > WRITING else []

    return Claim(f"guests of {application} were writing at that moment", wrong)


def after_the_lease(application: str, site: str) -> Claim:
    """Nothing was promoted or started before the dead site's lease had run out."""

    def wrong(stage: Stage) -> list[str]:
        death = stage.notes.death
        assert death is not None
        begun = [point.at for point in _roles(stage, site, application, "primary")]
        begun += [life.asked.at for life in _started(stage, site, [application])]
        if not begun:
            return [f"{site} never promoted"]
        early = death.at + LEASE_SECONDS - min(begun)
        return [f"{site} promoted {early:.1f} s before the lease had run out"] if early > 0 else []

    def note(stage: Stage) -> str:
        death = stage.notes.death
        assert death is not None
        promoted = _roles(stage, site, application, "primary")[0].at
        return (
            f"{promoted - death.at:.1f} s after its last sign of life at the latest, the lease is {LEASE_SECONDS:g} s"
        )

    return Claim(f"{site} promoted {application} after a's lease had run out", wrong, note=note)


def start_refused(site: str, *applications: str) -> Claim:
    """KubeVirt at the returned site tried to start what it had, and its API refused."""

    def found(stage: Stage) -> list[str]:
        audit, since = stage.world.sites[site].audit_log, stage.notes.returned_clock
        return checks.creations(audit, frozenset(applications), since, checks.REFUSED)

    return Claim(
        f"{site} returned with virtual machines that say Always: its KubeVirt tried to start them and was refused",
        lambda stage: [] if found(stage) else ["the audit log has no refused creation"],
        note=lambda stage: f"{len(found(stage))} refusals in the API's audit log",
        within=SLOW,
    )


def nothing_started(site: str, *applications: str) -> Claim:
    """Since its return no instance of these applications was made there; what was left of killed ones has gone."""

    def wrong(stage: Stage) -> list[str]:
        notes, death = stage.notes, stage.notes.death
        assert death is not None
        found = stage.instances(site, *applications)
        audit = stage.world.sites[site].audit_log
        made = checks.creations(audit, frozenset(applications), notes.returned_clock, checks.CREATED)
        newcomers = checks.newcomers(found, death.uids, notes.returned)
        return [*newcomers, *checks.revived(found, death.uids, notes.returned), *made]

    return Claim(f"since its return no instance of {_and(applications)} was made at {site}", wrong)


def wrote_nothing(application: str, site: str) -> Claim:
    """Nobody wrote to the returned site's copy."""

    def wrong(stage: Stage) -> list[str]:
        death = stage.notes.death
        assert death is not None
        last = records.last_written(stage.world.sites[site].array, files.volumes(stage.world.clone, application))
        return [f"a record was written {last - death.clock:.1f} s after the kill"] if last > death.clock else []

    return Claim(f"no guest of {application} wrote anything at {site} since it was killed", wrong)


def never_at_both(*applications: str) -> Claim:
    """Over both histories: no moment with running instances of one application at two sites."""

    def wrong(stage: Stage) -> list[str]:
        death = stage.notes.death
        dead = dict.fromkeys(death.uids, death.at) if death else {}
        return checks.overlaps(stage.instances("a", *applications), stage.instances("b", *applications), dead)

    return Claim(f"there was never a moment with instances of {_and(applications)} at both sites", wrong)


def _status(objects: Mapping[Key, Mapping[str, Any]], application: str) -> Mapping[str, Any]:
    """What a site says of an application."""
    return at_path(objects.get(("SiteApplication", "siteshift-system", application)), ("status",)) or {}


def _workloads(stage: Stage, application: str) -> list[Key]:
    return [key for key in stage.world.levels if key[1] == application]


def _started(stage: Stage, site: str, applications: Iterable[str]) -> list[Life]:
    found = stage.lives(site, *applications)
    return [life for life in found if life.asked.at >= stage.notes.committed]


def _roles(stage: Stage, site: str, application: str, role: str) -> list[Point]:
    """When the copy at a site was told to be this, since the commit."""
    path = ("spec", "replicationState")
    return points(stage.history(site), COPY, application, path, role, stage.notes.committed)


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
