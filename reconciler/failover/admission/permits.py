"""Permits: a site's expiring right to start an application, and for a moment to promote it, as a ConfigMap.

All times in it are whole seconds of the API server's clock, as creation times are. A permit is never deleted: the gate
is closed by a window that is over, because a missing parameter would refuse a demotion too. A ConfigMap and not a kind
of our own: those were seen to be unreadable to policies for half a minute after a restart.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from math import floor

from reconciler.failover.protocol.values import Permit
from reconciler.objects import APPLICATION_LABEL, SYSTEM_NAMESPACE, Manifest

API_VERSION = "v1"
KIND = "ConfigMap"
FROM, UNTIL = "from", "until"
ACCEPTED = "accepted"
WITHDRAWN = "withdrawn"
PROMOTE_FROM, PROMOTE_UNTIL, NONCE = "promoteFrom", "promoteUntil", "nonce"
RENEWALS = 4
"""How often a permit is renewed while it lasts: three may fail before it runs out."""

Data = dict[str, str]


def name_of(application: str) -> str:
    """The ConfigMap's name."""
    return f"permit-{application}"


def moment(seconds: float) -> str:
    """RFC 3339, whole seconds."""
    return datetime.fromtimestamp(floor(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds_of(text: str | None) -> float | None:
    """Seconds since 1970; None where there is nothing that can be read."""
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() if text else None
    except ValueError:
        return None


def manifest(application: str, data: Mapping[str, str]) -> Manifest:
    """The ConfigMap as it is applied."""
    metadata = {
        "name": name_of(application),
        "namespace": SYSTEM_NAMESPACE,
        "labels": {"siteshift.io/permit-of": application},
    }
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "data": dict(data)}


def permit_of(data: Mapping[str, str]) -> Permit:
    """What the ConfigMap says. A window that cannot be read admits nothing here, as it does at the API server."""
    since, until = seconds_of(data.get(FROM)), seconds_of(data.get(UNTIL))
    readable = since is not None and until is not None
    return Permit(
        since=since if readable and since is not None else 0.0,
        until=until if readable and until is not None else 0.0,
        accepted=seconds_of(data.get(ACCEPTED)),
        withdrawn=seconds_of(data.get(WITHDRAWN)),
    )


def opened(data: Mapping[str, str], now: float, length: float, lease_end: float | None, accepted: float | None) -> Data:
    """A window from now on, never beyond the lease; it ends the window for promotions."""
    until = now + length if lease_end is None else min(now + length, lease_end)
    kept = {key: value for key, value in _without_promotion(data).items() if key != WITHDRAWN}
    return kept | {FROM: moment(now), UNTIL: moment(until)} | _accepted(accepted)


def renewed(
    data: Mapping[str, str], now: float, length: float, lease_end: float | None, accepted: float | None
) -> Data | None:
    """The same window, longer; None where there is none that is valid now, or it would not get longer."""
    permit = permit_of(data)
    until = now + length if lease_end is None else min(now + length, lease_end)
    if not permit.since <= now < permit.until or floor(until) <= permit.until:
        return None
    return dict(data) | {UNTIL: moment(until)} | _accepted(accepted)


def closed(data: Mapping[str, str], now: float) -> Data:
    """A window that is over. `withdrawn` is when the one taken back would have ended by itself: until then, and a
    little longer, an API server that missed the change may still admit."""
    before = permit_of(data)
    kept = _without_promotion(data)
    if before.withdrawn is not None and before.until <= before.withdrawn:
        return kept
    withdrawn = max(now + 1, before.until)
    over = moment(min(now, before.until) if before.until else now)
    return kept | {FROM: over, UNTIL: over, WITHDRAWN: moment(withdrawn)}


def promotion(data: Mapping[str, str], now: float, length: float, nonce: str) -> Data:
    """A window in which who knows the nonce may make a copy primary (P18); it admits no start."""
    return dict(data) | {PROMOTE_FROM: moment(now), PROMOTE_UNTIL: moment(now + max(length, 1.0) + 1), NONCE: nonce}


def _without_promotion(data: Mapping[str, str]) -> Data:
    return {key: value for key, value in data.items() if key not in (PROMOTE_FROM, PROMOTE_UNTIL, NONCE)}


def _accepted(accepted: float | None) -> Data:
    return {} if accepted is None else {ACCEPTED: moment(accepted)}


def label_selector(application: str) -> str:
    """What selects everything of an application in a cluster."""
    return f"{APPLICATION_LABEL}={application}"
