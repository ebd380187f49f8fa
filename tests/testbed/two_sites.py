"""Two real control planes with a real Git server between them, and what a test needs to see of both.

Each site is etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kwok, with simulated virtual machines and
replication where nothing real runs here, and the controller, started by the documented command. What happened is read
from the sites' own watch histories and from the arrays' folders, never from the controller.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from testbed.client import ApiError, Client, Event, History, Manifest, eventually
from testbed.fleet import REQUEST_TIMEOUT, Repository, git_environment
from testbed.processes import Port, Process
from testbed.servers import ControlPlane, Options, write_kubeconfig

from reconciler.sandbox.simulation.ledger import lost_records

APPLICATION = "siteshift.io/application"
VM = ("kubevirt.io/v1", "VirtualMachine")
INSTANCE = ("kubevirt.io/v1", "VirtualMachineInstance")
GROUP = ("replication.storage.openshift.io/v1alpha1", "VolumeGroupReplication")
DEPLOYMENT = ("apps/v1", "Deployment")
POD = ("v1", "Pod")
CONFIG_MAP = ("v1", "ConfigMap")
RECORDED = (VM, INSTANCE, GROUP, DEPLOYMENT, POD, CONFIG_MAP)

SETTINGS = {"guest_boot": 0.5, "guest_stop": 0.5, "replication_interval": 0.5, "report_interval": 1.0}
"""Of the simulation, in seconds."""

UNTOUCHED = (VM, DEPLOYMENT, ("v1", "PersistentVolumeClaim"), ("v1", "Service"), CONFIG_MAP)
"""Kinds of an application whose objects nobody writes while it rests."""


class Site:
    """One site: control plane, simulation, controller; `histories` holds every event of the recorded kinds."""

    def __init__(self, name: str, folder: Path, binaries: Path, remote: str, arrays: Path) -> None:
        self.name = name
        self.folder = folder
        self.array = arrays / name
        self.plane = ControlPlane(
            binaries,
            folder / "plane",
            Options(request_timeout=REQUEST_TIMEOUT, durable=True, audit=True, service_accounts=True),
        )
        self.kubeconfig = write_kubeconfig(
            folder / f"{name}.kubeconfig",
            server=self.plane.server,
            ca_file=self.plane.ca_file,
            token=self.plane.token(),
        )
        settings = folder / "simulation.json"
        settings.write_text(json.dumps(SETTINGS))
        self.simulation = Process(
            f"simulation of {name}",
            [
                *(sys.executable, "-m", "reconciler.sandbox.simulation", "--site", name),
                *("--kubeconfig", self.kubeconfig, "--arrays", arrays, "--settings", settings),
                *("--only", "kubevirt,replication"),
            ],
            log=folder / "simulation.log",
        )
        self.controller = Process(
            f"controller of {name}",
            [
                *(siteshift(), "run", "--site", name, "--fleet-url", remote),
                *("--kubeconfig", self.kubeconfig, "--context", name, "--state", folder / "state"),
            ],
            log=folder / "controller.log",
            environment={**git_environment(), "HOME": str(folder)},
            folder=folder,
        )
        self.histories: dict[tuple[str, str], History] = {}
        self.deaths: list[float] = []

    @property
    def processes(self) -> list[Process]:
        """Everything that makes up the site."""
        return [*self.plane.processes, self.simulation, self.controller]

    @property
    def client(self) -> Client:
        """A client of this site's API, as its admin."""
        return self.plane.client()

    def start(self) -> None:
        """Start it, or start it again with the state that it had."""
        self.plane.start()
        self.simulation.start()
        eventually(
            f"the simulated kinds at {self.name}",
            lambda: all(_served(self.client, kind) for kind in RECORDED),
            detail=self.simulation.tail,
        )
        for kind in RECORDED:
            if kind not in self.histories:
                self.histories[kind] = self.client.history(*kind)
        self.controller.start()

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

    def events(self, *kinds: tuple[str, str], app: str | None = None) -> list[Event]:
        """What happened to objects of these kinds, in the one order that the site's store gives them."""
        found = [event for kind in kinds for event in self.histories[kind].events()]
        return sorted(
            (event for event in found if app is None or application_of(event[2]) == app),
            key=lambda event: int(event[2]["metadata"]["resourceVersion"]),
        )

    def instances(self, app: str) -> list[Manifest]:
        """The application's virtual machine instances and live pods, now."""
        found = self.client.list(*INSTANCE, selector=f"{APPLICATION}={app}")
        pods = self.client.list(*POD, selector=f"{APPLICATION}={app}")
        return found + [pod for pod in pods if pod.get("status", {}).get("phase") not in ("Succeeded", "Failed")]

    def runs(self, app: str) -> bool:
        """Whether everything of the application is ready here."""
        machine = self.client.find(*VM, "database", app) or {}
        web = self.client.find(*DEPLOYMENT, "web", app) or {}
        group = self.client.find(*GROUP, app, app) or {}
        return (
            machine.get("status", {}).get("ready") is True
            and web.get("status", {}).get("availableReplicas", 0) == 2
            and group.get("status", {}).get("state") == "Primary"
        )

    def rests(self, app: str) -> bool:
        """Whether the application is here, stopped, and its data follows the other site."""
        machine = self.client.find(*VM, "database", app) or {}
        group = self.client.find(*GROUP, app, app) or {}
        return (
            machine.get("spec", {}).get("runStrategy") == "Halted"
            and not self.instances(app)
            and group.get("status", {}).get("state") == "Secondary"
        )

    def versions(self, app: str) -> dict[str, str]:
        """The resourceVersion of each object of the application, and its replication's generation."""
        objects = [item for kind in UNTOUCHED for item in self.client.list(*kind, namespace=app)]
        seen = {_name(item): item["metadata"]["resourceVersion"] for item in objects if application_of(item) == app}
        group = self.client.get(*GROUP, app, app)
        return {**seen, _name(group): str(group["metadata"]["generation"])}

    def refusals(self, app: str) -> list[Manifest]:
        """Creations of the application's instances and pods that this site's API refused, from its audit log."""
        return [
            event
            for event in self.plane.audit_events()
            if event["verb"] == "create"
            and event.get("objectRef", {}).get("namespace") == app
            and event["objectRef"].get("resource") in ("virtualmachineinstances", "pods")
            and "dryRun" not in event["requestURI"]
            and event.get("responseStatus", {}).get("code") in (403, 422)
        ]


