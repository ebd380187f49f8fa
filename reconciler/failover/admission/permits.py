"""Permits: a site's expiring right to start an application, and for a moment to promote it, as data of its record.

All times are whole seconds of the API server's clock, as creation times are. A record is never deleted: the gate is
closed by a window that no time satisfies, because a missing parameter would refuse a demotion too. A ConfigMap and not
a kind of our own: those were seen to be unreadable to policies for half a minute after a restart.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from math import floor

from reconciler.failover.protocol.values import Permit
from reconciler.objects import APPLICATION_LABEL

API_VERSION = "v1"
KIND = "ConfigMap"
RECORD_LABEL = "siteshift.io/record"
"""On an application's record and on the copy of its card: the application's name."""

FROM, UNTIL = "from", "until"
ACCEPTED = "accepted"
"""When a heartbeat was last accepted, as of the last renewal: the present value may not be earlier (P6)."""

PROMOTE_FROM, PROMOTE_UNTIL, NONCE = "promoteFrom", "promoteUntil", "nonce"
PRIMARY, OVERWRITE = "primary", "overwrite"
"""What the role gate admits without a nonce while it is "true": becoming primary, or being overwritten (P18)."""

GLASS_UNTIL, GLASS_REASON = "glassUntil", "glassReason"
"""Until when people have broken the glass: starts are admitted whatever the window says. And why, for the audit."""

NEVER_FROM, NEVER_UNTIL = "9999-12-31T00:00:00Z", "1970-01-01T00:00:00Z"
RENEWALS = 4
"""How often a permit is renewed while it lasts: three may fail before it runs out."""

Data = dict[str, str]


def name_of(application: str) -> str:
    """The name of the ConfigMap that is an application's record."""
    return f"permit-{application}"


def moment(seconds: float) -> str:
    """RFC 3339, whole seconds."""
    return datetime.fromtimestamp(floor(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds_of(text: str | None) -> float | None:
    """Seconds since 1970; None where there is nothing that can be read."""
    try:
        read = datetime.fromisoformat(text.replace("Z", "+00:00")) if text else None
    except ValueError:
        return None
    return None if read is None or read.tzinfo is None else read.timestamp()


def permit_of(data: Mapping[str, str]) -> Permit:
    """What the record says. A window that cannot be read admits nothing here, as it does at the API server."""
    since, until = seconds_of(data.get(FROM)), seconds_of(data.get(UNTIL))
    return Permit(0.0, 0.0) if since is None or until is None else Permit(since, until)


def is_valid(permit: Permit, now: float) -> bool:
    """Whether starts are admitted at a moment of the API server's clock."""
    return permit.since <= now < permit.until


def opened(data: Mapping[str, str], now: float, length: float, lease_end: float | None = None) -> Data:
    """A window from now on, never beyond the lease; it ends the window for promotions."""
    until = now + length if lease_end is None else min(now + length, lease_end)
    return without_promotion(data) | {FROM: moment(now), UNTIL: moment(until)}


def renewed(data: Mapping[str, str], now: float, length: float, lease_end: float | None = None) -> Data | None:
    """The same window, longer; None where none is valid now, too little of it is over, or it would not get longer."""
    permit = permit_of(data)
    until = now + length if lease_end is None else min(now + length, lease_end)
    early = permit.until - now > length * (1 - 1 / RENEWALS)
    if early or not is_valid(permit, now) or floor(until) <= permit.until:
        return None
    return dict(data) | {UNTIL: moment(until)}


def closed(data: Mapping[str, str]) -> Data:
    """A window that no time satisfies, for starts and for promotions."""
    return without_promotion(data) | {FROM: NEVER_FROM, UNTIL: NEVER_UNTIL}


def broken_until(data: Mapping[str, str]) -> float:
    """Until when the glass is broken, by the API server's clock; a time long ago where it is not."""
    return seconds_of(data.get(GLASS_UNTIL)) or 0.0


def broken(data: Mapping[str, str], until: float, why: str) -> Data:
    """The glass broken by people, who answer for it that nothing of the application runs elsewhere."""
    return dict(data) | {GLASS_UNTIL: moment(until), GLASS_REASON: why}


def mended(data: Mapping[str, str]) -> Data:
    """The glass whole again."""
    return {key: value for key, value in data.items() if key not in (GLASS_UNTIL, GLASS_REASON)}


def promotion(data: Mapping[str, str], now: float, until: float, nonce: str) -> Data:
    """A window in which who knows the nonce may make a replica primary (P18); it admits no start."""
    return dict(data) | {PROMOTE_FROM: moment(now), PROMOTE_UNTIL: moment(until), NONCE: nonce}


def without_promotion(data: Mapping[str, str]) -> Data:
    """No window for promotions."""
    return {key: value for key, value in data.items() if key not in (PROMOTE_FROM, PROMOTE_UNTIL, NONCE)}


def without_accepted(data: Mapping[str, str]) -> Data:
    """No moment of the last renewal: a new promotion rests on a heartbeat of its own, and a clock that went back since
    must not hold the moment before it for ever against it."""
    return {key: value for key, value in data.items() if key != ACCEPTED}


def label_selector(application: str) -> str:
    """What selects everything of an application in a cluster."""
    return f"{APPLICATION_LABEL}={application}"
