"""The gate at a real cluster (P7): its policies and bindings, whether they are as they should be, and what each API
server answers to a start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.errors import AlreadyExists, ClusterError, Conflict, NotFound, Refused
from reconciler.failover.admission import policies
from reconciler.failover.admission.comparison import Tampered, differences, wanted
from reconciler.failover.execute.api_servers import ApiServers
from reconciler.objects import MOVES_MANAGER, Manifest

if TYPE_CHECKING:
    from reconciler.cluster.client import Cluster

PROBE_TIMEOUT = 5.0
"""Seconds after which an API server that does not answer counts as silent."""

NO_RIGHT = 'needs the right to "create" pods in namespace {namespace} (a dry run), which this user does not have'


@dataclass(frozen=True, slots=True)
class Probe:
    """What each API server ever seen answered to a dry-run create. True: its gate refused it; False: it was admitted,
    so the gate is open whatever the time says; None: nothing follows, and `reasons` says why."""

    answers: Mapping[str, bool | None]
    reasons: Mapping[str, str]

    @property
    def closed(self) -> bool:
        """Whether every one of them refused."""
        return bool(self.answers) and all(self.answers.values())


class AdmissionGate:
    """The gates of one site's applications."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._servers = ApiServers(cluster)

    def install(self, application: str, namespaces: Iterable[str]) -> tuple[Tampered, ...]:
        """Put policies and bindings in place, also over what somebody changed; says what was not as it should be. The
        record must be there before: a gate without its parameter refuses everything."""
        found = self.check({application: tuple(namespaces)})
        for each in found:
            self.repair(each)
        return found

    def check(self, applications: Mapping[str, Iterable[str]]) -> tuple[Tampered, ...]:
        """What is missing or different, in two lists. `applications`: name → namespaces."""
        return differences(wanted(applications), self._all())

    def repair(self, tampered: Tampered) -> None:
        """Put one policy or binding as it should be. Conflict where somebody else writes it."""
        manifest, found = tampered.wanted, tampered.found
        if found is None:
            try:
                self._cluster.create(manifest, manager=MOVES_MANAGER)
            except AlreadyExists as error:
                raise Conflict(str(error)) from error
            return
        # Replaced as a whole: an apply would leave in place what another manager added.
        metadata = {key: value for key, value in found["metadata"].items() if key != "managedFields"}
        self._cluster.replace(manifest | {"metadata": metadata}, manager=MOVES_MANAGER)

    def probe(self, application: str, namespaces: Sequence[str]) -> Probe:
        """Ask each API server ever seen, at its own address and all at once, to create a pod, as a dry run. Where there
        is no namespace there is nothing to start."""
        addresses = self._servers.known()
        with ThreadPoolExecutor(max_workers=max(1, len(addresses))) as pool:
            found = list(pool.map(lambda each: self._ask(each, application, namespaces), addresses))
        answers = {address: answer for address, (answer, _) in zip(addresses, found, strict=True)}
        reasons = {address: reason for address, (_, reason) in zip(addresses, found, strict=True) if reason}
        return Probe(answers, reasons)

    def _ask(self, address: str, application: str, namespaces: Sequence[str]) -> tuple[bool | None, str]:
        there = self._cluster.at(address, timeout=PROBE_TIMEOUT, tries=1)
        try:
            for namespace in namespaces:
                answer, reason = _answer(there, application, namespace)
                if not answer:
                    return answer, reason
            return True, ""
        finally:
            there.close()

    def _all(self) -> tuple[Manifest, ...]:
        return tuple(
            each
            for kind in (policies.POLICY, policies.BINDING)
            for each in self._cluster.list(policies.API_VERSION, kind).items
        )


def _answer(there: Cluster, application: str, namespace: str) -> tuple[bool | None, str]:
    try:
        there.create(policies.probe(application, namespace), manager=MOVES_MANAGER, dry_run=True)
    except NotFound:
        return True, ""
    except Refused as error:
        if policies.refused_by_gate(application, str(error)):
            return True, ""
        if "cannot create resource" in str(error):
            return None, f"{there.server} {NO_RIGHT.format(namespace=namespace)}"
        return None, f"{there.server} refused a dry run for another reason than the gate: {error}"
    except ClusterError as error:
        return None, str(error)
    return False, f"{there.server} admits a pod in namespace {namespace}: its gate is open"
