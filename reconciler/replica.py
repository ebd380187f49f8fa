"""What a driver says about this site's copy of an application's volumes: the values that drivers and protocol share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class ReplicaRole(Enum):
    """What this site's copy of the data is. NONE: its resource is not there; ANY: nothing is replicated, it is both."""

    PRIMARY = "primary"
    SECONDARY = "secondary"
    NONE = "none"
    ANY = "any"
    UNKNOWN = "unknown"


class Sync(Enum):
    """How this site's copy stands to the other's."""

    IN_SYNC = "insync"
    SYNCING = "syncing"
    LAGGING = "lagging"
    BROKEN = "broken"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Replica:
    """What the driver says about this site's copy: `asked` is the role that its resources were told (UNKNOWN when they
    were told different ones); `exposure` the seconds since the last sync, known at a primary at most; `peers` the sites
    whose copies `sync` speaks of."""

    role: ReplicaRole
    sync: Sync
    asked: ReplicaRole
    exposure: float | None = None
    token: str | None = None
    peers: tuple[str, ...] = ()
    evidence: Mapping[str, str] = field(default_factory=dict)
