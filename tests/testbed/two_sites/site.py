"""One site of the pair: a whole control plane, what is simulated beside it, the controller, and what happened there.

Nothing real runs virtual machines or storage here, so those are simulated, as ordinary clients of the API. What
happened is read from the API's own watch and audit log and from the array's folder, never from the controller.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from testbed.client import Client, Event, History, Manifest
from testbed.processes import Process
from testbed.servers import ControlPlane, Options, write_kubeconfig
from testbed.two_sites.fleet import NAMES, REQUEST_TIMEOUT, git_environment

Kind = tuple[str, str]
"""apiVersion and kind."""
Check = Callable[[Manifest], object]

APPLICATION = "siteshift.io/application"
VM = ("kubevirt.io/v1", "VirtualMachine")
INSTANCE = ("kubevirt.io/v1", "VirtualMachineInstance")
GROUP = ("replication.storage.openshift.io/v1alpha1", "VolumeGroupReplication")
DEPLOYMENT = ("apps/v1", "Deployment")
POD = ("v1", "Pod")
CONFIG_MAP = ("v1", "ConfigMap")
CLAIM = ("v1", "PersistentVolumeClaim")
NAMESPACE = ("v1", "Namespace")
STORAGE_CLASS = ("storage.k8s.io/v1", "StorageClass")
RECORDED = (VM, INSTANCE, GROUP, DEPLOYMENT, POD, CONFIG_MAP, NAMESPACE, STORAGE_CLASS)
UNTOUCHED = (VM, INSTANCE, DEPLOYMENT, POD, CONFIG_MAP, CLAIM)
"""Kinds whose objects nobody writes while their application rests; replication reports its last sync instead."""

SETTINGS = {"replication_interval": 0.5, "report_interval": 1.0}
"""Of the simulation, in seconds."""

STARTED_WITHIN = 90.0
"""Seconds that a program may take to come up on a busy machine."""


class Site:
    """One site. `histories` holds every event of the recorded kinds since the site was first started."""

    def __init__(self, name: str, folder: Path, binaries: Path, remote: str, arrays: Path) -> None:
        folder.mkdir()
        self.name = name
        self.array = arrays / name
        self.plane = ControlPlane(
            binaries,
            folder / "plane",
            Options(request_timeout=REQUEST_TIMEOUT, durable=True, audit=True, service_accounts=True),
        )
        kubeconfig = write_kubeconfig(
            folder / f"{name}.kubeconfig",
            server=self.plane.server,
            ca_file=self.plane.ca_file,
            token=self.plane.token(),
        )
        self.product = folder / "siteshift.kubeconfig"
        self.remote = remote
        settings = folder / "simulation.json"
        settings.write_text(json.dumps(SETTINGS))
        self.simulation = Process(
            f"simulation of {name}",
            [
                *(sys.executable, "-m", "sandbox.simulation", "--site", name),
                *("--kubeconfig", kubeconfig, "--settings", settings, "--array", self.array),
                *(f"--peer={peer}={arrays / peer}" for peer in NAMES if peer != name),
                *("--only", "attachments,kubevirt,replication"),
            ],
            log=folder / "simulation.log",
        )
        self.controller = Process(
            f"controller of {name}",
            [
                *(siteshift(), "run", "--site", name, "--fleet-url", remote, "--log-format", "text"),
                *("--kubeconfig", self.product, "--context", "siteshift", "--state", folder / "state"),
                *("--guard", "beside"),
            ],
            log=folder / "controller.log",
            environment={**git_environment(), "HOME": str(folder)},
            folder=folder,
        )
        self.guard = Process(
            f"guard of {name}",
            [siteshift(), "guard", "--site", name, "--kubeconfig", self.product, "--context", "siteshift"],
            log=folder / "guard.log",
            environment={"HOME": str(folder)},
            folder=folder,
        )
        self.histories: dict[Kind, History] = {}
        self.deaths: list[float] = []

    @property
    def processes(self) -> list[Process]:
        """Everything that makes up the site."""
        return [*self.plane.processes, self.simulation, self.guard, self.controller]

    @property
    def client(self) -> Client:
        """A client of this site's API, as its admin."""
        return self.plane.client()

    def begin(self) -> None:
        """Start the control plane, and do not wait for it."""
        self.plane.launch()

    def go_on(self) -> None:
        """Wait for the control plane, and start the simulation. The nodes are made where there are none."""
        self.plane.await_ready()
        for number in (1, 2):
            self.plane.add_node(f"node-{number}")
        self._said = self.simulation.log.stat().st_size if self.simulation.log.exists() else 0
        self.simulation.start()

    def finish(self) -> None:
        """Wait for the simulation, begin to record, and start the controller."""
        self.simulation.wait_until(
            lambda: b"ready" in self.simulation.log.read_bytes()[self._said :], seconds=STARTED_WITHIN
        )
        for kind in RECORDED:
            if kind not in self.histories:
                self.histories[kind] = self.client.history(*kind)
        if not self.product.exists():
            self._install()
        self.guard.start()
        self.controller.start()

    def _install(self) -> None:
        """Install Siteshift as its users do. Its pods are kwok's and run nothing; what runs here has their rights."""
        command = [siteshift(), "install", "--site", self.name, "--fleet-url", self.remote, "--image", "siteshift:test"]
        admin = ["--kubeconfig", str(self.plane.kubeconfig()), "--yes", "--no-wait"]
        done = subprocess.run([*map(str, command), *admin], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        write_kubeconfig(
            self.product,
            server=self.plane.server,
            ca_file=self.plane.ca_file,
            token=self.plane.service_account_token("siteshift-system", "siteshift", seconds=7200),
        )

    def start_again(self) -> None:
        """After a kill: with the state that it had."""
        self.begin()
        self.go_on()
        self.finish()

    def kill(self) -> None:
        """SIGKILL to every process of the site at once: whatever ran there has ended."""
        for process in reversed(self.processes):
            process.kill()
        self.deaths.append(time.monotonic())

    def close(self) -> None:
        """End everything."""
        self.kill()
        for history in self.histories.values():
            history.close()
        self.plane.close()

    def events(self, *kinds: Kind, app: str | None = None, after: int = 0) -> list[Event]:
        """What happened to objects of these kinds, in the one order that the site's store gives them."""
        found = [event for kind in kinds for event in self.histories[kind].events()]
        ours = [event for event in found if app in (None, application_of(event[2])) and revision_of(event) > after]
        return sorted(ours, key=revision_of)

    def last(self) -> int:
        """The position in the site's store of the last event so far."""
        return max(revision_of(event) for event in self.events(*RECORDED))

    def first(self, kind: Kind, name: str, app: str | None = None, holds: Check = bool, *, after: int = 0) -> int:
        """The position of the first event in which something is true of an object."""
        for event in self.events(kind, app=app, after=after):
            if event[2]["metadata"]["name"] == name and holds(event[2]):
                return revision_of(event)
        raise AssertionError(f"at {self.name} that never was true of {name}")

    def since(self, kind: Kind, name: str, app: str, holds: Check) -> int:
        """The position of the event with which something became true of an object for good."""
        since = None
        for event in self.events(kind, app=app):
            if event[2]["metadata"]["name"] == name:
                since = (since or revision_of(event)) if holds(event[2]) else None
        assert since is not None, f"at {self.name} that is not true of {name}"
        return since

    def live(self, app: str) -> list[Manifest]:
        """The application's virtual machine instances and its pods that have not ended, now."""
        selector = f"{APPLICATION}={app}"
        pods = [pod for pod in self.client.list(*POD, selector=selector) if not ended(pod)]
        return self.client.list(*INSTANCE, selector=selector) + pods

    def runs(self, app: str) -> bool:
        """Whether everything of the application is ready here."""
        machine = self.client.find(*VM, "database", app) or {}
        web = self.client.find(*DEPLOYMENT, "web", app) or {}
        return self.state(app) == "Primary" and is_ready(machine) and is_ready(web)

    def rests(self, app: str) -> bool:
        """Whether the application is here, stopped, and its data follows the other site."""
        machine = self.client.find(*VM, "database", app) or {}
        return self.state(app) == "Secondary" and is_stopped(machine) and not self.live(app)

    def state(self, app: str) -> str:
        """What the application's replication says that its copy here is."""
        group = self.client.find(*GROUP, app, app) or {}
        state: str = group.get("status", {}).get("state", "")
        return state

    def versions(self, app: str) -> dict[str, str]:
        """The resourceVersion of each object of the application, and its replication's generation."""
        objects = [item for kind in UNTOUCHED for item in self.client.list(*kind, namespace=app)]
        seen = {_name(item): item["metadata"]["resourceVersion"] for item in objects if application_of(item) == app}
        group = self.client.get(*GROUP, app, app)
        return {**seen, _name(group): str(group["metadata"]["generation"])}

    def creations(self, app: str) -> tuple[int, int]:
        """How many of the application's instances and pods the API has created, and refused, by its audit log."""
        codes = [
            event.get("responseStatus", {}).get("code")
            for event in self.plane.audit_events()
            if event["verb"] == "create"
            and event.get("objectRef", {}).get("namespace") == app
            and event["objectRef"].get("resource") in ("virtualmachineinstances", "pods")
            and "subresource" not in event["objectRef"]
            and "dryRun" not in event["requestURI"]
        ]
        return codes.count(201), codes.count(403) + codes.count(422)

    def starting(self, *, until: int) -> Iterator[set[str]]:
        """After each event up to a position: which workloads had been told to start and were not ready yet."""
        pending: set[str] = set()
        events = self.events(VM, DEPLOYMENT)
        for _, kind, item in (event for event in events if revision_of(event) <= until):
            told = kind != "DELETED" and not is_stopped(item)
            (pending.add if told and not is_ready(item) else pending.discard)(_name(item))
            yield set(pending)


def siteshift() -> str:
    """The installed command."""
    return str(Path(sys.executable).parent / "siteshift")


def application_of(item: Manifest) -> str | None:
    """The application that an object says it belongs to."""
    label: str | None = item["metadata"].get("labels", {}).get(APPLICATION)
    return label


def revision_of(event: Event) -> int:
    """The position in the site's store."""
    return int(event[2]["metadata"]["resourceVersion"])


def is_stopped(item: Manifest) -> bool:
    """Whether a workload is not told to run."""
    return item.get("spec", {}).get("runStrategy") == "Halted" or item.get("spec", {}).get("replicas", 1) == 0


def is_ready(item: Manifest) -> bool:
    """Whether all that a workload should run is ready."""
    status = item.get("status", {})
    if item.get("kind") == "Deployment":
        return 0 < item["spec"]["replicas"] <= status.get("availableReplicas", 0)
    return status.get("ready") is True


def ended(pod: Manifest) -> bool:
    """Whether nothing runs in a pod any more."""
    return pod.get("status", {}).get("phase") in ("Succeeded", "Failed")


def _name(item: Manifest) -> str:
    return f"{item['kind']} {item['metadata'].get('namespace', '')}/{item['metadata']['name']}"
