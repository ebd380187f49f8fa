"""Sites that speak through one Git server in memory, each with a record of its own, and one clock."""

from __future__ import annotations

from dataclasses import dataclass, field

from reconciler.errors import ClusterError
from reconciler.failover.execute.publisher import Publisher
from reconciler.failover.protocol.values import Ack, AckState
from reconciler.fleet.model import Refs
from reconciler.git.memory import MemoryRepository, MemoryServer

ACKS_OF_A, ACKS_OF_B = "refs/siteshift/acks/a", "refs/siteshift/acks/b"
BEATS_OF_A, BEATS_OF_B = "refs/siteshift/heartbeats/a", "refs/siteshift/heartbeats/b"


class TestClock:
    """Seconds that pass when a test says so."""

    __test__ = False

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    def wait(self, event: object, seconds: float) -> bool:
        raise AssertionError("nothing here waits")


@dataclass
class MemoryRecord:
    """The site's record without a cluster. `fails`: the API server does not answer."""

    cluster: str
    site: str
    counter: int = 0
    accepted: list[float] = field(default_factory=list)
    clusters: dict[str, str] = field(default_factory=dict)
    fails: bool = False
    server_time: float = 1000.0

    def reserve(self) -> tuple[int, float]:
        if self.fails:
            raise ClusterError("no answer")
        self.counter += 1
        return self.counter, self.server_time

    def accept(self, at: float) -> None:
        self.accepted.append(at)

    def bound(self, site: str) -> str:
        return self.cluster if site == self.site else self.clusters.get(site, "")

    def meet(self, site: str, uid: str) -> None:
        self.clusters[site] = uid


def ack(
    site: str, state: AckState, application: str = "ledger", epoch: int = 1, sequence: int = 1, cluster: str = ""
) -> Ack:
    return Ack(application, site, epoch, "c" * 40, cluster or f"uid-{site}", state, state, sequence=sequence)


class Sites:
    """Sites a and b at one server; `process` starts another controller of one of them, which remembers nothing."""

    def __init__(self) -> None:
        self.server, self.clock = MemoryServer(), TestClock()
        self.server.commit({"x": b""})
        self.records = {site: MemoryRecord(f"uid-{site}", site) for site in ("a", "b")}
        self.a, self.b = (self.process(site) for site in ("a", "b"))

    def process(self, site: str) -> Publisher:
        repository = MemoryRepository(self.server)
        return Publisher(repository, site, ("a", "b"), Refs(), self.clock, self.records[site])

    def say(self, publisher: Publisher, said: Ack) -> None:
        """Push an ack on the value that the publisher knows, as a decision on its last listing does."""
        listing = publisher.of(said.application) or publisher.fetch()
        publisher.push(said, listing.value)
