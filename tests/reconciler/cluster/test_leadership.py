"""One controller a site (P15): who may take the Lease, and when a right runs out by itself."""

from __future__ import annotations

import copy
import threading
from typing import Any

import pytest

from reconciler.cluster.leadership import Leadership
from reconciler.errors import AlreadyExists, Conflict, NotFound, Unreachable


class ManualClock:
    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    def wait(self, event: threading.Event, seconds: float) -> bool:
        self.now += seconds
        return event.is_set()


class OneLease:
    """The part of a cluster that holds a single Lease, with its resourceVersion as the guard."""

    def __init__(self) -> None:
        self.lease: dict[str, Any] | None = None
        self.version = 0
        self.reachable = True

    def get(self, api_version: str, kind: str, namespace: str, name: str) -> dict[str, Any]:
        self._answer()
        if self.lease is None:
            raise NotFound("no Lease")
        return copy.deepcopy(self.lease)

    def create(self, manifest: dict[str, Any], *, manager: str) -> dict[str, Any]:
        self._answer()
        if self.lease is not None:
            raise AlreadyExists("there is one")
        return self._store(manifest)

    def replace(self, manifest: dict[str, Any], *, manager: str) -> dict[str, Any]:
        self._answer()
        if self.lease is None or manifest["metadata"]["resourceVersion"] != self.lease["metadata"]["resourceVersion"]:
            raise Conflict("another version")
        return self._store(manifest)

    def _store(self, manifest: dict[str, Any]) -> dict[str, Any]:
        self.version += 1
        self.lease = copy.deepcopy(manifest)
        self.lease["metadata"]["resourceVersion"] = str(self.version)
        return copy.deepcopy(self.lease)

    def _answer(self) -> None:
        if not self.reachable:
            raise Unreachable("no answer")


@pytest.fixture
def cluster() -> OneLease:
    return OneLease()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def candidate(cluster: OneLease, clock: ManualClock, name: str) -> Leadership:
    return Leadership(cluster, name, duration=15.0, clock=clock)  # type: ignore[arg-type]


def test_the_first_candidate_takes_the_lease_and_keeps_it(cluster: OneLease, clock: ManualClock) -> None:
    first, second = candidate(cluster, clock, "first"), candidate(cluster, clock, "second")
    assert first.renew()
    for _ in range(10):
        clock.now += 5
        assert first.renew()
        assert not second.renew()
    assert second.holder == "first"


def test_a_successor_waits_for_as_long_as_the_lease_lasts(cluster: OneLease, clock: ManualClock) -> None:
    assert candidate(cluster, clock, "killed").renew()
    successor = candidate(cluster, clock, "successor")
    assert not successor.renew()
    clock.now += 14.9
    assert not successor.renew()
    clock.now += 0.1
    assert successor.renew()


def test_a_lease_that_was_given_back_is_free_at_once(cluster: OneLease, clock: ManualClock) -> None:
    first = candidate(cluster, clock, "first")
    assert first.renew()
    first.release()
    assert not first.held
    assert candidate(cluster, clock, "second").renew()


def test_a_holder_that_cannot_renew_loses_its_right_in_time(cluster: OneLease, clock: ManualClock) -> None:
    first = candidate(cluster, clock, "first")
    assert first.renew()
    cluster.reachable = False
    clock.now += 14.9
    assert first.renew()
    clock.now += 0.2
    assert not first.renew()


def test_a_paused_holder_finds_that_it_was_overtaken(cluster: OneLease, clock: ManualClock) -> None:
    paused, successor = candidate(cluster, clock, "paused"), candidate(cluster, clock, "successor")
    assert paused.renew()
    assert not successor.renew()
    clock.now += 15
    assert successor.renew()
    assert not paused.held
    assert not paused.renew()
    assert cluster.lease is not None
    assert cluster.lease["spec"]["holderIdentity"] == "successor"
    assert cluster.lease["spec"]["leaseTransitions"] == 2
