"""Puts a controller together from a URL, a kubeconfig and a folder."""

from __future__ import annotations

import os
import socket
import uuid
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.clock import Clock
from reconciler.cluster import Caches, Cluster
from reconciler.cluster.endpoint import in_pod
from reconciler.cluster.leadership import Leadership
from reconciler.controller import remote
from reconciler.controller.desired import Desired, Revision, placement_reader
from reconciler.controller.loop import Parts
from reconciler.controller.rendering import BasesSettings, RenderService
from reconciler.controller.reporting import last_revision
from reconciler.errors import InputErrors, SourceError, UsageError
from reconciler.failover.execute.knowing import Around
from reconciler.failover.execute.mover import Mover
from reconciler.failover.execute.publisher import Publisher
from reconciler.failover.execute.signatures import Signatures
from reconciler.failover.execute.site_record import SiteRecord
from reconciler.git import Mirror
from reconciler.git.mirror import folder_name
from reconciler.status.log import Log


@dataclass(frozen=True, slots=True)
class Settings:
    """Where a controller finds its fleet and its cluster. `state` is a folder for the mirror; it is only a cache."""

    site: str
    url: str
    branch: str
    state: Path
    kubeconfig: str | None
    context: str | None
    credentials: str | None = None
    git_timeout: float = 60.0
    signing_key: str | None = None


LEASE = 15.0
"""How long the controller's Lease lasts at most, in seconds; Kubernetes' own controllers use as much."""


def assemble(settings: Settings, log: Log, clock: Clock) -> Parts:
    """The parts of one site's controller, with the Git server that people have pointed it at, else the settings'.
    Raises SourceError, ClusterError or InputErrors where it cannot begin."""
    bound = ""
    if settings.context is not None or in_pod():
        bound = remote.bound_url(_connect(settings, None), settings.site)
    parts = _assembled(settings, bound, log, clock)
    now = remote.bound_url(parts.cluster, settings.site)
    if now != bound:  # the cluster was known by the fleet alone, or people were quicker
        parts.desired.close()
        parts = _assembled(settings, now, log, clock)
    return parts


def _assembled(given: Settings, bound: str, log: Log, clock: Clock) -> Parts:
    settings = replace(given, url=bound or given.url)
    mirror = Mirror(
        settings.url,
        settings.state / folder_name(settings.url, settings.site),
        branch=settings.branch,
        credentials=settings.credentials,
        timeout=settings.git_timeout,
        clock=clock,
    )
    desired = Desired(mirror, settings.site, service=_render_service(settings, mirror, clock))
    revision = _first_revision(settings, mirror, desired, log)
    sites = {site.name: site for site in revision.fleet.sites}
    if settings.site not in sites:
        raise UsageError(f'--site is "{settings.site}", which is no site of this fleet ({", ".join(sites)})')
    cluster = _connect(settings, sites[settings.site].context)
    record = SiteRecord(cluster, revision.fleet.name, settings.site)
    signing_key = None if settings.signing_key is None else Path(settings.signing_key)
    signatures = Signatures(signing_key, revision.fleet.keys)
    publisher = Publisher(mirror, settings.site, tuple(sites), revision.fleet.refs, clock, record, signatures)
    around = Around(settings.site, cluster, publisher, record, clock, placement_reader(mirror))
    identity = f"{socket.gethostname()}_{os.getpid()}_{uuid.uuid4().hex[:8]}"
    return Parts(
        settings.site,
        revision,
        cluster,
        Caches(cluster, clock=clock),
        around,
        Mover(around),
        Leadership(cluster, identity, duration=min(LEASE, revision.fleet.permit), clock=clock),
        desired,
        bound,
    )


def _render_service(settings: Settings, mirror: Mirror, clock: Clock) -> RenderService:
    """Renders commits of the mirror."""
    credentials = None if settings.credentials is None else Path(settings.credentials)
    bases = BasesSettings(settings.state / "bases", credentials, settings.git_timeout)
    return RenderService(mirror.folder, bases, clock)


def _first_revision(settings: Settings, mirror: Mirror, desired: Desired, log: Log) -> Revision:
    """The branch's head. Where Git does not answer or its head is wrong, the commit that this site acted on last, if it
    is still here: a controller that restarts then still has leases to keep and stops to finish."""
    try:
        return desired.at(mirror.fetch().branch)
    except (SourceError, InputErrors) as error:
        last = last_revision(_connect(settings, None), settings.site)
        if not last:
            raise
        if isinstance(error, SourceError):
            log.change("git-unreachable", "git", str(error))
        else:
            log.change("fleet-invalid", "first", f"{error}\nthe last good commit is {last[:7]}")
        return desired.at(last)


def _connect(settings: Settings, context: str | None) -> Cluster:
    """The site's cluster: as the command line says, in a pod the pod's own, else by the context in siteshift.yaml."""
    wanted = settings.context or (None if settings.kubeconfig is None and in_pod() else context)
    return Cluster.connect(settings.kubeconfig, wanted)
