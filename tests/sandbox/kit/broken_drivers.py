"""Drivers that believe too much, one mistake each: what the conformance kit must find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from reconciler.drivers.csi_addons import CsiAddons
from reconciler.drivers.seam import Reader
from reconciler.errors import ClusterError
from reconciler.fleet.model import Application
from reconciler.replica import Replica, ReplicaRole, Sync
from sandbox.conformance.csi_addons import CsiAddonsStorage

Change = Callable[[Replica], Replica]


class Broken(CsiAddons):
    """csi-addons with its judgement, or what it reads, changed."""

    def __init__(self, change: Change = lambda found: found, reads: Callable[[Any], Any] = lambda each: each) -> None:
        self._change, self._reads = change, reads

    def observe(self, reader: Reader, application: Application, site: str, now: float) -> Replica:
        outer = self

        class Changed:
            def get(self, *place: Any) -> Any:
                return outer._reads(reader.get(*place))

        return self._change(super().observe(Changed(), application, site, now))


def _storage(driver: CsiAddons) -> CsiAddonsStorage:
    found = CsiAddonsStorage()
    found.driver = driver
    return found


def believes_what_was_asked() -> CsiAddonsStorage:
    return _storage(Broken(lambda found: replace(found, role=found.asked)))


def is_always_in_sync() -> CsiAddonsStorage:
    return _storage(Broken(lambda found: replace(found, sync=Sync.IN_SYNC)))


def has_no_exposure() -> CsiAddonsStorage:
    return _storage(Broken(lambda found: replace(found, exposure=0.0)))


def _current(each: Any) -> Any:
    conditions = each["status"]["conditions"]
    fresh = [condition | {"observedGeneration": each["metadata"]["generation"]} for condition in conditions]
    return each | {"status": each["status"] | {"conditions": fresh}}


def takes_stale_conditions() -> CsiAddonsStorage:
    return _storage(Broken(reads=_current))


def _kept(each: Any) -> Any:
    return each | {"metadata": {name: value for name, value in each["metadata"].items() if "deletion" not in name}}


def overlooks_a_deletion() -> CsiAddonsStorage:
    return _storage(Broken(reads=_kept))


def names_nobody() -> CsiAddonsStorage:
    return _storage(Broken(lambda found: replace(found, peers=())))


class Blind(CsiAddons):
    """Takes what cannot be read for absent."""

    def observe(self, reader: Reader, application: Application, site: str, now: float) -> Replica:
        try:
            return super().observe(reader, application, site, now)
        except ClusterError:
            return Replica(ReplicaRole.NONE, Sync.UNKNOWN, ReplicaRole.NONE)


def takes_silence_for_absence() -> CsiAddonsStorage:
    return _storage(Blind())


class Eager(CsiAddons):
    """Lets a copy be overwritten unasked."""

    def secondary(self, discard_local: bool) -> dict[str, Any]:
        return super().secondary(True)


def discards_unasked() -> CsiAddonsStorage:
    return _storage(Eager())
