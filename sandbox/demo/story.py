"""The story: what happens to two sites, and what must be observed of each step. A table; the rest follows from it."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from sandbox.demo import claims
from sandbox.demo.checker import checks
from sandbox.demo.checker.history import INSTANCE
from sandbox.demo.stage import Claim, Death, Stage, Step
from sandbox.demo.table import Row
from sandbox.demo.world import LATENCIES, SITES, Background

ALLOWED_LOSS = 60
"""Seconds of data that the disaster's commit gives up at most."""

STILL = 3600.0
"""Seconds between two reports of a copy's last sync while versions are compared: time alone must change no object."""

SETTLE = 0.5
"""Seconds until a simulation has read its settings again."""

BOOT = 10.0
"""Seconds that a returned site's own controllers have before ours is up, as after a power cut."""


def begin(stage: Stage) -> None:
    """Make the fleet and start both sites, then their controllers."""
    world = stage.world
    work = [Background(world.make_fleet), *(Background(lambda name=name: world.start_site(name)) for name in SITES)]  # type: ignore[misc]
    for each in work:
        stage.until(lambda each=each: each.done, float("inf"))  # type: ignore[misc]
        each.answer()
    for name in SITES:
        world.observe(name)
        world.start_controller(name)


def planned(stage: Stage, application: str, *command: str) -> None:
    """Note the versions of everything else, then commit a planned move by the operator's command."""
    world = stage.world
    for site in world.sites.values():
        site.change(report_interval=STILL)
    settled = time.monotonic() + SETTLE
    stage.until(lambda: time.monotonic() >= settled, SETTLE)
    stage.notes.versions = stage.during(lambda: claims.versions_of_others(stage, application))
    stage.during(lambda: world.operator(*command, "--yes"))


def kill(stage: Stage) -> None:
    """SIGKILL to every process of a."""
    site = stage.world.sites["a"]
    pids = stage.world.pids("a")
    site.kill()
    # Whatever had been written by now was written before: nothing runs any more.
    uids = {str(value["metadata"]["uid"]) for key, value in stage.objects("a").items() if key[0] == INSTANCE}
    stage.notes.death = Death("a", time.monotonic(), time.time(), pids, frozenset(uids))


def disaster(stage: Stage) -> None:
    """Commit the disaster move of what was left at a."""
    command = ("failover", "orders", "--to", "b", "--disaster", "--declare-down", "a")
    loss = ("--allow-data-loss", f"{ALLOWED_LOSS}s", "--allow-discard", "a", "--reason", "site a is dark")
    stage.during(lambda: stage.world.operator(*command, *loss, "--yes"))


def restore(stage: Stage) -> None:
    """Start a again from what is in its folder; its cluster is up before our controller is."""
    world, notes = stage.world, stage.notes
    for site in world.sites.values():
        site.change(**LATENCIES)
    notes.returned, notes.returned_clock = time.monotonic(), datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    stage.during(lambda: world.start_site("a"))
    audit, moved = world.sites["a"].audit_log, frozenset({"ledger", "orders"})
    stage.until(lambda: bool(checks.creations(audit, moved, notes.returned_clock, checks.REFUSED)), BOOT)
    world.start_controller("a")


def move_claims(application: str, giver: str, taker: str) -> tuple[Claim, ...]:
    """What must be observed of a planned move."""
    return (
        claims.ready_before_stop(application, giver, taker),
        claims.runs(application, taker),
        claims.stopped_in_order(application, giver),
        claims.demoted_then_promoted(application, giver, taker),
        claims.started_in_order(taker, application),
        claims.gate_kept(taker, application),
        claims.rests(application, giver),
        claims.others_untouched(application),
        claims.records_kept(application, taker, all_of_them=True),
        claims.never_at_both(application),
    )


APPLICATIONS = ("catalog", "ledger", "orders", "payments")

STORY = (
    Step(
        "Both sites come up, databases before services, at most three workloads starting at once",
        begin,
        (
            *(claims.runs(application, "a") for application in ("ledger", "orders")),
            *(claims.runs(application, "b") for application in ("catalog", "payments")),
            *(claims.rests(application, "b") for application in ("ledger", "orders")),
            *(claims.rests(application, "a") for application in ("catalog", "payments")),
            claims.started_in_order("a", "ledger", "orders"),
            claims.started_in_order("b", "catalog", "payments"),
            claims.gate_reached("a", "ledger", "orders"),
            claims.gate_reached("b", "catalog", "payments"),
        ),
    ),
    Step(
        "A commit moves ledger from a to b, planned",
        lambda stage: planned(stage, "ledger", "failover", "ledger", "--to", "b", "--reason", "maintenance at a"),
        move_claims("ledger", "a", "b"),
    ),
    Step(
        "Site a is killed while its guests write",
        kill,
        (claims.all_killed(), claims.was_writing("orders", "a")),
    ),
    Step(
        "A disaster commit moves the rest of a to b",
        disaster,
        (
            claims.runs("orders", "b"),
            claims.after_the_lease("orders", "b"),
            claims.started_in_order("b", "orders"),
            claims.gate_kept("b", "orders"),
            claims.records_kept("orders", "b", all_of_them=False, allowed=ALLOWED_LOSS),
        ),
    ),
    Step(
        "Site a returns with the very state that it had",
        restore,
        (
            claims.start_refused("a", "ledger", "orders"),
            claims.rests("orders", "a"),
            claims.rests("ledger", "a"),
            claims.nothing_started("a", "ledger", "orders"),
            claims.wrote_nothing("orders", "a"),
            claims.runs("orders", "b"),
        ),
    ),
    Step(
        "A failback commit brings ledger home",
        lambda stage: planned(stage, "ledger", "failback", "ledger"),
        (
            *move_claims("ledger", "b", "a"),
            claims.nothing_started("a", "orders"),
            claims.never_at_both(*APPLICATIONS),
        ),
    ),
)
"""What is done, and what is observed of it, in order."""


def table(stage: Stage) -> list[Row]:
    """Who runs what where at the end, from the sites' APIs, with what each move took and lost."""
    rows = []
    for application in APPLICATIONS:
        for site in SITES:
            found = stage.objects(site).get(("SiteApplication", "siteshift-system", application), {})
            status = found.get("status", {})
            known = stage.notes.rows.get((application, site), Row(application, site, "", ""))
            role, epoch = str(status.get("role", "-")), str(status.get("epoch", "-"))
            rows.append(Row(application, site, role, epoch, known.rto, known.lost))
    return rows
