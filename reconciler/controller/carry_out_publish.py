"""What this site says on Git and what it reads there: acks, heartbeats, and listings with the proof of freshness (P8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from reconciler.clock import Clock
from reconciler.fleet.model import Refs
from reconciler.moves.values import Ack, Listing

if TYPE_CHECKING:
    from reconciler.source import Mirror


class Publisher:
    """One for a site; safe to call from several threads. `latest` is the last listing, `accepted_at` when (this
    process's clock, before the push began) a push was last accepted."""

    latest: Listing | None
    accepted_at: float | None

    def __init__(self, mirror: Mirror, site: str, sites: tuple[str, ...], refs: Refs, clock: Clock) -> None: ...

    def fetch(self) -> Listing:
        """A listing without proof: after it `latest` is at least as new as the server answered."""
        raise NotImplementedError

    def heartbeat(self, exposures: Mapping[str, float]) -> Listing:
        """Push the heartbeat and list: the ordinary proof of freshness, once a poll."""
        raise NotImplementedError

    def push(self, ack: Ack) -> Listing:
        """Push one application's ack on this site's ref, keeping the others', and list."""
        raise NotImplementedError