class TwoSites:
    """Sites a and b, the Git server between them, and the fleet repository that they follow."""

    def __init__(self, folder: Path, binaries: Path) -> None:
        self.folder = folder
        self._port = Port()
        remote = f"http://127.0.0.1:{self._port}/fleet.git"
        self.git = Process(
            "Git server",
            [
                *(sys.executable, "-m", "reconciler.sandbox.gitserver"),
                *("--root", folder / "git", "--port", str(self._port)),
            ],
            log=folder / "git.log",
        )
        self.fleet = Repository(folder / "fleet", remote)
        self.a, self.b = (self._site(name, binaries, remote) for name in ("a", "b"))

    @property
    def sites(self) -> tuple[Site, Site]:
        """Both."""
        return self.a, self.b

    @property
    def processes(self) -> list[Process]:
        """Everything, for the logs of a failed test."""
        return [self.git, *self.a.processes, *self.b.processes]

    def start(self) -> TwoSites:
        """Start the Git server, push the fleet, start both sites."""
        bare = self.folder / "git" / "fleet.git"
        bare.mkdir(parents=True)
        Repository(bare, "").git("init", "--quiet", "--bare", "--initial-branch=main")
        self.git.start().wait_until(lambda: b"http" in self.git.log.read_bytes())
        self.fleet.create()
        for site in self.sites:
            site.start()
            for number in (1, 2):
                site.plane.add_node(f"node-{number}")
        return self

    def close(self) -> None:
        """End everything."""
        for site in self.sites:
            site.close()
        self.git.kill()
        self._port.release()

    def siteshift(self, *arguments: str) -> Process:
        """Run a command of the fleet's operator to its end."""
        process = Process(
            "siteshift",
            [siteshift(), *arguments, "--fleet", self.fleet.folder],
            log=self.folder / "operator.log",
            environment={**git_environment(), "HOME": str(self.folder)},
        )
        code = process.start().wait()
        assert code == 0, f"siteshift {' '.join(arguments)}: exit code {code}\n{process.tail()}"
        return process

    def wait_active(self, app: str, at: str, *, seconds: float = 240.0) -> None:
        """Until the application runs at one site, rests at the other, and the site has said so on its ref."""
        active, passive = (self.a, self.b) if at == "a" else (self.b, self.a)
        eventually(
            f"{app} runs at {active.name}",
            lambda: active.runs(app) and '"Active"' in self.fleet.ack(active.name, app),
            seconds=seconds,
            detail=active.controller.tail,
        )
        eventually(
            f"{app} rests at {passive.name}",
            lambda: passive.rests(app),
            seconds=seconds,
            detail=passive.controller.tail,
        )

    def never_ran_twice(self, app: str) -> None:
        """From the histories of both sites: there was no moment with instances of the application at both."""
        events = [(when, site.name, kind, item) for site in self.sites for when, kind, item in _lives(site, app)]
        deaths = [(when, site.name, "DIED", {}) for site in self.sites for when in site.deaths]
        alive: dict[str, set[str]] = {"a": set(), "b": set()}
        dead: set[str] = set()
        for _, site, kind, item in sorted([*events, *deaths], key=lambda event: event[0]):
            if kind == "DIED":
                dead |= alive[site]
                alive[site].clear()
            elif kind == "DELETED" or _ended(item):
                alive[site].discard(item["metadata"]["uid"])
            elif item["metadata"]["uid"] not in dead:
                alive[site].add(item["metadata"]["uid"])
            assert not (alive["a"] and alive["b"]), f"{app} ran at both sites: {alive}"

    def lost(self, app: str, surviving: Site) -> int:
        """How many records that guests were told are safe the surviving copy does not hold."""
        arrays = [site.array for site in self.sites]
        return len(lost_records(f"{app}-data", surviving=surviving.array, arrays=arrays))

    def _site(self, name: str, binaries: Path, remote: str) -> Site:
        folder = self.folder / name
        folder.mkdir()
        return Site(name, folder, binaries, remote, self.folder / "arrays")


