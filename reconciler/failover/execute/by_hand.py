"""A promotion by people: the same window, nonce and fenced writes as a move's, without the protocol's judgement (P18).

Who does it answers for it. The reason stays on each object, so that whoever looks later finds it.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reconciler.drivers import driver_of
from reconciler.failover.admission import permits
from reconciler.failover.admission.policies import NONCE_ANNOTATION
from reconciler.failover.execute.fenced_writer import FencedWriter
from reconciler.failover.execute.record import Record, Records
from reconciler.fleet.model import Application
from reconciler.objects import Manifest

if TYPE_CHECKING:
    from reconciler.cluster import Cluster

BY_HAND_ANNOTATION = "siteshift.io/promoted-by-hand"
"""On a replication object: who made it the primary, and why."""

WINDOW = 60.0
"""Seconds that the writes may take."""


def promote(cluster: Cluster, application: Application, record: Record, why: str) -> int:
    """Tell each replication object to be primary; says how many were told something else. Raises Conflict where the
    journal has another entry by then, and ClusterError where an object is not there."""
    driver, nonce = driver_of(application.replication.driver), secrets.token_hex(8)
    wanted, records = driver.primary(), Records(cluster)
    writer = FencedWriter(cluster, application.name)
    record = records.write(record, window=lambda data, now: permits.promotion(data, now, now + WINDOW, nonce))

    def primary(found: Manifest) -> Mapping[str, Any] | None:
        spec = found.get("spec", {})
        if all(spec.get(name) == value for name, value in wanted.items()):
            return None
        return {"metadata": {"annotations": {NONCE_ANNOTATION: nonce, BY_HAND_ANNOTATION: why}}, "spec": wanted}

    try:
        return sum(
            writer.change(record, each.api_version, each.kind, each.namespace, each.name, primary)
            for each in driver.role_objects(application)
        )
    finally:
        records.write(records.read(application.name), window=lambda data, _: permits.without_promotion(data))
