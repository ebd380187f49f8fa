"""The kit's cases. A driver may always say that it does not know; it may never say better than it is."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from reconciler.errors import ClusterError
from reconciler.replica import Replica, ReplicaRole, Sync
from sandbox.conformance.array import SITES, Array, Faults
from sandbox.conformance.storage import Objects, Report, Storage

PRIMARY, SECONDARY = ReplicaRole.PRIMARY, ReplicaRole.SECONDARY
FAIR = Report()


def observed(storage: Storage, array: Array, site: str, report: Report = FAIR) -> Replica:
    reader = Objects(storage.objects(array, site, report))
    return storage.driver.observe(reader, storage.application, site, array.now)


def paired(*, steps: int = 3) -> Array:
    """a is primary, b follows."""
    array = Array()
    array.tell("a", primary=True)
    array.tell("b", primary=False)
    for _ in range(steps):
        array.step()
        array.write("a")
    array.step()
    return array


def test_what_is_not_there_has_no_role(storage: Storage) -> None:
    found = observed(storage, Array(), "a")
    assert found.role is ReplicaRole.NONE
    assert found.sync is not Sync.IN_SYNC


def test_a_pair_at_work(storage: Storage) -> None:
    array = paired()
    first, second = (observed(storage, array, site) for site in SITES)
    assert (first.role, first.asked) == (PRIMARY, PRIMARY)
    assert (second.role, second.asked, second.sync) == (SECONDARY, SECONDARY, Sync.IN_SYNC)
    assert second.peers == ("a",)
    assert first.exposure is not None


def test_a_planned_move_there_and_back(storage: Storage) -> None:
    array = paired()
    for giver, taker in (("a", "b"), ("b", "a")):
        array.tell(giver, primary=False)
        array.step()
        array.step()
        given = observed(storage, array, giver)
        assert (given.role, given.asked, given.sync) == (SECONDARY, SECONDARY, Sync.IN_SYNC)
        assert taker in given.peers
        assert storage.driver.shipped(given)
        array.tell(taker, primary=True)
        array.step()
        assert observed(storage, array, taker).role is PRIMARY
        array.write(taker)
    assert array.discarded == {"a": [], "b": []}


@pytest.mark.parametrize(
    "faults",
    [Faults(stuck=True), Faults(refuses=frozenset({"primary"})), Faults(refuses=frozenset({"primary", "secondary"}))],
    ids=["stuck", "refused", "refused both ways"],
)
def test_a_role_that_is_asked_for_is_not_one_that_is_held(storage: Storage, faults: Faults) -> None:
    array = paired()
    array.faults = faults
    array.tell("b", primary=True)
    for _ in range(3):
        array.step()
        found = observed(storage, array, "b")
        assert found.asked is PRIMARY
        assert found.role is not PRIMARY
        assert found.sync is not Sync.IN_SYNC or found.role is SECONDARY


@pytest.mark.parametrize("site", SITES)
def test_a_status_from_before_what_was_asked_says_nothing(storage: Storage, site: str) -> None:
    array = paired()
    array.tell(site, primary=site == "b")
    found = observed(storage, array, site, Report(stale=True))
    assert found.role is ReplicaRole.UNKNOWN
    assert found.sync is not Sync.IN_SYNC


@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize("report", [Report(state="Tertiary"), Report(deleting=True)], ids=["unknown state", "deleting"])
def test_what_is_not_understood_is_unknown(storage: Storage, site: str, report: Report) -> None:
    found = observed(storage, paired(), site, report)
    assert found.role is ReplicaRole.UNKNOWN
    assert found.sync is not Sync.IN_SYNC
    assert found.exposure is None


def test_a_copy_that_cannot_get_the_rest_is_not_in_sync(storage: Storage) -> None:
    array = paired()
    array.faults = Faults(link_cut=True)
    array.write("a")
    array.step()
    assert observed(storage, array, "b").sync is not Sync.IN_SYNC
    assert observed(storage, array, "a").sync is not Sync.IN_SYNC


def diverged() -> Array:
    """b was promoted by force while a wrote on."""
    array = paired()
    array.faults = Faults(link_cut=True)
    array.write("a")
    array.tell("b", primary=True)
    array.step()
    array.write("b")
    array.faults = Faults()
    array.tell("a", primary=False)
    array.step()
    return array


def test_a_diverged_copy_is_not_in_sync_and_keeps_what_it_has_until_it_may_be_overwritten(storage: Storage) -> None:
    array = diverged()
    assert observed(storage, array, "a").sync is not Sync.IN_SYNC
    assert array.discarded["a"] == []
    assert storage.driver.secondary(False) != storage.driver.secondary(True)
    array.faults = Faults(slow=True)
    array.tell("a", primary=False, discard=True)
    for _ in range(3):
        array.step()
        found = observed(storage, array, "a")
        assert found.sync is not Sync.IN_SYNC
        assert found.asked is SECONDARY
    array.faults = Faults()
    array.step()
    array.step()
    assert observed(storage, array, "a").sync is Sync.IN_SYNC
    assert array.discarded["a"] != []


def test_the_exposure_is_never_smaller_than_it_is(storage: Storage) -> None:
    array = paired()
    array.faults = Faults(link_cut=True)
    for _ in range(5):
        array.write("a")
        array.step(60)
        found, truth = observed(storage, array, "a").exposure, array.exposure("a")
        assert truth is not None
        assert found is None or found >= truth - 1
    ahead = observed(storage, array, "a", Report(ahead=3600.0)).exposure
    assert ahead is None or ahead >= 300


def test_an_exposure_that_never_was_is_not_nothing(storage: Storage) -> None:
    array = Array()
    array.faults = Faults(link_cut=True)
    array.tell("a", primary=True)
    array.step()
    assert observed(storage, array, "a").exposure is None


def test_half_a_copy_is_none(storage: Storage) -> None:
    """One object of several is told, done or there before the others."""
    array = paired()
    other = storage.objects(array, "a", FAIR)
    for number, each in enumerate(storage.objects(array, "b", FAIR)):
        mixed = [*other[:number], each, *other[number + 1 :]]
        missing = other[:number] + other[number + 1 :]
        for objects in (mixed, missing) if len(other) > 1 else ():
            found = storage.driver.observe(Objects(objects), storage.application, "a", array.now)
            assert found.role is ReplicaRole.UNKNOWN


def test_what_cannot_be_read_is_not_absent(storage: Storage) -> None:
    reader = Objects([], broken=True)
    with pytest.raises(ClusterError):
        storage.driver.observe(reader, storage.application, "a", 0.0)


def test_the_role_fields_are_the_role_gates(storage: Storage) -> None:
    driver = storage.driver
    assert driver.role_objects(storage.application)
    assert driver.role_resources is not None
    assert set(driver.primary()) == set(driver.secondary(False)) == set(driver.secondary(True))
    assert len({str(fields) for fields in (driver.primary(), driver.secondary(False), driver.secondary(True))}) == 3


@pytest.mark.parametrize("seed", range(40))
def test_whatever_happens_the_driver_never_says_better_than_it_is(storage: Storage, seed: int) -> None:
    chance, array = random.Random(seed), paired()
    for _ in range(60):
        site = chance.choice(SITES)
        if chance.random() < 0.3:
            array.tell(site, primary=chance.random() < 0.5, discard=False)
        if chance.random() < 0.3:
            refuses = frozenset(chance.sample(["primary", "secondary"], chance.randint(0, 2)))
            array.faults = Faults(chance.random() < 0.4, chance.random() < 0.3, refuses, chance.random() < 0.3)
        report = Report(stale=chance.random() < 0.2, deleting=chance.random() < 0.1)
        array.write(chance.choice(SITES))
        array.step()
        found, copy = observed(storage, array, site, report), array.copies[site]
        if found.role is PRIMARY:
            assert copy.primary
        if found.role is SECONDARY:
            assert not copy.primary
        if found.role is SECONDARY and found.sync is Sync.IN_SYNC:
            assert array.follows(site)
        assert found == replace(found, asked={True: PRIMARY, False: SECONDARY}[bool(copy.told)])
