"""One of several: a Kubernetes Lease that only one process holds, such as a site's one controller (P15).

As in Kubernetes' own leader election no clocks are compared: a candidate takes the Lease over once it has watched it
unchanged for as long as the Lease says that it lasts.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from reconciler.clock import Clock
from reconciler.errors import AlreadyExists, ClusterError, Conflict, NotFound
from reconciler.objects import MOVES_MANAGER, SYSTEM_NAMESPACE, Manifest

if TYPE_CHECKING:
    from reconciler.cluster.client import Cluster

CONTROLLER = "siteshift-controller"
"""The Lease that whoever wants to start or promote must hold."""

API_VERSION = "coordination.k8s.io/v1"


def silence(lease: Manifest | None, now: float) -> float | None:
    """How long nobody has held a Lease, in seconds (infinity: nobody ever did); None while somebody holds it. `now` is
    the API server's time in seconds since 1970."""
    spec = (lease or {}).get("spec") or {}
    if not spec.get("renewTime"):
        return math.inf
    since = now - datetime.fromisoformat(spec["renewTime"].replace("Z", "+00:00")).timestamp()
    held = bool(spec.get("holderIdentity")) and since <= float(spec.get("leaseDurationSeconds") or 0)
    return None if held else max(0.0, since)


class Leadership:
    """The right that comes with a Lease. `duration` is in seconds; renew about three times as often."""

    def __init__(
        self, cluster: Cluster, identity: str, *, duration: float, clock: Clock, name: str = CONTROLLER
    ) -> None:
        self._cluster = cluster
        self._name = name
        self._identity = identity
        self.duration = duration
        self._clock = clock
        self._seen: tuple[str, float] | None = None
        self._held_until = float("-inf")
        self.holder = ""

    @property
    def held(self) -> bool:
        """Whether this process holds the Lease now; runs out by itself if renewals fail."""
        return self._clock.monotonic() < self._held_until

    def renew(self) -> bool:
        """Take or renew the Lease; says whether it is held. A Lease that cannot be read or written is not renewed."""
        started = self._clock.monotonic()
        try:
            if self._write():
                self._held_until = started + self.duration
        except (Conflict, AlreadyExists):
            self._held_until = float("-inf")
        except ClusterError:
            pass  # what is held stays held until it runs out; nothing may be concluded from no answer
        return self.held

    def release(self) -> None:
        """Give the Lease back, so that a successor need not wait."""
        if not self.held:
            return
        self._held_until = float("-inf")
        try:
            lease = self._cluster.get(API_VERSION, "Lease", SYSTEM_NAMESPACE, self._name)
            if lease["spec"].get("holderIdentity") == self._identity:
                lease["spec"] = {**lease["spec"], "holderIdentity": "", "leaseDurationSeconds": 1}
                self._cluster.replace(lease, manager=MOVES_MANAGER)
        except ClusterError:
            return  # it runs out by itself

    def _write(self) -> bool:
        try:
            lease = self._cluster.get(API_VERSION, "Lease", SYSTEM_NAMESPACE, self._name)
        except NotFound:
            self._cluster.create(self._lease({}), manager=MOVES_MANAGER)
            return True
        spec = lease.get("spec") or {}
        self.holder = spec.get("holderIdentity") or ""
        if self.holder not in ("", self._identity) and not self._expired(lease):
            return False
        self._cluster.replace(self._lease(lease), manager=MOVES_MANAGER)
        self.holder = self._identity
        return True

    def _expired(self, lease: Manifest) -> bool:
        version = lease["metadata"]["resourceVersion"]
        now = self._clock.monotonic()
        if self._seen is None or self._seen[0] != version:
            self._seen = (version, now)
        lasts = float(lease["spec"].get("leaseDurationSeconds") or 0)
        return now - self._seen[1] >= lasts

    def _lease(self, old: Manifest) -> Manifest:
        spec: dict[str, Any] = old.get("spec") or {}
        mine = spec.get("holderIdentity") == self._identity
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return {
            "apiVersion": API_VERSION,
            "kind": "Lease",
            "metadata": old.get("metadata") or {"name": self._name, "namespace": SYSTEM_NAMESPACE},
            "spec": {
                "holderIdentity": self._identity,
                "leaseDurationSeconds": max(1, round(self.duration)),
                "acquireTime": spec.get("acquireTime", now) if mine else now,
                "renewTime": now,
                "leaseTransitions": (spec.get("leaseTransitions") or 0) + (not mine),
            },
        }
