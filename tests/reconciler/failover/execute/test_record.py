"""The record: one compare-and-swap write for entry, permit and card; damage is a value, no exception of a list."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.cluster import Cluster
from reconciler.errors import Conflict, NotFound
from reconciler.failover.admission import permits
from reconciler.failover.execute.record import CARD_FILE, JOURNAL_FILE, Record, Records, copy_name
from reconciler.failover.protocol.card import StopCard
from reconciler.failover.protocol.values import Journal, Step
from reconciler.fleet.model import Lease

SYSTEM = "siteshift-system"


@pytest.fixture
def records(cluster: Cluster) -> Records:
    return Records(cluster)


def card(application: str, lease: Lease | None = None) -> StopCard:
    return StopCard(application, (application,), (), (), "none", (lease,))


def opened(length: float = 60):  # type: ignore[no-untyped-def]
    return lambda data, now: permits.opened(data, now, length)


def edit(cluster: Cluster, name: str, **data: str | None) -> None:
    """A person's edit of a ConfigMap."""
    cluster.patch("v1", "ConfigMap", SYSTEM, name, {"data": data}, manager="person")


def test_a_new_application_has_an_empty_journal_and_its_first_write_is_closed(records: Records, place: str) -> None:
    empty = records.read(place)
    assert empty == Record(place, journal=Journal())
    first = records.write(empty, journal=Journal(sequence=1), card=card(place))
    assert records.read(place) == replace(first, copy=None)
    assert (first.permit.closed, first.card, first.damage) == (True, card(place), "")
    with pytest.raises(Conflict):
        records.write(empty, journal=Journal(sequence=1))


def test_entry_window_and_card_change_in_one_write(records: Records, place: str) -> None:
    before = records.write(records.read(place), journal=Journal(sequence=1), card=card(place))
    lease = Lease(60, 300)
    after = records.write(
        before, journal=Journal(sequence=2, step=Step.ACTIVE), card=card(place, lease), window=opened()
    )
    assert not after.permit.closed
    assert after.data[permits.PRIMARY] == "true"
    found = records.read(place)
    assert (found.journal, found.card) == (Journal(sequence=2, step=Step.ACTIVE), card(place, lease))
    with pytest.raises(Conflict):
        records.write(before, journal=Journal(sequence=2, step=Step.STOPPING))


def test_an_entry_must_follow_the_one_before(records: Records, place: str) -> None:
    first = records.write(records.read(place), journal=Journal(sequence=3))
    with pytest.raises(ValueError, match="does not follow"):
        records.write(first, journal=Journal(sequence=3, step=Step.ACTIVE))


def test_a_renewal_between_reading_and_writing_is_no_conflict_and_is_kept(records: Records, place: str) -> None:
    first = records.write(records.read(place), journal=Journal(sequence=1, step=Step.ACTIVE), window=opened(60))
    renewed = records.write(first, window=lambda data, now: dict(data) | {permits.UNTIL: permits.moment(now + 600)})
    assert renewed.same_entry(first)
    entered = records.write(first, journal=Journal(sequence=2, step=Step.ACTIVE))
    assert entered.permit.until == renewed.permit.until


def test_a_close_between_reading_and_writing_is_one(records: Records, place: str) -> None:
    first = records.write(records.read(place), journal=Journal(sequence=1, step=Step.ACTIVE), window=opened())
    records.write(first, window=lambda data, now: permits.closed(data))
    with pytest.raises(Conflict):
        records.write(first, window=opened(600))


def test_nothing_new_is_not_written(records: Records, place: str) -> None:
    first = records.write(records.read(place), journal=Journal(sequence=1), card=card(place))
    assert records.write(first, card=card(place), window=lambda data, now: None) == first
    assert records.read(place).version == first.version


def test_the_copy_is_written_before_the_record_names_a_new_card(records: Records, cluster: Cluster, place: str) -> None:
    first = records.write(records.read(place), journal=Journal(sequence=1), card=card(place))
    edit(cluster, permits.name_of(place), note="somebody was here")
    with pytest.raises(Conflict):
        records.write(first, card=card(place, Lease(60, 300)))
    listed = records.list()[place]
    assert (listed.copy, listed.card) == (card(place, Lease(60, 300)), card(place))