def siteshift() -> str:
    """The installed command."""
    return str(Path(sys.executable).parent / "siteshift")


def application_of(item: Manifest) -> str | None:
    """The application that an object says it belongs to."""
    label: str | None = item["metadata"].get("labels", {}).get(APPLICATION)
    return label


def starting(site: Site) -> Iterator[set[str]]:
    """After each event at a site: which workloads had been told to start and were not ready yet."""
    pending: set[str] = set()
    for _, kind, item in site.events(VM, DEPLOYMENT):
        name, status = _name(item), item.get("status", {})
        if item["kind"] == "VirtualMachine":
            told, ready = item["spec"].get("runStrategy") == "Always", status.get("ready") is True
        else:
            wanted = item["spec"].get("replicas", 1)
            told, ready = wanted > 0, status.get("availableReplicas", 0) >= wanted
        (pending.add if told and not ready and kind != "DELETED" else pending.discard)(name)
        yield set(pending)


def first(events: list[Event], name: str, holds: object) -> int:
    """The position in the site's store of the first event in which something is true of an object."""
    assert callable(holds)
    for _, _, item in events:
        if item["metadata"]["name"] == name and holds(item):
            return int(item["metadata"]["resourceVersion"])
    raise AssertionError(f"that never was true of {name}")


def _lives(site: Site, app: str) -> list[Event]:
    return site.events(INSTANCE, POD, app=app)


def _ended(item: Manifest) -> bool:
    return item.get("status", {}).get("phase") in ("Succeeded", "Failed")


def _name(item: Manifest) -> str:
    return f"{item['kind']} {item['metadata'].get('namespace', '')}/{item['metadata']['name']}"


def _served(client: Client, kind: tuple[str, str]) -> bool:
    try:
        client.list(*kind)
    except ApiError:
        return False
    return True
