"""The gate at a real cluster (P7): its policies and bindings, the permit's changes, and asking each API server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from reconciler.errors import ClusterError, NotFound, Refused
from reconciler.failover.admission import permits, policies
from reconciler.failover.execute.fenced_writer import VOIDED_ANNOTATION, Entry, FencedWriter
from reconciler.failover.protocol.values import Permit
from reconciler.objects import MOVES_MANAGER, SYSTEM_NAMESPACE, Manifest

if TYPE_CHECKING:
    from reconciler.cluster import Cluster


class AdmissionGate:
    """The gate of one application. Every change of its permit is a write of the moves, under a journal entry."""

    def __init__(self, hand: FencedWriter, application: str) -> None:
        self._hand = hand
        self._cluster = hand.cluster
        self._application = application

    def data(self) -> dict[str, str] | None:
        """What the permit's ConfigMap holds; None where there is none."""
        try:
            found = self._cluster.get(
                permits.API_VERSION, permits.KIND, SYSTEM_NAMESPACE, permits.name_of(self._application)
            )
        except NotFound:
            return None
        return dict(found.get("data") or {})

    def permit(self) -> Permit | None:
        """The permit as it is now."""
        data = self.data()
        return None if data is None else permits.permit_of(data)

    def installed(self) -> bool:
        """Whether this application's binding to the gate is there."""
        name = f"{policies.GATE}-{self._application}"
        try:
            self._cluster.get(policies.API_VERSION, policies.BINDING, None, name)
        except NotFound:
            return False
        return True

    def install(self, entry: Entry, namespaces: Sequence[str]) -> None:
        """Put permit, policies and bindings in place, in this order; a permit that is there stays as it is."""
        if self.data() is None:
            self.change(entry, lambda data, now: permits.closed(data, now))
        for manifest in (*policies.policies(), *policies.bindings(self._application, namespaces)):
            self._cluster.apply(manifest, manager=MOVES_MANAGER)

    def change(self, entry: Entry, change: Callable[[dict[str, str], float], dict[str, str] | None]) -> bool:
        """Write the permit as `change` wants it, from its data and the API server's time; None leaves it."""
        try:
            found = self._cluster.get(
                permits.API_VERSION, permits.KIND, SYSTEM_NAMESPACE, permits.name_of(self._application)
            )
        except NotFound:
            data = change({}, self._cluster.server_time())
            if data is None:
                return False
            self._hand.holds(entry)
            self._cluster.create(permits.manifest(self._application, data), manager=MOVES_MANAGER)
            return True
        before = dict(found.get("data") or {})
        data = change(before, self._cluster.server_time())
        if data is None or data == before:
            return False
        self._hand.holds(entry)
        self._replace(found, data)
        return True

    def void(self, entry: Entry, mark: str) -> None:
        """Write once to the permit, which must be closed, so that every older version of it is void."""
        found = self._cluster.get(
            permits.API_VERSION, permits.KIND, SYSTEM_NAMESPACE, permits.name_of(self._application)
        )
        self._hand.holds(entry)
        metadata = found["metadata"]
        found["metadata"] = metadata | {"annotations": (metadata.get("annotations") or {}) | {VOIDED_ANNOTATION: mark}}
        self._replace(found, permits.closed(found.get("data") or {}, self._cluster.server_time()))

    def _replace(self, found: Manifest, data: dict[str, str]) -> None:
        metadata = {key: value for key, value in found["metadata"].items() if key != "managedFields"}
        self._cluster.replace(found | {"metadata": metadata, "data": data}, manager=MOVES_MANAGER)

    def probe(self, namespaces: Sequence[str]) -> dict[str, bool | None]:
        """Ask each API server at its own address to create a pod, as a dry run: True where the gate refused it, None
        where nothing can be concluded. Where there is no namespace there is nothing to start."""
        answers: dict[str, bool | None] = {}
        for address in self._cluster.server_addresses():
            there = self._cluster if address == self._cluster.server else self._cluster.at(address)
            answers[address] = self._ask(there, namespaces)
            if there is not self._cluster:
                there.close()
        return answers

    def _ask(self, there: Cluster, namespaces: Sequence[str]) -> bool | None:
        for namespace in namespaces:
            try:
                there.create(policies.probe(self._application, namespace), manager=MOVES_MANAGER, dry_run=True)
            except NotFound:
                continue
            except Refused as error:
                return True if policies.refused_by_gate(str(error)) else None
            except ClusterError:
                return None
            return False
        return True
