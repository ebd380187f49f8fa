"""Puts a controller together from a URL, a kubeconfig and a folder."""

from __future__ import annotations

import os
import socket
import uuid
from dataclasses import dataclass
from pathlib import Path

from reconciler.clock import Clock
from reconciler.cluster import Caches, Cluster
from reconciler.controller.carry_out import Mover
from reconciler.controller.carry_out_publish import Publisher
from reconciler.controller.desired import Desired, placement_reader
from reconciler.controller.leader import Leadership
from reconciler.controller.loop import Parts
from reconciler.errors import UsageError
from reconciler.source import Mirror


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


def assemble(settings: Settings, clock: Clock) -> Parts:
    """The parts of one site's controller. Raises SourceError, ClusterError or InputErrors where it cannot begin."""
    mirror = Mirror(
        settings.url,
        settings.state / f"mirror-{settings.site}",
        branch=settings.branch,
        credentials=settings.credentials,
        timeout=settings.git_timeout,
        clock=clock,
    )
    desired = Desired(mirror, settings.site)
    revision = desired.at(mirror.fetch().branch)
    mirror.refs = revision.fleet.refs.prefixes
    sites = {site.name: site for site in revision.fleet.sites}
    if settings.site not in sites:
        raise UsageError(f'--site is "{settings.site}", which is no site of this fleet ({", ".join(sites)})')
    cluster = Cluster.connect(settings.kubeconfig, settings.context or sites[settings.site].context)
    publisher = Publisher(mirror, settings.site, tuple(sites), revision.fleet.refs, clock)
    identity = f"{socket.gethostname()}_{os.getpid()}_{uuid.uuid4().hex[:8]}"
    return Parts(
        settings.site,
        revision,
        cluster,
        Caches(cluster, clock=clock),
        publisher,
        Mover(settings.site, cluster, publisher, clock, placement_reader(mirror)),
        Leadership(cluster, identity, duration=revision.fleet.permit, clock=clock),
        desired,
    )
