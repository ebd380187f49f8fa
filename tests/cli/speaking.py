"""What sites say on a server's refs, for tests of the commands that read it."""

from __future__ import annotations

from pathlib import Path

from clones import Clone

from reconciler.failover.protocol.documents import HEARTBEAT_FILE, ack_file, write_ack, write_heartbeat
from reconciler.failover.protocol.values import Ack, AckState, Heartbeat, Promotion, Running
from reconciler.git import Mirror

LOST = {"a": "a" * 40, "b": "b" * 40}
OLD = "11111111-aaaa"


def server_of(clone: Clone, tmp_path: Path) -> Mirror:
    """Where the sites speak."""
    found = Mirror(str(clone.bare), tmp_path / "site", branch="main")
    found.fetch()
    return found


def say(server: Mirror, ack: Ack) -> None:
    files = {ack_file(ack.application): write_ack(ack)}
    server.append(f"refs/siteshift/acks/{ack.site}", None, files, "said")


def ack(site: str, epoch: int, promoted: int | None = None) -> Ack:
    promotion = None if promoted is None else Promotion(promoted, 3)
    state = AckState.PASSIVE if promoted is None else AckState.ACTIVE
    return Ack("ledger", site, epoch, LOST[site], OLD, state, state, promotion, sequence=5)


def beat(
    server: Mirror,
    site: str,
    counter: int = 1,
    cluster: str = OLD,
    echo: dict[str, int] | None = None,
    running: Running | None = None,
) -> None:
    applications = {} if running is None else {"ledger": running}
    heartbeat = Heartbeat(counter, cluster, echo=echo or {}, applications=applications)
    files = {HEARTBEAT_FILE: write_heartbeat(heartbeat)}
    server.append(f"refs/siteshift/heartbeats/{site}", None, files, "heartbeat")
