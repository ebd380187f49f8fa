"""What `siteshift status` shows, whole."""

from __future__ import annotations

import math

import pytest

from reconciler.cli.status import exposures
from reconciler.failover.protocol.values import Ack, AckState, Heartbeat, Promotion, Running
from reconciler.fleet.model import Application, Fleet, Placement, Site
from reconciler.replica import ReplicaRole
from reconciler.status.overview import Overview, SiteView, as_json, lines, unhealthy


def application(name: str, active: str, epoch: int) -> Application:
    placement = Placement(active, epoch, "planned", f"apps/{name}/placement.yaml")
    return Application(name, f"apps/{name}", ("a", "b"), "a", placement)


FLEET = Fleet(
    "bank", "symmetric", (Site("a"), Site("b")), (), (application("ledger", "b", 5), application("payments", "b", 2))
)

SITE = {"state": "Steady", "revision": "3f9c2d1aaaaaaaaa", "runLevel": "-", "ready": "23/23"}


def test_sites_applications_waits_and_holds() -> None:
    overview = Overview(
        FLEET,
        "3f9c2d1aaaaaaaaa",
        "Move ledger to b (planned)",
        (
            SiteView("a", SITE, {"ledger": {"state": "Demoted"}, "payments": {"state": "Passive"}}),
            SiteView(
                "b",
                SITE | {"state": "Updating", "runLevel": "50", "ready": "17/23"},
                {
                    "ledger": {
                        "state": "Promoting",
                        "waits": [{"on": "the replication", "because": "it must become primary", "atMost": "5m"}],
                    },
                    "payments": {
                        "state": "Held",
                        "holds": [{"reason": "Rewound", "message": "the branch went back", "liftedBy": "name both"}],
                    },
                },
                exposures={"payments": 39.2},
            ),
        ),
    )
    assert list(lines(overview)) == [
        'FLEET bank  3f9c2d1 "Move ledger to b (planned)"  2 sites, 2 applications',
        "",
        "SITE  STATE     REVISION  RUN LEVEL  READY",
        "a     Steady    3f9c2d1   -          23/23",
        "b     Updating  3f9c2d1   50         17/23",
        "",
        "APPLICATION  ACTIVE  EPOCH  AT A     AT B       EXPOSED",
        "ledger       b       5      Demoted  Promoting  -",
        "payments     b       2      Passive  Held       40s",
        "",
        "ledger: b waits for the replication: it must become primary, for at most 5m",
        "payments: b is held, Rewound: the branch went back",
        "  name both",
    ]
    assert unhealthy(overview)


def test_a_site_that_does_not_answer_is_shown_by_its_last_words_on_git() -> None:
    ack = Ack("ledger", "a", 4, "81c04aa", "uid", AckState.ACTIVE)
    overview = Overview(
        FLEET,
        "3f9c2d1",
        "x",
        (SiteView("a", None, acks={"ledger": ack}), SiteView("b", SITE, {"ledger": {"state": "Held"}})),
    )
    text = list(lines(overview))
    assert text[3] == "a     Unreachable  -         -          -"
    assert text[7] == "ledger       b       5      (Active)  Held  -"
    assert text[-1] == "ledger: a said Active at epoch 4 when it last spoke"
    assert as_json(overview)["sites"]["a"] == {"reachable": False}
    assert unhealthy(overview)


def test_a_fleet_in_which_all_is_well_shows_no_news() -> None:
    overview = Overview(FLEET, "3f9c2d1", "x", (SiteView("a", SITE), SiteView("b", SITE)))
    assert len(list(lines(overview))) == 9
    assert not unhealthy(overview)


WELL = SiteView("b", SITE, {"ledger": {"role": "passive", "state": "Passive"}})


@pytest.mark.parametrize(
    ("site", "line"),
    [
        (
            SiteView("a", SITE | {"problems": [{"object": "Job default/migrate", "message": "field is immutable"}]}),
            "site a: Job default/migrate: field is immutable",
        ),
        (
            SiteView(
                "a", SITE, {"ledger": {"problems": [{"object": "ledger", "message": "apps/ledger: no such file"}]}}
            ),
            "ledger: a: ledger: apps/ledger: no such file",
        ),
        (
            SiteView("a", SITE, silent=300.0),
            "site a: no controller has worked for 5m here, and what it reports is as old",
        ),
        (
            SiteView("a", SITE, silent=math.inf),
            "site a: no controller has ever worked here, and what it reports is as old",
        ),
    ],
    ids=["platform", "application", "silent", "never"],
)
def test_what_needs_a_person_is_a_line_and_unhealthy(site: SiteView, line: str) -> None:
    overview = Overview(FLEET, "3f9c2d1", "x", (site, WELL))
    assert line in list(lines(overview))
    assert unhealthy(overview)


