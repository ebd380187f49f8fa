"""Compares the gate with what it should be, repairs it, and says what was changed (P20, P22): at passive sites too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from reconciler.clock import Clock
from reconciler.failover.admission.comparison import wanted
from reconciler.failover.execute.admission_gate import AdmissionGate
from reconciler.failover.execute.api_servers import ApiServers
from reconciler.failover.execute.record import Record
from reconciler.failover.guard.application import Log
from reconciler.objects import Manifest

if TYPE_CHECKING:
    from reconciler.cluster.client import Cluster

GATE_TAMPERED = "GateTampered"
SHOWN = 600.0
"""Seconds for which the alarm of a changed gate stands after it was repaired."""


class GateCheck:
    """Remembers which policies and bindings it has seen whole: one that was never there is not installed yet."""

    def __init__(self, cluster: Cluster, clock: Clock, log: Log) -> None:
        self._gate = AdmissionGate(cluster)
        self._servers = ApiServers(cluster)
        self._clock = clock
        self._log = log
        self._whole: frozenset[str] = frozenset()
        self._alarms: Mapping[str, tuple[str, float]] = {}

    def check(self, records: Mapping[str, Record]) -> None:
        """Compare and repair once, and remember the API servers. Raises ClusterError; what was found stands."""
        self._servers.known()
        cards = {name: each.card or each.copy for name, each in records.items()}
        applications = {name: card.namespaces for name, card in cards.items() if card is not None}
        found = self._gate.check(applications)
        for each in found:
            name = _name(each.wanted)
            if each.found is not None or name in self._whole:
                until = self._clock.monotonic() + SHOWN
                self._alarms = {**self._alarms, name: (f"{each} (it is put as it should be)", until)}
                self._log.say("guard-alarm", f"{GATE_TAMPERED}: {each}")
        self._whole = frozenset(map(_name, wanted(applications))) - {_name(each.wanted) for each in found}
        for each in found:
            self._gate.repair(each)

    def alarms(self) -> dict[str, str]:
        """Name → message, as `alarms.json` has them."""
        now = self._clock.monotonic()
        shown = [text for text, until in self._alarms.values() if now < until]
        return {GATE_TAMPERED: "; ".join(shown)} if shown else {}


def _name(manifest: Manifest) -> str:
    return f"{manifest['kind']} {manifest['metadata']['name']}"
