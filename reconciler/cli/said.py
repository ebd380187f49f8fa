"""What the sites have said on their refs, as a command reads it from the fleet's server; nothing is guessed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.errors import SourceError

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from reconciler.failover.execute.sites_seen import SitesSeen
    from reconciler.failover.protocol.values import Ack
    from reconciler.fleet.model import Fleet
    from reconciler.git import Mirror
    from reconciler.git.seam import Heads
    from reconciler.git.working import WorkingCopy


@dataclass(frozen=True, slots=True)
class Said:
    """All sites' refs as one server listed them."""

    seen: SitesSeen
    heads: Heads
    fleet: Fleet
    source: Mirror

    def said_at(self, site: str) -> float | None:
        """When a site's last heartbeat was made, in seconds since 1970 by its own clock; None where there is none."""
        ref = self.fleet.refs.heartbeats.format(site=site)
        value = self.heads.refs.get(ref)
        if value is None or ref in self.heads.failed:
            return None
        return self.source.pushed_at(ref, value)

    def acks(self, application: str) -> dict[str, Ack]:
        """What each site last said about an application, trusted or not. Raises `SourceError` where a site said
        something that cannot be read: it may be more than what the others say."""
        found = {site: self.ack(site, application) for site in self.seen.sites}
        return {site: ack for site, ack in found.items() if ack is not None}

    def ack(self, site: str, application: str) -> Ack | None:
        """What one site last said. Raises `SourceError` where it cannot be read."""
        known, ref = self.seen.sites[site], self.fleet.refs.acks.format(site=site)
        ack = known.highest.get(application)
        why = self.heads.failed.get(ref) or (known.bad.get(application) if ack is None else None)
        why = why or (known.ack_distrust if ref in self.heads.refs and not known.highest else None)
        if why:
            raise SourceError(
                f"what site {site} said about {application} cannot be read: {why}\n"
                f"  hint: repair {ref} on the server, or delete it there: the site then says it again"
            )
        return ack


def mirror(arguments: argparse.Namespace, url: str, branch: str) -> Mirror:
    """The mirror that commands use of a fleet's server."""
    from reconciler.cli.options import seconds
    from reconciler.git import Mirror

    return Mirror(
        url,
        _folder(arguments, url),
        branch=branch,
        credentials=arguments.git_credentials,
        timeout=seconds("git-timeout", arguments),
    )


def read(source: Mirror, fleet: Fleet) -> Said:
    """The refs of a fleet's sites."""
    from reconciler.failover.execute.signatures import Signatures
    from reconciler.failover.execute.sites_seen import SitesSeen

    names = tuple(site.name for site in fleet.sites)
    seen = SitesSeen(source, fleet.refs, lambda _: "", Signatures(keys=fleet.keys))
    patterns = (fleet.refs.acks, fleet.refs.heartbeats)
    heads = source.fetch([pattern.format(site=name) for name in names for pattern in patterns])
    seen.take(heads, names, 0.0)
    return Said(seen, heads, fleet, source)


def said(arguments: argparse.Namespace, working: WorkingCopy, fleet: Fleet) -> Said:
    """What the sites said on the server that this clone pushes to. Raises `SourceError` where it pushes to none."""
    upstream, url = working.upstream, working.upstream_url
    if upstream is None or url is None:
        raise SourceError(
            f"branch {working.branch} has no upstream, and the sites speak there\n"
            "  hint: `git branch --set-upstream-to` gives it one"
        )
    return read(mirror(arguments, url, upstream.ref.removeprefix("refs/heads/")), fleet)


def _folder(arguments: argparse.Namespace, url: str) -> Path:
    from reconciler.cli.run import state_folder
    from reconciler.git.mirror import folder_name

    return state_folder(arguments) / folder_name(url, "cli")
