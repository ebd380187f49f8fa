"""`python -m benchmarks.move`: the downtime of a planned move, phase by phase, beside the bound of the protocol.

A fleet as `siteshift init` makes it, with its own times, on two embedded sites with a controller and a guard each and a
real Git server. The downtime runs from the first stopped value until everything is ready at the other site. The bound
is max(request timeout, longest stop) + final sync + start + 5 s, where final sync and start are what this very storage
and these very guests took: what is left over is what the protocol itself takes. A busy machine makes the phases
longer, so a row is judged by the ratio of the downtime to its bound.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pygit2

from reconciler.cluster import Cluster
from reconciler.errors import ClusterError, SiteshiftError
from reconciler.failover.protocol.documents import ack_file, read_ack
from reconciler.failover.protocol.values import AckState
from reconciler.fleet.load import load
from reconciler.fleet.model import Refs
from render.tree import FolderTree
from sandbox.gitserver import GitServer, git_environment
from sandbox.kubeconfigs import write_kubeconfig
from sandbox.processes import Processes
from sandbox.site import Site

APPLICATION = "hello"
SITES = ("a", "b")
GRANTED = 5.0
"""Seconds that the protocol may take beside what it must wait for."""

LOOK = 0.05
"""Seconds between two looks at the refs and clusters."""

GROUP = ("replication.storage.openshift.io/v1alpha1", "VolumeGroupReplication")
STARTED = (("kubevirt.io/v1", "VirtualMachine", "database"), ("apps/v1", "Deployment", "web"))
HEAD = ("move", "downtime s", "must wait s", "sync s", "start s", "bound s", "ratio", "holds")
SAID = (AckState.READY, AckState.STOPPING, AckState.DEMOTED, AckState.PROMOTING, AckState.PROMOTED, AckState.ACTIVE)


class Phases(NamedTuple):
    """When each thing of one move happened, in seconds since its commit was pushed."""

    stopping: float
    stopped: float
    demoting: float
    in_sync: float
    promoted: float
    active: float
    said: Mapping[str, float]

    @property
    def downtime(self) -> float:
        """From the first stopped value until everything is ready at the other site."""
        return self.active - self.stopping

    @property
    def sync(self) -> float:
        """From the demotion that was asked for until the copy has everything."""
        return self.in_sync - self.demoting

    @property
    def start(self) -> float:
        """From the permit until everything is ready."""
        return self.active - self.promoted

    @property
    def stop(self) -> float:
        """From the first stopped value until nothing runs."""
        return self.stopped - self.stopping

    def bound(self, request_timeout: float) -> float:
        """What the downtime may be."""
        return max(request_timeout, self.stop) + self.sync + self.start + GRANTED


class Bank:
    """Two sites with their controllers, a Git server and a clone, in a folder."""

    def __init__(self, folder: Path, processes: Processes, changes: Mapping[str, str]) -> None:
        self.clone, self.home = folder / "fleet", folder
        self._processes = processes
        (folder / "git").mkdir()
        self._git = GitServer(folder / "git")
        folders = {name: folder / name for name in SITES}
        self._sites = {
            name: Site(name, own, processes, peers={peer: path for peer, path in folders.items() if peer != name})
            for name, own in folders.items()
        }
        self._changes = changes
        self.clusters: dict[str, Cluster] = {}
        self.fleet = load(FolderTree(str(_made(self.clone, changes))))

    def start(self) -> None:
        """Everything, as a user would."""
        url = self._git.start().create("fleet.git")
        for words in (("remote", "add", "origin", url), ("push", "--quiet", "--set-upstream", "origin", "main")):
            git(self.clone, *words)
        self._refs = pygit2.Repository(str(self.home / "git" / "fleet.git"))
        for name, site in self._sites.items():
            site.start()
            kubeconfig = write_kubeconfig(site.folder / "kubeconfig", {name: site.kubeconfig("controller")})
            self.clusters[name] = Cluster.connect(str(kubeconfig), name)
            command = [sys.executable, "-m", "reconciler.cli.main", "run", "--site", name, "--fleet-url", url]
            command += ["--kubeconfig", str(kubeconfig), "--state", str(site.folder / "state")]
            site.run("controller", command, environment=git_environment())

    def stop(self) -> None:
        """The processes are ended by their owner."""
        self._git.stop()

    def says(self, site: str, state: AckState) -> bool:
        """Whether a site's last word about the application is this."""
        try:
            tree = self._refs.references[Refs().acks.format(site=site)].peel(pygit2.Tree)
        except (KeyError, pygit2.GitError):
            return False
        name = ack_file(APPLICATION)
        return name in tree and read_ack(tree[name].data, name).state is state

    def move(self, to: str) -> Phases:
        """Commit a planned move and watch it until everything is ready."""
        giver = next(site for site in SITES if site != to)
        done = self.siteshift("failover", APPLICATION, "--to", to, "--yes")
        if done.returncode != 0:
            raise SiteshiftError(done.stderr)
        began = time.monotonic()
        facts: dict[str, Callable[[], bool]] = {
            "stopping": lambda: any(each == 0 for each in self._told(giver)),
            "stopped": lambda: not self._runs(giver),
            "demoting": lambda: self._group(giver)["spec"].get("replicationState") == "secondary",
            "in sync": lambda: _in_sync(self._group(giver)),
        }
        for state in SAID:
            site = giver if state in (AckState.STOPPING, AckState.DEMOTED) else to
            facts[state.value] = lambda site=site, state=state: self.says(site, state)  # type: ignore[misc]
        seen = _watched(facts, after={"stopped": "stopping", "in sync": "demoting"}, began=began)
        said = {state.value: seen[state.value] for state in SAID if state.value in seen}
        return Phases(
            seen["stopping"], seen["stopped"], seen["demoting"], seen["in sync"], seen["Promoted"], seen["Active"], said
        )

    def siteshift(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command of the operator."""
        command = [sys.executable, "-m", "reconciler.cli.main", *words, "--fleet", str(self.clone)]
        return subprocess.run(
            command, env={**os.environ, **git_environment()}, capture_output=True, text=True, check=False
        )

    def _told(self, site: str) -> list[int]:
        """What each workload was told: 0 where it is to be stopped."""
        found = [self.clusters[site].get(version, kind, APPLICATION, name)["spec"] for version, kind, name in STARTED]
        return [0 if each.get("replicas") == 0 or each.get("runStrategy") == "Halted" else 1 for each in found]

    def _runs(self, site: str) -> bool:
        return bool(self.clusters[site].list("v1", "Pod", APPLICATION).items)

    def _group(self, site: str) -> dict[str, Any]:
        return self.clusters[site].get(*GROUP, APPLICATION, APPLICATION)


def _in_sync(found: Mapping[str, Any]) -> bool:
    status = found.get("status") or {}
    degraded = [each for each in status.get("conditions") or () if each["type"] == "Degraded"]
    return status.get("state") == "Secondary" and any(each["status"] == "False" for each in degraded)


def _watched(
    facts: Mapping[str, Callable[[], bool]], *, after: Mapping[str, str], began: float, patience: float = 600.0
) -> dict[str, float]:
    """When each fact was seen first, in seconds; one that comes `after` another is not asked for before."""
    seen: dict[str, float] = {}
    ends = began + patience
    while AckState.ACTIVE.value not in seen:
        if time.monotonic() > ends:
            raise TimeoutError(f"the move did not arrive; seen was {', '.join(seen) or 'nothing'}")
        for name, holds in facts.items():
            if name in seen or after.get(name, name) not in (name, *seen):
                continue
            if name == AckState.ACTIVE.value and AckState.PROMOTED.value not in seen:
                continue
            try:
                if holds():
                    seen[name] = time.monotonic() - began
            except (ClusterError, KeyError):
                continue
        time.sleep(LOOK)
    return seen


def git(folder: Path, *words: str) -> None:
    """Run git. Raises where it fails."""
    environment = {**os.environ, **git_environment()}
    subprocess.run(["git", "-C", str(folder), *words], env=environment, check=True, capture_output=True)


def _made(clone: Path, changes: Mapping[str, str]) -> Path:
    """A fleet as `siteshift init` makes it, with these lines added to the spec of siteshift.yaml."""
    from reconciler.cli.init import contents, write

    write(clone, contents("bank", list(SITES)))
    if changes:
        path = clone / "siteshift.yaml"
        path.write_text(path.read_text() + "".join(f"  {name}: {value}\n" for name, value in changes.items()))
    git(clone, "init", "--quiet", "--initial-branch=main")
    for name, value in (("user.name", "Operator"), ("user.email", "operator@example.com")):
        git(clone, "config", name, value)
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "--message", "Begin")
    return clone


@contextmanager
def bank(changes: Mapping[str, str]) -> Iterator[Bank]:
    """Everything started, and the application active at a."""
    with tempfile.TemporaryDirectory(prefix="siteshift-move-") as folder, Processes() as processes:
        found = Bank(Path(folder), processes, changes)
        try:
            found.start()
            _until(lambda: found.says("a", AckState.ACTIVE) and found.says("b", AckState.PASSIVE))
            yield found
        finally:
            found.stop()


def _until(ask: Callable[[], bool], patience: float = 400.0) -> None:
    end = time.monotonic() + patience
    while not ask():
        if time.monotonic() > end:
            raise TimeoutError("the application was not placed in time")
        threading.Event().wait(LOOK)


def main(words: Sequence[str] | None = None) -> int:
    """Move there and back; 1 if a bound does not hold."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.move", description=__doc__)
    parser.add_argument("--moves", type=int, default=2, metavar="N", help="how many moves, there and back")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a time of the fleet: requestTimeout=5s",
    )
    arguments = parser.parse_args(words)
    changes = dict(each.split("=", 1) for each in arguments.set)
    print(f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}, {changes or 'the times of siteshift init'}")
    print(_line(HEAD), flush=True)
    missed = 0
    with bank(changes) as found:
        for number in range(arguments.moves):
            to = SITES[(number + 1) % 2]
            phases = found.move(to)
            bound = phases.bound(found.fleet.request_timeout)
            missed += phases.downtime > bound
            wait = max(found.fleet.request_timeout, phases.stop)
            figures = (phases.downtime, wait, phases.sync, phases.start, bound)
            ratio = f"{phases.downtime / bound:.2f}"
            cells = (f"to {to}", *(f"{each:.1f}" for each in figures), ratio)
            print(_line((*cells, "yes" if phases.downtime <= bound else "NO")), flush=True)
            print("  " + ", ".join(f"{name} {at:.1f}" for name, at in phases.said.items()), flush=True)
            print(
                f"  stop {phases.stopping:.1f}-{phases.stopped:.1f}, sync {phases.demoting:.1f}-{phases.in_sync:.1f}",
                flush=True,
            )
            _until(lambda giver=SITES[number % 2]: found.says(giver, AckState.DEMOTED))  # type: ignore[misc]
    return 1 if missed else 0


def _line(cells: Sequence[str]) -> str:
    first, *numbers = cells
    return f"{first:<6} " + " ".join(f"{cell:>11}" for cell in numbers)


if __name__ == "__main__":
    sys.exit(main())
