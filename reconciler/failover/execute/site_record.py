"""The site's own record in its cluster (P19): whose cluster this is, its counter, and its last accepted heartbeat.

ConfigMap `siteshift-site` in `siteshift-system`; every write is by compare-and-swap. The guard reads `accepted` in it.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from reconciler.errors import AlreadyExists, Conflict, NotFound, PushRefused
from reconciler.failover.admission.permits import moment, seconds_of
from reconciler.failover.protocol.binding import Bound, OwnWords, restored, taken_as_it_is, unbound
from reconciler.fleet.model import Rebind, Site
from reconciler.objects import MOVES_MANAGER, SYSTEM_NAMESPACE, Manifest

if TYPE_CHECKING:
    from reconciler.cluster.client import Cluster

NAME = "siteshift-site"
FLEET, SITE, CLUSTER, COUNTER, ACCEPTED = "fleet", "site", "clusterUID", "counter", "accepted"
OTHER, FORGIVEN = "cluster-of.", "forgiven."
"""Beginnings of keys: the UID of another site's cluster; the sequence of an ack from before a restore."""

WHOLE = re.compile(r"[0-9]{1,16}")
TRIES = 5

Data = dict[str, str]


class SiteRecord:
    """Read when it is made; raises ClusterError where that cannot be done. Safe for several threads.

    `cluster` is the UID of this cluster (of its namespace kube-system). `unbound` and `restored` say why this cluster
    must do nothing but stop, as far as `judge` found out; "" where all is well. While either stands, and before the
    first `judge`, no heartbeat gets a counter.
    """

    def __init__(self, cluster: Cluster, fleet: str, site: str) -> None:
        self._client = cluster
        self._fleet = fleet
        self._site = site
        self._lock = threading.Lock()
        self._rebinds: Mapping[str, Rebind] = {}
        self._judged = False
        self._used = 0
        self.unbound = ""
        self.restored = ""
        self.cluster = str(cluster.get("v1", "Namespace", None, "kube-system")["metadata"]["uid"])
        self._manifest = self._read()

    @property
    def accepted(self) -> float | None:
        """When the push of the last accepted heartbeat began, in seconds by the API server's clock (None: unknown)."""
        return seconds_of(self._data.get(ACCEPTED))

    def judge(self, words: OwnWords, sequences: Mapping[str, int], sites: Sequence[Site]) -> None:
        """Find out whether this cluster is this site's, and whether it is behind what it said; bind it where it is not
        bound yet. Costs no request where nothing changed. `sequences`: those of the journals, read after the refs;
        `sites`: the fleet's."""
        with self._lock:
            self._rebinds = {site.name: site.rebind for site in sites if site.rebind is not None}
            if any(self._verdict(words, sequences)):
                self._manifest = self._read()  # the process that leads may have written it since
            self.unbound, self.restored = self._verdict(words, sequences)
            self._judged = True
            if not self.unbound and not self.restored:
                self._keep(words)

    def reserve(self) -> tuple[int, float]:
        """A counter that was never used, written down, and the API server's time after that. Raises `PushRefused` where
        this cluster may not speak for the site."""
        with self._lock:
            if not self._judged or self.unbound or self.restored:
                raise PushRefused(self.unbound or self.restored or "it is not known yet whose cluster this is")
            self._write(lambda data: data | {COUNTER: str(_counter(data) + 1)})
            counter = _counter(self._data)
            if counter <= self._used:
                self.restored = f"cluster {self.cluster} counts {counter} heartbeats, and gave out {self._used} before"
                raise PushRefused(self.restored)
            self._used = counter
            return counter, self._client.server_time()

    def accept(self, at: float) -> None:
        """A heartbeat was accepted whose push began at `at`, in seconds by the API server's clock."""
        with self._lock:
            self._write(lambda data: data | {ACCEPTED: moment(at)})

    def bound(self, site: str) -> str:
        """The UID of the cluster that a site is bound to ("": not known yet)."""
        if site == self._site:
            return self.cluster
        rebind = self._rebinds.get(site)
        return self._data.get(f"{OTHER}{site}", "") if rebind is None else rebind.to

    def meet(self, site: str, uid: str) -> None:
        """Bind another site to the cluster that it was first heard from."""
        with self._lock:
            self._write(lambda data: {f"{OTHER}{site}": uid} | data)

    @property
    def _data(self) -> Data:
        found = {} if self._manifest is None else self._manifest.get("data") or {}
        return {key: value for key, value in found.items() if isinstance(value, str)}

    @property
    def _bound(self) -> Bound | None:
        data = self._data
        if CLUSTER not in data:
            return None
        forgiven = {
            key.removeprefix(FORGIVEN): _whole(value) for key, value in data.items() if key.startswith(FORGIVEN)
        }
        return Bound(data.get(FLEET, ""), data.get(SITE, ""), data[CLUSTER], _counter(data), forgiven)

    def _verdict(self, words: OwnWords, sequences: Mapping[str, int]) -> tuple[str, str]:
        bound, rebind = self._bound, self._rebinds.get(self._site)
        return (
            unbound(bound, self.cluster, self._fleet, self._site, words, rebind),
            restored(bound, self.cluster, self._site, words, sequences, rebind),
        )

    def _keep(self, words: OwnWords) -> None:
        """Write down whose cluster this is and which clusters the other sites were bound to by commits; the counter
        goes on where the one of a cluster before this one ended."""
        own = {FLEET: self._fleet, SITE: self._site, CLUSTER: self.cluster}
        others = {f"{OTHER}{site}": each.to for site, each in self._rebinds.items() if site != self._site}
        taken = taken_as_it_is(self.cluster, words, self._rebinds.get(self._site))
        forgiven = {f"{FORGIVEN}{name}": str(ack.sequence) for name, ack in words.acks.items()} if taken else {}
        counter = words.counter
        self._write(lambda data: data | own | others | forgiven | {COUNTER: str(max(counter, _counter(data)))})

    def _write(self, change: Callable[[Data], Data]) -> None:
        """Compare and swap; read again where somebody else was faster. Nothing is written that is there already."""
        for _ in range(TRIES):
            before = self._manifest
            data = change(self._data)
            if data == self._data:
                return
            try:
                if before is None:
                    metadata = {"name": NAME, "namespace": SYSTEM_NAMESPACE}
                    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
                    self._manifest = self._client.create(manifest, manager=MOVES_MANAGER)
                else:
                    self._manifest = self._client.replace(before | {"data": data}, manager=MOVES_MANAGER)
                return
            except (Conflict, AlreadyExists, NotFound):
                self._manifest = self._read()
        raise Conflict(f"ConfigMap {SYSTEM_NAMESPACE}/{NAME} changes all the time")

    def _read(self) -> Manifest | None:
        try:
            return self._client.get("v1", "ConfigMap", SYSTEM_NAMESPACE, NAME)
        except NotFound:
            return None


def _counter(data: Mapping[str, str]) -> int:
    """The counter; what cannot be read counts as none, and is then behind the refs."""
    return _whole(data.get(COUNTER, ""))


def _whole(text: str) -> int:
    return int(text) if WHOLE.fullmatch(text) else 0
