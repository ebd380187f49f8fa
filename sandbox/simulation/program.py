"""One site's simulation put together: which controllers run, on which array, with which settings."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from reconciler.cluster.client import Cluster
from reconciler.errors import UsageError
from sandbox.simulation.array import Array
from sandbox.simulation.autoscalers import Autoscalers
from sandbox.simulation.deployments import Deployments, ReplicaSets
from sandbox.simulation.engine import Controller, Engine
from sandbox.simulation.guests import Guests
from sandbox.simulation.install import install
from sandbox.simulation.instances import Instances
from sandbox.simulation.jobs import Jobs
from sandbox.simulation.kubevirt_status import instance_phase
from sandbox.simulation.ledger import Ledger
from sandbox.simulation.machines import INSTANCE, Machines
from sandbox.simulation.pods import Pods
from sandbox.simulation.replication import Replications
from sandbox.simulation.replication_groups import ReplicationGroups
from sandbox.simulation.settings import Settings, SettingsFile
from sandbox.simulation.statefulsets import StatefulSets
from sandbox.simulation.storage import Attachments, Claims, Volumes
from sandbox.simulation.world import World, controller_of

REBOOT_WAIT = 10.0
"""Seconds for the instances of before a power cut to go, at most, until the simulation calls itself ready."""

GROUPS = ("pods", "workloads", "storage", "attachments", "kubevirt", "replication")
"""What `--only` may name: `pods` are nodes and kubelets, `workloads` what makes pods, and autoscalers."""


class Simulation:
    """The controllers, nodes, guests and array of one site."""

    def __init__(
        self,
        cluster: Cluster,
        site: str,
        array: Path,
        *,
        peers: Mapping[str, Path] | None = None,
        groups: Iterable[str] = GROUPS,
        settings: Path | None = None,
    ) -> None:
        self._groups = tuple(groups)
        unknown = set(self._groups) - set(GROUPS)
        if unknown:
            raise UsageError(f"there is no group {sorted(unknown)[0]!r} to simulate; known are {', '.join(GROUPS)}")
        self._cluster, self._site = cluster, site
        self._settings = SettingsFile(settings)
        self._array = Array(array, site, peers)
        self._ledger = Ledger(array)
        self._engine = Engine(cluster)
        self._world = World(cluster, self._engine, lambda: self._settings.current)
        self._guests = Guests(
            self._array, self._ledger, site, lambda: self._settings.current, troubled=self._on_trouble
        )
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Install the kinds, begin to replicate, and run the controllers."""
        install(self._cluster, self._groups)
        self._array.cut_link(self._settings.current.link_cut)
        self._thread("array", self._replicate)
        interrupted = self._interrupted()
        controllers = list(self._controllers())
        self._engine.start(controllers)
        for controller in controllers:
            if isinstance(controller, Pods):
                controller.make_nodes(self._site)
        if interrupted:
            self._settle(interrupted)
        self._thread("guests", lambda: self._guests.run(self._stopping))
        self._thread("settings", lambda: self._settings.follow(self._stopping, self._on_settings))

    def _interrupted(self) -> set[str]:
        """UIDs of the instances that say Running from before the simulation's end: no guest runs in them any more."""
        if "kubevirt" not in self._groups:
            return set()
        found = [instance for instance in self._cluster.list(*INSTANCE).items if controller_of(instance)]
        return {instance["metadata"]["uid"] for instance in found if instance_phase(instance) == "Running"}

    def _settle(self, interrupted: set[str]) -> None:
        """Wait until these instances are gone, so that whoever looks at a ready site sees only what really runs."""
        deadline = time.monotonic() + REBOOT_WAIT
        while interrupted & {instance["metadata"]["uid"] for instance in self._world.items(INSTANCE)}:
            if time.monotonic() > deadline or self._stopping.wait(0.05):
                return

    def stop(self) -> None:
        """End everything; what is on the array stays."""
        self._stopping.set()
        self._engine.stop()
        for thread in self._threads:
            thread.join()
        self._array.close()
        self._ledger.close()

    def _controllers(self) -> Iterable[Controller]:
        world, array = self._world, self._array
        makers: Mapping[str, Callable[[], tuple[Controller, ...]]] = {
            "pods": lambda: (Pods(world),),
            "workloads": lambda: (
                Deployments(world),
                ReplicaSets(world),
                StatefulSets(world),
                Jobs(world),
                Autoscalers(world),
            ),
            "storage": lambda: (Claims(world, array), Volumes(world, array)),
            "attachments": lambda: (Attachments(world),),
            "kubevirt": lambda: (Machines(world), Instances(world, self._guests)),
            "replication": lambda: (Replications(world, array), ReplicationGroups(world)),
        }
        for group in GROUPS:
            if group in self._groups:
                yield from makers[group]()

    def _replicate(self) -> None:
        while not self._stopping.wait(self._settings.current.replication_interval):
            self._array.replicate()

    def _on_settings(self, settings: Settings) -> None:
        self._array.cut_link(settings.link_cut)
        self._engine.look_again()

    def _on_trouble(self, uid: str) -> None:
        """A guest met an I/O error: its instance says so."""
        for instance in self._world.items(INSTANCE):
            if instance["metadata"]["uid"] == uid:
                self._engine.enqueue(INSTANCE, instance)

    def thread_failed(self) -> bool:
        """Whether a part of the simulation has ended although nobody stopped it."""
        return not self._stopping.is_set() and not all(thread.is_alive() for thread in self._threads)

    def _thread(self, name: str, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()