def test_two_active_sites_are_named_and_a_silent_one_does_not_count() -> None:
    runs = {"ledger": {"role": "active", "state": "Active"}}
    both = Overview(FLEET, "3f9c2d1", "x", (SiteView("a", SITE, runs), SiteView("b", SITE, runs)))
    assert "ledger: is active at a and b at once: stop one of them by hand now" in list(lines(both))
    assert unhealthy(both)
    old = Overview(FLEET, "3f9c2d1", "x", (SiteView("a", SITE, runs, silent=60.0), SiteView("b", SITE, runs)))
    assert not any("at once" in line for line in lines(old))


def test_a_site_that_returns_and_stops_is_not_told_to_stop() -> None:
    stops = {"ledger": {"role": "active", "state": "Stopping"}}
    runs = {"ledger": {"role": "active", "state": "Protected"}}
    overview = Overview(FLEET, "3f9c2d1", "x", (SiteView("a", SITE, stops), SiteView("b", SITE, runs)))
    assert not any("at once" in line for line in lines(overview))


def test_what_only_takes_time_is_shown_and_is_not_unhealthy() -> None:
    site = SiteView("a", SITE | {"message": "Deployment shop/web: Progressing: 1 of 2 are ready"})
    overview = Overview(FLEET, "3f9c2d1", "x", (site, WELL))
    assert "site a: Deployment shop/web: Progressing: 1 of 2 are ready" in list(lines(overview))
    assert not unhealthy(overview)


@pytest.mark.parametrize(
    ("a", "b", "shown"),
    [
        ({"ledger": 39.2}, {}, "40s"),
        ({"ledger": 3.0}, {"ledger": 7.0}, "7s"),
        ({"ledger": None}, {"ledger": 7.0}, "unknown"),
        ({}, {}, "-"),
    ],
)
def test_the_exposure_is_never_shown_smaller_than_it_is(
    a: dict[str, float | None], b: dict[str, float | None], shown: str
) -> None:
    sites = (SiteView("a", SITE, exposures=a), SiteView("b", SITE, exposures=b))
    text = list(lines(Overview(FLEET, "3f9c2d1", "x", sites)))
    assert text[7].split()[-1] == shown


def test_a_site_that_was_overtaken_says_nothing_about_the_exposure() -> None:
    acks = {
        site: {"ledger": Ack("ledger", site, epoch, "c", "uid", AckState.ACTIVE, promotion=Promotion(epoch, 1))}
        for site, epoch in (("a", 1), ("b", 2))
    }
    sites = (
        SiteView("a", None, acks=acks["a"], exposures={"ledger": 90000.0}),
        SiteView("b", SITE, acks=acks["b"], exposures={"ledger": 4.0}),
    )
    assert list(lines(Overview(FLEET, "3f9c2d1", "x", sites)))[7].split()[-1] == "4s"


@pytest.mark.parametrize(
    ("running", "said_at", "expected"),
    [
        (Running(True, ReplicaRole.PRIMARY, 5.0), 70.0, {"ledger": 35.0}),
        (Running(True, ReplicaRole.PRIMARY, 5.0), 103.0, {"ledger": 5.0}),
        (Running(True, ReplicaRole.PRIMARY, 5.0), 200.0, {"ledger": None}),
        (Running(True, ReplicaRole.PRIMARY, None), 70.0, {"ledger": None}),
        (Running(False, ReplicaRole.PRIMARY, 5.0), 70.0, {"ledger": 35.0}),
        (Running(True, ReplicaRole.ANY, 0.0), 70.0, {}),
        (Running(False, ReplicaRole.SECONDARY, None), 70.0, {}),
    ],
    ids=["aged", "clocks differ", "the future", "unknown", "stopped", "not replicated", "passive"],
)
def test_an_exposure_grows_with_the_silence(
    running: Running, said_at: float, expected: dict[str, float | None]
) -> None:
    assert exposures(Heartbeat(1, "uid", applications={"ledger": running}), said_at, 100.0) == expected
