"""The fleet repository's kinds as values. Durations are seconds; paths are relative to the repository's root."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

MoveKind = Literal["planned", "disaster"]
PassiveMode = Literal["warm", "hot"]
Role = Literal["active", "passive"]

NOWHERE = "none"
"""In place of a site's name: the application is stopped everywhere."""


@dataclass(frozen=True, slots=True)
class Rebind:
    """People say that a site has another cluster than before, and that the old one is destroyed: both by the UIDs of
    their namespaces kube-system. One UID twice: the cluster was restored in place, and `counter` is the highest that
    its heartbeats had reached."""

    before: str
    to: str
    reason: str
    counter: int | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """One place to run. `context` names a context of the kubeconfig that its controller uses (None: the current);
    `keys` are the public SSH keys by one of which it signs what it says (none: it is believed unsigned)."""

    name: str
    context: str | None = None
    rebind: Rebind | None = None
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StartLimits:
    """The start gate of each site: how many workloads may be starting at once, and how many starts a minute."""

    max_in_flight: int = 10
    per_minute: int = 60


@dataclass(frozen=True, slots=True)
class Refs:
    """Git refs of the protocol; `{site}` is replaced by the site's name."""

    acks: str = "refs/siteshift/acks/{site}"
    heartbeats: str = "refs/siteshift/heartbeats/{site}"

    @property
    def prefixes(self) -> tuple[str, ...]:
        """What the names of all sites' refs begin with."""
        return tuple(dict.fromkeys(ref.partition("{site}")[0] for ref in (self.acks, self.heartbeats)))


@dataclass(frozen=True, slots=True)
class Group:
    """One consistency group: the replication resource of an application."""

    kind: str
    name: str
    namespace: str


@dataclass(frozen=True, slots=True)
class Replication:
    """How an application's data gets to the other site. `rpo` in seconds, None where nothing is replicated."""

    driver: str = "none"
    groups: tuple[Group, ...] = ()
    rpo: float | None = None


@dataclass(frozen=True, slots=True)
class Lease:
    """`onIsolation: fence`: the site stops by itself `time` seconds after its last accepted heartbeat; another site
    may count it as stopped after `fence_after` seconds without a sign of life."""

    time: float
    fence_after: float


@dataclass(frozen=True, slots=True)
class Rewind:
    """People rewound the branch and accept it as it is, for all sites at once: `to` is a commit of it, `marks` are the
    commits that the sites last acted on and that are not on it any more."""

    to: str
    marks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Placement:
    """Which site is active ("none": it is stopped everywhere). `allow_data_loss` in seconds, "unknown", or None where
    nothing was allowed."""

    active: str
    epoch: int
    move: MoveKind
    path: str
    declared_down: tuple[str, ...] = ()
    allow_data_loss: float | Literal["unknown"] | None = None
    reason: str | None = None
    override_fence: str | None = None
    allow_discard: tuple[str, ...] = ()
    accept_rewind: Rewind | None = None


@dataclass(frozen=True, slots=True)
class Application:
    """The unit that moves. `folder` holds its application.yaml; `sites` are those that may carry it.

    `overlay` (with {site} in it) and `roles` are paths from the repository's root; `overlay` is None for the default.
    """

    name: str
    folder: str
    sites: tuple[str, ...]
    home: str
    placement: Placement
    overlay: str | None = None
    passive: PassiveMode = "warm"
    roles: dict[Role, str] = field(default_factory=dict)
    depends_on: tuple[str, ...] = ()
    replication: Replication = Replication()
    volumes: Literal["static"] = "static"
    lease: Lease | None = None
    readiness_timeout: float = 900.0
    suspended: bool = False


CLUSTER_KINDS = (
    "Namespace",
    "PersistentVolume",
    "VolumeGroupReplicationContent.replication.storage.openshift.io",
    "VolumeGroupSnapshotContent.groupsnapshot.storage.k8s.io",
    "VolumeSnapshotContent.snapshot.storage.k8s.io",
)
"""Cluster-scoped kinds that applications may have unless the fleet says otherwise: what holds them and their data."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What applications may contain. `cluster_kinds`: cluster-scoped kinds, as `Kind` or `Kind.group`; `namespaces`:
    the only ones that an application may use, by its name; `take_over`: namespaces in which objects of other managers
    may be taken over."""

    cluster_kinds: tuple[str, ...] = CLUSTER_KINDS
    namespaces: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    take_over: tuple[str, ...] = ()

    def given(self, namespace: str) -> tuple[str, ...]:
        """The applications that have a namespace by this."""
        return tuple(sorted(name for name, found in self.namespaces.items() if namespace in found))


@dataclass(frozen=True, slots=True)
class Fleet:
    """One fleet repository at one commit. `platform` are the folders that every site builds, in order of their names.

    `poll`, `freshness`, `permit` and `request_timeout` are the fleet's times in seconds; `prune_budget` is how many
    objects of one unit may be deleted in one pass. `remote_bases` are the hosts whose Git repositories kustomizations
    may name as bases.
    """

    name: str
    topology: Literal["active-passive", "symmetric"]
    sites: tuple[Site, ...]
    platform: tuple[str, ...]
    applications: tuple[Application, ...]
    starts: StartLimits = StartLimits()
    poll: float = 30.0
    freshness: float = 60.0
    permit: float = 120.0
    request_timeout: float = 60.0
    prune_budget: int = 10
    refs: Refs = Refs()
    remote_bases: tuple[str, ...] = ()
    contents: Contents = Contents()

    @property
    def keys(self) -> dict[str, tuple[str, ...]]:
        """The public keys of the sites that have some, by their names."""
        return {site.name: site.keys for site in self.sites if site.keys}

    def application(self, name: str) -> Application | None:
        """The application of that name, if there is one."""
        return next((application for application in self.applications if application.name == name), None)
