"""The guard as a real process against an API server: killed, paused, with slow answers, with damage beside it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from guarding import eventually

from benchmarks.guarded_site import SYSTEM, Site
from reconciler.failover.admission import policies
from reconciler.failover.execute.guard_record import GuardRecord
from reconciler.failover.guard.decide import LEASE, RECORD_DAMAGED, STOP_ORDER
from reconciler.failover.guard.gate_check import GATE_TAMPERED
from reconciler.failover.protocol.values import Step, StopOrder
from reconciler.fleet.model import Lease
from sandbox.apiserver import ApiServer
from sandbox.apiserver.faults import Fault

FENCE = Lease(6, 60)
ORDER = StopOrder("c2", 2, "b")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with ApiServer() as server:
        yield Site(server, tmp_path)


def later(site: Site, looks: int = 4) -> None:
    """Until the guard has looked some more times."""
    before = site.counter()
    eventually("the guard looks", lambda: site.counter() >= before + looks)


def test_permits_of_what_runs_here_are_renewed_and_no_others(site: Site) -> None:
    site.application("runs")
    site.application("passive", step=Step.PASSIVE, role="passive")
    first = site.records.read("runs").permit.until
    with site.guard():
        eventually("a renewal", lambda: site.records.read("runs").permit.until >= first + 4)
        eventually("closed", lambda: site.records.read("passive").permit.closed)
        eventually("it is valid", lambda: site.valid("runs"))
    assert site.replicas("passive") == {2}, "what runs at a passive site is the controller's"


def test_a_lease_that_ran_out_closes_and_stops_and_journals_why(site: Site) -> None:
    site.accept()
    site.application("fenced", FENCE, objects=3)
    site.application("kept")
    with site.guard():
        eventually("both renewed", lambda: site.counter() > 0)
        eventually("stopped", lambda: site.is_stopped("fenced"))
        journal = site.records.read("fenced").journal
        assert journal is not None
        assert (journal.step, journal.stopped_for, journal.sequence) == (Step.STOPPING, LEASE, 2)
        assert GuardRecord(site.cluster).read().obeys == {"fenced": FENCE, "kept": None}
        later(site)
        eventually("the other one's permit is renewed", lambda: site.valid("kept"))
        assert site.replicas("kept") == {2}
        assert site.records.read("fenced").journal == journal, "journaled once"


def test_a_stop_order_is_obeyed_and_what_somebody_starts_again_is_stopped_again(site: Site) -> None:
    site.application("ordered")
    with site.guard():
        eventually("a look", lambda: site.counter() > 0)
        site.enter("ordered", step=Step.ACTIVE, stop_orders=(ORDER,))
        eventually("stopped", lambda: site.is_stopped("ordered"))
        assert site.records.read("ordered").journal.stopped_for == STOP_ORDER  # type: ignore[union-attr]
        again = {"spec": {"replicas": 1}}
        site.cluster.patch("apps/v1", "Deployment", "ordered", "web-0", again, manager="somebody")
        eventually("stopped again", lambda: site.is_stopped("ordered"))


def test_one_that_was_killed_or_paused_closes_first_when_it_is_back(site: Site) -> None:
    site.application("moved")
    with site.guard() as process:
        eventually("a look", lambda: site.counter() > 0)
        process.send_signal(signal.SIGSTOP)
        site.enter("moved", step=Step.STOPPING)
        assert not site.records.read("moved").permit.closed
        process.send_signal(signal.SIGCONT)
        eventually("closed after the pause", lambda: site.records.read("moved").permit.closed)
    site.application("killed", step=Step.DEMOTED, role="passive")
    with site.guard():
        eventually("closed after the kill", lambda: site.records.read("killed").permit.closed)


def test_a_pause_in_which_a_lease_and_a_permit_ran_out_revives_neither(site: Site) -> None:
    site.accept()
    site.application("fenced", FENCE)
    site.application("kept")
    with site.guard() as process:
        eventually("a look", lambda: site.counter() > 0)
        process.send_signal(signal.SIGSTOP)
        eventually("the permits ran out", lambda: not site.valid("kept"))
        lapsed = site.records.read("kept").permit
        eventually("the lease ran out", lambda: site.cluster.server_time() > lapsed.until + 3)
        process.send_signal(signal.SIGCONT)
        eventually("stopped", lambda: site.is_stopped("fenced"))
        later(site)
        assert site.records.read("kept").permit.closed, "a permit that ran out is the moves' to open"


def test_two_guards_stop_at_once_and_one_renews_and_the_other_takes_over(site: Site) -> None:
    site.accept()
    site.application("kept")
    site.application("fenced", FENCE)
    with site.guard() as leader:
        eventually("a look", lambda: site.counter() > 0)
        with site.guard():
            leader.send_signal(signal.SIGSTOP)
            eventually("the one without the Lease stops", lambda: site.is_stopped("fenced"))
            before = site.counter()
            eventually("it takes the Lease over", lambda: site.counter() > before)


def test_attack_a07_one_damaged_record_among_thirty_delays_nobody(site: Site) -> None:
    for number in range(29):
        site.application(f"app-{number}")
    site.accept()
    site.application("fenced", FENCE)
    site.edit("app-7", **{"journal.json": "{ edited by hand"})
    site.edit("app-8", **{"from": "x", "until": "y"})
    with site.guard():
        eventually("stopped", lambda: site.is_stopped("fenced"))
        later(site)
        valid = {f"app-{number}" for number in range(29) if site.valid(f"app-{number}")}
        assert valid == {f"app-{number}" for number in range(29)} - {"app-7", "app-8"}
        word = GuardRecord(site.cluster).read()
        assert set(word.alarms["app-7"]) == {RECORD_DAMAGED}
        assert "journal.json: no JSON" in word.alarms["app-7"][RECORD_DAMAGED]


def test_a_damaged_journal_stops_by_its_card_and_a_missing_record_by_its_copy(site: Site) -> None:
    site.accept()
    site.application("damaged", FENCE)
    site.application("missing", FENCE)
    with site.guard():
        eventually("a look", lambda: site.counter() > 0)
        site.edit("damaged", **{"journal.json": "?"})
        site.cluster.delete("v1", "ConfigMap", SYSTEM, "permit-missing")
        eventually("stopped by the card", lambda: site.is_stopped("damaged"))
        eventually("stopped by the copy", lambda: site.is_stopped("missing"))
    assert site.records.read("damaged").data["journal.json"] == "?"
    assert site.records.read("missing").journal is None, "its journal is lost, and it is no new application"


def test_with_an_api_server_that_takes_long_for_every_answer_it_stops_in_time(site: Site) -> None:
    site.accept()
    site.application("fenced", FENCE, objects=8)
    with site.guard():
        eventually("a look", lambda: site.counter() > 0)
        site.server.faults.add(Fault(user="controller", delay=1.0))
        eventually("stopped", lambda: site.is_stopped("fenced"), patience=6 + 2 + 8 * 1.0 + 5)


def test_an_object_that_cannot_be_written_keeps_no_other_from_being_stopped(site: Site) -> None:
    site.accept()
    site.application("fenced", FENCE, objects=3)
    site.application("other", FENCE)
    site.server.faults.add(Fault(verb="patch", resource="deployments", name="web-1", user="controller", code=500))
    with site.guard():
        eventually("the others", lambda: site.replicas_of("fenced") == [0, 2, 0])
        eventually("the other application", lambda: site.is_stopped("other"))
        site.server.faults.clear()
        eventually("that one too", lambda: site.is_stopped("fenced"))


def test_where_the_record_takes_no_write_it_stops_all_the_same(site: Site) -> None:
    site.accept()
    site.application("fenced", FENCE)
    site.server.faults.add(Fault(verb="update", resource="configmaps", name="permit-fenced", code=500))
    with site.guard():
        eventually("closed and stopped without an entry", lambda: site.is_stopped("fenced"))
    assert site.records.read("fenced").journal.step is Step.ACTIVE  # type: ignore[union-attr]


def test_without_any_word_of_an_accepted_heartbeat_a_lease_has_run_out(site: Site) -> None:
    site.application("fenced", FENCE)
    site.application("kept")
    with site.guard():
        eventually("stopped", lambda: site.is_stopped("fenced"))
        later(site)
        eventually("the other one's permit is renewed", lambda: site.valid("kept"))


def test_attack_s03_a_gate_that_somebody_changed_or_deleted_is_put_back_and_named(site: Site) -> None:
    site.application("ledger", step=Step.PASSIVE, role="passive")
    binding = f"{policies.GATE}-ledger"

    def there(kind: str, name: str) -> bool:
        return any(each["metadata"]["name"] == name for each in site.cluster.list(policies.API_VERSION, kind).items)

    with site.guard():
        eventually("installed", lambda: there(policies.BINDING, binding) and there(policies.POLICY, policies.GATE))
        later(site, 8)
        assert "" not in GuardRecord(site.cluster).read().alarms
        site.cluster.delete(policies.API_VERSION, policies.POLICY, None, policies.GATE)
        body = {"spec": {"validationActions": ["Audit"]}}
        site.cluster.patch(policies.API_VERSION, policies.BINDING, None, binding, body, manager="somebody")
        eventually("put back", lambda: there(policies.POLICY, policies.GATE))
        eventually("named", lambda: "" in GuardRecord(site.cluster).read().alarms)
        alarm = GuardRecord(site.cluster).read().alarms[""][GATE_TAMPERED]
        assert f"ValidatingAdmissionPolicy {policies.GATE}: is missing" in alarm
        found = site.cluster.get(policies.API_VERSION, policies.BINDING, None, binding)
        assert found["spec"]["validationActions"] == ["Deny"]


def test_it_ends_cleanly_when_it_is_told_to_and_gives_its_lease_back(site: Site) -> None:
    with site.guard() as process:
        lease = ("coordination.k8s.io/v1", "Lease", SYSTEM, "siteshift-guard")
        eventually("the Lease", lambda: "guard-started" in site.log() and _there(site, lease))
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert site.cluster.get(*lease)["spec"]["holderIdentity"] == ""
    assert "guard-ended" in site.log()


def _there(site: Site, place: tuple[str, str, str, str]) -> bool:
    return any(each["metadata"]["name"] == place[3] for each in site.cluster.list(place[0], place[1], place[2]).items)


def test_a_steady_site_writes_nothing_but_renewals_and_its_own_count(site: Site) -> None:
    site.application("kept")
    with site.guard():
        later(site)
        before = {each["metadata"]["name"]: each for each in site.cluster.list("apps/v1", "Deployment", "kept").items}
        copy = site.cluster.get("v1", "ConfigMap", SYSTEM, "stop-card-kept")
        bindings = site.cluster.list(policies.API_VERSION, policies.BINDING).items
        later(site)
        after = {each["metadata"]["name"]: each for each in site.cluster.list("apps/v1", "Deployment", "kept").items}
        assert (after, site.cluster.get("v1", "ConfigMap", SYSTEM, "stop-card-kept")) == (before, copy)
        assert site.cluster.list(policies.API_VERSION, policies.BINDING).items == bindings
