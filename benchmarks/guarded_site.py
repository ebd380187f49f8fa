"""A site for measuring and testing the guard: an embedded API server with applications, and guards as processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reconciler.cluster import Cluster
from reconciler.failover.admission import permits
from reconciler.failover.execute.guard_record import GuardRecord
from reconciler.failover.execute.record import Record, Records
from reconciler.failover.protocol.card import CardObject, StopCard
from reconciler.failover.protocol.values import Journal, Step
from reconciler.fleet.model import Lease
from reconciler.objects import Ref
from sandbox.apiserver import ApiServer

SYSTEM = "siteshift-system"
Manifest = dict[str, Any]


class Site:
    """One site. `permit` is how long its permits last."""

    def __init__(self, server: ApiServer, folder: Path, permit: float = 4.0) -> None:
        self.server, self.folder, self.permit = server, folder, permit
        self.cluster = Cluster.from_endpoint(server.url, server.tokens["admin"], server.ca_file.read_text())
        self.records = Records(self.cluster)
        self.kubeconfig = folder / "guard.kubeconfig"
        self.kubeconfig.write_text(server.kubeconfig("controller"))
        self.namespace(SYSTEM)
        self.started: list[subprocess.Popen[str]] = []

    def namespace(self, name: str) -> None:
        """A namespace."""
        self.cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}, manager="person")

    def card(self, name: str, lease: Lease | None = None, objects: int = 1, **parts: Any) -> StopCard:
        """A card that lists so many Deployments."""
        starts = tuple(
            CardObject(Ref("apps", "Deployment", name, f"web-{number}"), "apps/v1", {"replicas": 0}, f"{number:02}")
            for number in range(objects)
        )
        return StopCard(name, (name,), starts, (), "none", (lease,), permit=self.permit, **parts)

    def application(self, name: str, lease: Lease | None = None, objects: int = 1, **journal: Any) -> Record:
        """An application that runs here, with a valid permit."""
        self.namespace(name)
        for number in range(objects):
            self.cluster.create(deployment(name, f"web-{number}"), manager="person")
        entry = Journal(sequence=1, **({"step": Step.ACTIVE, "role": "active", "epoch": 1} | journal))
        return self.records.write(
            self.records.read(name),
            journal=entry,
            card=self.card(name, lease, objects),
            window=lambda data, now: permits.opened(data, now, self.permit),
        )

    def accept(self) -> None:
        """A heartbeat of this site was accepted now."""
        data = {"accepted": str(self.cluster.server_time())}
        metadata = {"name": "siteshift-site", "namespace": SYSTEM}
        manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
        self.cluster.apply(manifest, manager="person")

    def enter(self, name: str, **journal: Any) -> Record:
        """Another journal entry."""
        before = self.records.read(name)
        assert before.journal is not None
        entry = Journal(sequence=before.journal.sequence + 1, **({"epoch": before.journal.epoch} | journal))
        return self.records.write(before, journal=entry)

    def edit(self, name: str, **data: str | None) -> None:
        """A person's edit of a record."""
        self.cluster.patch("v1", "ConfigMap", SYSTEM, permits.name_of(name), {"data": data}, manager="person")

    def replicas_of(self, name: str) -> list[int]:
        """What each Deployment of an application was told."""
        return [each["spec"]["replicas"] for each in self.cluster.list("apps/v1", "Deployment", name).items]

    def replicas(self, name: str) -> set[int]:
        """What they were told, each number once."""
        return set(self.replicas_of(name))

    def is_stopped(self, name: str) -> bool:
        """Whether the gate is closed and every Deployment was told 0."""
        return self.replicas(name) == {0} and self.records.read(name).permit.closed

    def valid(self, name: str) -> bool:
        """Whether the permit admits starts now."""
        return permits.is_valid(self.records.read(name).permit, self.cluster.server_time())

    def counter(self) -> int:
        """How often a guard looked."""
        return GuardRecord(self.cluster).read().counter

    @contextmanager
    def guard(self) -> Iterator[subprocess.Popen[str]]:
        """A guard as a process of its own, killed at the end."""
        command = [sys.executable, "-m", "reconciler.cli.main", "guard", "--kubeconfig", str(self.kubeconfig)]
        log = (self.folder / f"guard-{len(self.started)}.log").open("w")
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, text=True)
        self.started.append(process)
        try:
            yield process
        finally:
            process.kill()
            process.wait()
            log.close()

    def log(self) -> str:
        """What all guards said."""
        return "".join(path.read_text() for path in sorted(self.folder.glob("guard-*.log")))


def deployment(namespace: str, name: str) -> Manifest:
    """A Deployment of two replicas."""
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": "example"}]}}
    spec = {"replicas": 2, "selector": {"matchLabels": labels}, "template": template}
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}