def test_whoever_dies_while_the_first_record_is_written_leaves_a_new_application_or_a_whole_record(
    records: Records, cluster: Cluster, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Died(BaseException):
        pass

    def dies(*_: object, **__: object) -> None:
        raise Died

    for method in ("create", "apply"):
        before = records.read(place)
        with monkeypatch.context() as patch:
            patch.setattr(cluster, method, dies)
            with pytest.raises(Died):
                records.write(before, journal=Journal(sequence=1), card=card(place))
        found = records.read(place)
        assert (found.damage, found.journal) == ("", Journal(sequence=1) if method == "apply" else Journal())
    assert records.write(records.read(place), journal=Journal(sequence=2), card=card(place)).copy == card(place)
    assert records.list()[place].copy == card(place)


def test_one_damaged_record_among_many_is_a_field_of_its_own(records: Records, cluster: Cluster, place: str) -> None:
    for name in ("a", "b", "c"):
        application = f"{place}-{name}"
        records.write(records.read(application), journal=Journal(sequence=1), card=card(application))
    edit(cluster, permits.name_of(f"{place}-b"), **{JOURNAL_FILE: "{ edited by hand"})
    edit(cluster, permits.name_of(f"{place}-c"), **{CARD_FILE: "[]"})
    listed = {name: record for name, record in records.list().items() if name.startswith(place)}
    assert [listed[f"{place}-{name}"].damage == "" for name in ("a", "b", "c")] == [True, False, False]
    broken = listed[f"{place}-b"]
    assert (broken.journal, broken.card) == (None, card(f"{place}-b"))
    assert broken.journal_damage.startswith(f"ConfigMap {SYSTEM}/permit-{place}-b: journal.json: no JSON")
    assert listed[f"{place}-c"].card is None
    assert listed[f"{place}-c"].copy == card(f"{place}-c")


@pytest.mark.parametrize("how", ["deleted", "its label taken off"])
def test_a_record_that_is_gone_is_damage_and_no_new_application(
    records: Records, cluster: Cluster, place: str, how: str
) -> None:
    first = records.write(records.read(place), journal=Journal(sequence=1), card=card(place))
    if how == "deleted":
        cluster.delete("v1", "ConfigMap", SYSTEM, permits.name_of(place))
        for found in (records.read(place), records.list()[place]):
            assert (found.journal, found.copy, found.version) == (None, card(place), "")
            assert "it is missing" in found.damage
    else:
        body = {"metadata": {"labels": None}}
        cluster.patch("v1", "ConfigMap", SYSTEM, permits.name_of(place), body, manager="person")
        assert records.list()[place].journal == first.journal


def test_without_a_journal_in_it_a_record_is_damaged(records: Records, cluster: Cluster, place: str) -> None:
    records.write(records.read(place), journal=Journal(sequence=1))
    edit(cluster, permits.name_of(place), **{JOURNAL_FILE: None})
    assert records.read(place).journal is None


def test_a_damaged_record_can_be_closed_and_keeps_what_it_says(records: Records, cluster: Cluster, place: str) -> None:
    records.write(records.read(place), journal=Journal(sequence=1, step=Step.ACTIVE), window=opened())
    edit(cluster, permits.name_of(place), **{JOURNAL_FILE: "?"})
    closed = records.write(records.read(place), window=lambda data, now: permits.closed(data))
    assert (closed.permit.closed, closed.data[JOURNAL_FILE], closed.data[permits.PRIMARY]) == (True, "?", "false")


def test_a_mark_voids_every_older_version(records: Records, cluster: Cluster, place: str) -> None:
    first = records.write(records.read(place), journal=Journal(sequence=1))
    marked = records.mark(first, "siteshift.io/voided", "1.x")
    assert marked.same_entry(first)
    stale = cluster.get("v1", "ConfigMap", SYSTEM, permits.name_of(place))
    stale["metadata"]["resourceVersion"] = first.version
    with pytest.raises(Conflict):
        cluster.replace(stale, manager="person")


def test_an_application_that_nobody_knows_is_not_listed(records: Records, cluster: Cluster, place: str) -> None:
    assert place not in records.list()
    with pytest.raises(NotFound):
        cluster.get("v1", "ConfigMap", SYSTEM, copy_name(place))
