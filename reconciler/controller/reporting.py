"""Says what a pass found: in the log, and in the status of Site and SiteApplication. Writes only what changed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from reconciler.controller.passes import PassReport, UnitState
from reconciler.errors import ClusterError, NotFound
from reconciler.objects import APPLY_MANAGER, SYSTEM_NAMESPACE, Manifest
from reconciler.status.log import Log
from reconciler.status.resources import application_status, message, site_status
from render.site import SiteManifest

if TYPE_CHECKING:
    from reconciler.cluster import Cluster

API_VERSION = "siteshift.io/v1alpha1"

STATES = {"installing": "Installing", "updating": "Updating", "steady": "Steady"}


def last_revision(cluster: Cluster, site: str) -> str:
    """The commit that the site's controller acted on last, as the Site's status keeps it; "" if it never did."""
    return str(_site_status(cluster, site).get("revision") or "")


def _site_status(cluster: Cluster, site: str) -> dict[str, Any]:
    try:
        found = cluster.get(API_VERSION, "Site", SYSTEM_NAMESPACE, site)
    except NotFound:
        return {}
    status: dict[str, Any] = found.get("status") or {}
    return status


class Reporter:
    """Reports the passes of one site."""

    def __init__(self, site: str, cluster: Cluster, log: Log) -> None:
        self._site = site
        self._cluster = cluster
        self._log = log
        self._written: dict[tuple[str, str], dict[str, Any]] = {}
        self._since: dict[str, tuple[str, str]] = {}
        self._revisions: dict[str, tuple[str, tuple[SiteManifest, ...]]] = {}

    def completed_payload(self) -> str:
        """The platform that was last complete here, as the Site's status keeps it; "" if none was."""
        return str(_site_status(self._cluster, self._site).get("payload") or "")

    def report(self, report: PassReport) -> None:
        """Log what changed and write the statuses that changed."""
        for unit in report.applications:
            self._application(unit, report)
        self._platform(report)
        for ref in report.started:
            owner = next((unit.name for unit in report.applications if ref in unit.desired), None)
            self._log.say("started-workload", f"{ref} was given its start value", application=owner)

    def _platform(self, report: PassReport) -> None:
        unit = report.platform
        levels = sorted({int(state.item.run_level) for state in unit.objects})
        reached = levels[-1] if levels and not unit.complete else None
        ready = sum(found.done for found in (unit, *report.applications))
        total = sum(found.total for found in (unit, *report.applications))
        text = unit.error or message((), (), unit.unfinished)
        self._log.change("platform", "platform", f"{STATES[report.mode]} {unit.done}/{unit.total} {text}".rstrip())
        self._write(
            "Site",
            self._site,
            site_status(
                fleet=report.revision.fleet.name,
                state=STATES[report.mode],
                revision=report.revision.commit,
                run_level="-" if reached is None else str(reached),
                done=ready,
                total=total,
                payload=unit.payload,
                text=text,
                problems=unit.problems,
            ),
        )

    def _application(self, unit: UnitState, report: PassReport) -> None:
        outcome = unit.outcome
        labels = {"application": unit.name, "epoch": outcome.epoch if outcome else None}
        self._log.change("unit-invalid" if outcome is None else "failed", unit.name, unit.error, **labels)
        for state in unit.objects:
            if state.written:
                self._log.say("applied", str(state.ref), **labels)
            self._log.change("failed", str(state.ref), state.error, **labels)
            self._log.change("contested", str(state.ref), state.contested, **labels)
        if outcome is None:
            return
        self._log.change("state", unit.name, outcome.state.value, **labels)
        waits = "; ".join(f"{wait.on}: {wait.because}" for wait in outcome.waits)
        self._log.change("waiting", unit.name, waits, **labels)
        holds = "; ".join(f"{hold.reason}: {hold.message}; {hold.lifted_by}" for hold in outcome.holds)
        self._log.change("held", unit.name, holds, **labels)
        status = application_status(
            role=outcome.effective_role,
            epoch=outcome.epoch,
            state=outcome.state.value,
            revision=self._revision(unit, report.revision.commit),
            done=unit.done,
            total=unit.total,
            waits=outcome.waits,
            holds=outcome.holds,
            unfinished=unit.unfinished,
            error=unit.error,
            problems=unit.problems,
        )
        self._write("SiteApplication", unit.name, status | {"since": self._state_since(unit.name, outcome.state.value)})

    def _revision(self, unit: UnitState, commit: str) -> str:
        """The commit that brought the application what it has now: one that changes another application changes nothing
        here, and costs no write."""
        known = self._revisions.get(unit.name)
        if known is None or known[1] is not unit.rendered:
            known = self._revisions[unit.name] = (commit, unit.rendered)
        return known[0]

    def _state_since(self, application: str, state: str) -> str:
        known = self._since.get(application)
        if known is None or known[0] != state:
            now = datetime.fromtimestamp(self._cluster.server_time(), UTC)
            known = (state, now.strftime("%Y-%m-%dT%H:%M:%SZ"))
            self._since[application] = known
        return known[1]

    def _write(self, kind: str, name: str, status: dict[str, Any]) -> None:
        """Write a status unless it is what was written last. A failure is tried again with the next pass."""
        if self._written.get((kind, name)) == status:
            return
        manifest: Manifest = {
            "apiVersion": API_VERSION,
            "kind": kind,
            "metadata": {"name": name, "namespace": SYSTEM_NAMESPACE},
        }
        try:
            if (kind, name) not in self._written:
                self._cluster.apply(manifest, manager=APPLY_MANAGER)
            self._cluster.apply_status(manifest | {"status": status}, manager=APPLY_MANAGER)
        except ClusterError as error:
            self._log.change("failed", f"{kind} {name}", str(error))
            self._written.pop((kind, name), None)  # it may be gone: the next pass makes it again
            return
        self._log.change("failed", f"{kind} {name}", "")
        self._written[kind, name] = status
