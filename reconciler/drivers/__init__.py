"""How each kind of replicated storage is observed and told its role: one module a kind.

Holds: judging the resources of a driver (pure, on what was read), the fields that give a copy its role, and what must
be shipped before a demotion. Knows nothing of the protocol's order or of other sites; who writes, and when, is decided
elsewhere, and the writes themselves are guarded there.
"""

from __future__ import annotations

from reconciler.drivers.csi_addons import CsiAddons
from reconciler.drivers.none import NoReplication
from reconciler.drivers.seam import Driver, Reader, RoleObject, RoleResources
from reconciler.errors import UsageError

DRIVERS: dict[str, Driver] = {driver.name: driver for driver in (CsiAddons(), NoReplication())}

__all__ = ["DRIVERS", "Driver", "Reader", "RoleObject", "RoleResources", "driver_of"]


def driver_of(name: str) -> Driver:
    """The driver that `spec.replication.driver` names."""
    if name not in DRIVERS:
        raise UsageError(f"replication driver {name!r} is not known, expected one of {', '.join(sorted(DRIVERS))}")
    return DRIVERS[name]
