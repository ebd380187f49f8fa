"""What the guard says of itself, in ConfigMap `siteshift-guard`: heartbeats carry it, so that other sites know whether
a lease is obeyed by somebody who lives, and which.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reconciler.errors import AlreadyExists, Conflict, NotFound
from reconciler.failover.protocol.record_documents import plain, value_of
from reconciler.failover.protocol.strict_json import DocumentError, Fields, read, write
from reconciler.fleet.model import Lease
from reconciler.objects import MOVES_MANAGER, SYSTEM_NAMESPACE, Manifest

if TYPE_CHECKING:
    from reconciler.cluster.client import Cluster

NAME = "siteshift-guard"
COUNTER, OBEYS_FILE, ALARMS_FILE = "counter", "obeys.json", "alarms.json"
VERSION = 1
LIMIT = 400 * 1024
"""Bytes of one document: some hundred for each application."""


@dataclass(frozen=True, slots=True)
class GuardWord:
    """`counter`: looks of a living guard, never falling (0: there never was one). `obeys`: for each application the
    lease that others may count on; None for `keep`, and one that is missing obeys none. `alarms`: application ("" for
    the site) → name → message. `damage`: what cannot be read, in words."""

    counter: int = 0
    obeys: Mapping[str, Lease | None] = field(default_factory=dict)
    alarms: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    damage: str = ""


class GuardRecord:
    """Reads and writes the ConfigMap of one site."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def read(self) -> GuardWord:
        """What was said last. Damage is a field; raises ClusterError where the API server does not answer."""
        found = self._get()
        return GuardWord() if found is None else _word(found.get("data") or {})

    def say(self, obeys: Mapping[str, Lease | None], alarms: Mapping[str, Mapping[str, str]]) -> int:
        """Count one further and say what holds now; the new count. Conflict where another guard said something in
        between: whoever holds the guards' Lease says it again."""
        found = self._get()
        counter = _counter((found or {}).get("data") or {}) + 1
        data = {
            COUNTER: str(counter),
            OBEYS_FILE: write({"version": VERSION, "leases": plain(obeys)}).decode(),
            ALARMS_FILE: write({"version": VERSION, "alarms": plain(alarms)}).decode(),
        }
        try:
            if found is None:
                metadata = {"name": NAME, "namespace": SYSTEM_NAMESPACE}
                manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
                self._cluster.create(manifest, manager=MOVES_MANAGER)
            else:
                self._cluster.replace(found | {"data": data}, manager=MOVES_MANAGER)
        except AlreadyExists as error:
            raise Conflict(str(error)) from error
        return counter

    def _get(self) -> Manifest | None:
        try:
            return self._cluster.get("v1", "ConfigMap", SYSTEM_NAMESPACE, NAME)
        except NotFound:
            return None


def _counter(data: Mapping[str, str]) -> int:
    text = data.get(COUNTER, "0")
    return int(text) if text.isdecimal() and len(text) <= 15 else 0


def _word(data: Mapping[str, str]) -> GuardWord:
    where = f"ConfigMap {SYSTEM_NAMESPACE}/{NAME}"
    damage = []

    def document(file: str, name: str, kind: Any) -> Any:
        def reader(fields: Fields) -> Any:
            return value_of(kind, fields.anything(name), f"{where}: {file}: {name}")

        try:
            return read(data.get(file, ""), f"{where}: {file}", VERSION, LIMIT, reader)
        except DocumentError as error:
            damage.append(str(error))
            return {}

    obeys = document(OBEYS_FILE, "leases", Mapping[str, Lease | None])
    alarms = document(ALARMS_FILE, "alarms", Mapping[str, Mapping[str, str]])
    counter = _counter(data)
    if str(counter) != data.get(COUNTER):
        damage.append(f"{where}: {COUNTER} is no whole number")
    return GuardWord(counter, obeys, alarms, "; ".join(damage))
