"""No replicated storage: nothing has a role, and nothing can be lost or waited for."""

from __future__ import annotations

from typing import Any

from reconciler.drivers.seam import Reader, RoleObject, RoleResources
from reconciler.fleet.model import Application
from reconciler.replica import Replica, ReplicaRole, Sync


class NoReplication:
    """Driver `none`."""

    name = "none"
    role_resources: RoleResources | None = None

    def role_objects(self, application: Application) -> tuple[RoleObject, ...]:
        """There are none."""
        del application
        return ()

    def observe(self, reader: Reader, application: Application, site: str, now: float) -> Replica:
        """Every role at once, always in sync with everybody."""
        del reader, now
        peers = tuple(each for each in application.sites if each != site)
        return Replica(ReplicaRole.ANY, Sync.IN_SYNC, ReplicaRole.ANY, exposure=0.0, peers=peers)

    def primary(self) -> dict[str, Any]:
        """Nothing to say."""
        return {}

    def secondary(self, discard_local: bool) -> dict[str, Any]:
        """Nothing to say."""
        del discard_local
        return {}

    def shipped(self, replica: Replica) -> bool:
        """Always."""
        del replica
        return True
