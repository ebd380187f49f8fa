"""Every API server that this cluster was ever seen to have (P7): a frozen one drops out of the endpoints after seconds,
and may admit what it should refuse when it wakes up.

The addresses are remembered in a ConfigMap of the cluster itself. Only people forget one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import AlreadyExists, Conflict, NotFound
from reconciler.objects import MOVES_MANAGER, SYSTEM_NAMESPACE, Manifest

if TYPE_CHECKING:
    from reconciler.cluster.client import Cluster

NAME = "siteshift-api-servers"
FILE = "addresses"
"""One address a line."""

TRIES = 5


class ApiServers:
    """The addresses of one cluster's API servers."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def known(self) -> tuple[str, ...]:
        """The address in use, and all that were ever among the endpoints of Service default/kubernetes; new ones are
        remembered before they are returned. Raises ClusterError where that cannot be done.

        The address in use alone is not remembered: it may be one that only this machine can reach.
        """
        now = self._cluster.endpoint_addresses()
        for _ in range(TRIES):
            manifest, remembered = self._read()
            fresh = sorted({*remembered, *now})
            if fresh == sorted(remembered) or self._written(manifest, fresh):
                return tuple(dict.fromkeys([self._cluster.server, *fresh]))
        raise Conflict(f"ConfigMap {SYSTEM_NAMESPACE}/{NAME} changes all the time")

    def forget(self, address: str) -> bool:
        """People say that this API server is gone for good. False where it was not remembered."""
        manifest, remembered = self._read()
        if address not in remembered:
            return False
        if not self._written(manifest, [each for each in remembered if each != address]):
            raise Conflict(f"ConfigMap {SYSTEM_NAMESPACE}/{NAME} was changed meanwhile: try again")
        return True

    def _read(self) -> tuple[Manifest | None, list[str]]:
        try:
            found = self._cluster.get("v1", "ConfigMap", SYSTEM_NAMESPACE, NAME)
        except NotFound:
            return None, []
        return found, (found.get("data") or {}).get(FILE, "").split()

    def _written(self, found: Manifest | None, addresses: list[str]) -> bool:
        data = {FILE: "".join(f"{each}\n" for each in addresses)}
        try:
            if found is None:
                metadata = {"name": NAME, "namespace": SYSTEM_NAMESPACE}
                manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
                self._cluster.create(manifest, manager=MOVES_MANAGER)
            else:
                self._cluster.replace(found | {"data": data}, manager=MOVES_MANAGER)
        except (Conflict, AlreadyExists):
            return False
        return True
