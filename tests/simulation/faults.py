"""What goes wrong, one function each. Whatever lasts ends by itself; what is gone stays gone until the story's end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from simulation.api import copied
from simulation.invariants import Invariants
from simulation.links import PUSHES, WRITES
from simulation.scheduler import Armed, Process
from simulation.world import BRANCH, World

RESTARTS = 2.0
"""Seconds after which a killed process is started again."""

Point = str
"""At which requests a process is struck: "any", "write" (to its API) or "push" (to Git)."""

POINTS: Mapping[Point, frozenset[str]] = {
    "any": frozenset(),
    "write": WRITES,
    "wrote": frozenset({"wrote"}),
    "push": PUSHES,
    "pushed": frozenset({"pushed"}),
}


class Faults:
    """All of them, for one world."""

    def __init__(self, world: World, invariants: Invariants) -> None:
        self.world, self.invariants = world, invariants
        self.backups: list[dict[str, str]] = []
        self.stores: dict[str, Any] = {}

    def _later(self, seconds: float, call: Callable[[], None]) -> None:
        scheduler = self.world.scheduler
        scheduler.at(scheduler.now + seconds, call)

    def process(self, site: str, which: str) -> Process | None:
        """The site's controller or guard, if it lives."""
        controller = self.world.controllers[site]
        found = self.world.guards[site] if which == "guard" else None if controller is None else controller.process
        return None if found is None or found.dead else found

    def _start(self, site: str, which: str, *, mirror: bool = True) -> None:
        if site in self.world.dark or self.process(site, which) is not None:
            return
        self.world.say(f"{site}: a new {which}")
        if which == "guard":
            self.world.start_guard(site)
        else:
            self.world.start_controller(site, mirror=mirror)

    def kill(
        self, site: str, which: str, point: Point, after: int, away: float = RESTARTS, mirror: bool = True
    ) -> None:
        """SIGKILL at one of its next requests; it is started again after a time."""
        process = self.process(site, which)
        if process is None:
            return

        def strike() -> None:
            self.world.say(f"{process.name}: SIGKILL")
            self.world.scheduler.kill(process)
            self._later(away, lambda: self._start(site, which, mirror=mirror))

        process.armed.append(Armed(after, POINTS[point], strike))

    def pause(self, site: str, which: str, point: Point, after: int, seconds: float, successor: bool = False) -> None:
        """SIGSTOP at one of its next requests; a successor may begin meanwhile."""
        process = self.process(site, which)
        if process is None:
            return

        def strike() -> None:
            self.world.say(f"{process.name}: SIGSTOP for {seconds:.0f}s")
            process.stopped_until = self.world.scheduler.now + seconds
            if successor and which == "controller":
                self._later(RESTARTS, lambda: self._succeed(site, process))

        process.armed.append(Armed(after, POINTS[point], strike))

    def _succeed(self, site: str, before: Process) -> None:
        controller = self.world.controllers[site]
        if site not in self.world.dark and controller is not None and controller.process is before and not before.dead:
            self.world.say(f"{site}: a successor begins")
            self.world.start_controller(site, mirror=False)

    def git(self, sites: str, mode: str, seconds: float) -> None:
        """The link to Git is wrong for a time."""
        self.world.say(f"{sites}: Git {mode} for {seconds:.0f}s")
        for site in sites:
            self.world.git[site] = mode
        self._later(seconds, lambda: self.world.git.update(dict.fromkeys(sites, "")))

    def api(self, site: str, mode: str, seconds: float) -> None:
        """The API is wrong for a time."""
        self.world.say(f"{site}: API {mode} for {seconds:.0f}s")
        self.world.api[site] = mode
        self._later(seconds, lambda: self.world.api.update({site: ""}))

    def lose(self, site: str, which: str, after: int) -> None:
        """The answer to one of the next writes or pushes is lost after it was done."""
        self.world.lost_answers[site, which] = after

    def freeze(self, site: str, seconds: float) -> None:
        """One API server of three stands still with what it knows."""
        server = self.world.apis[site].others[0]
        if server in self.world.apis[site].frozen:
            return
        self.world.say(f"{site}: one API server is frozen for {seconds:.0f}s")
        platform = self.world.platforms[site]
        platform.freeze(server)
        self._later(seconds, lambda: platform.thaw(server))

    def link(self, seconds: float) -> None:
        """The arrays do not reach each other for a time."""
        self.world.say(f"the link between the arrays is cut for {seconds:.0f}s")
        for array in self.world.arrays.values():
            array.link = False
        self._later(seconds, self._join)

    def _join(self) -> None:
        for array in self.world.arrays.values():
            array.link = not self.world.dark & set(array.sites)

    def backup(self) -> None:
        """The Git server, and every cluster's store, are backed up."""
        self.backups.append(dict(self.world.server.refs))
        self.stores = {site: copied_store(self.world, site) for site in self.world.sites}

    def restore_git(self, branch: bool) -> None:
        """The Git server is restored from its backup. `branch`: its branch too; else people push it again at once."""
        if self.backups:
            self.world.say(f"the Git server is restored from its backup{' with its branch' if branch else ''}")
            refs = self.world.server.refs
            newest = refs[BRANCH]
            refs.clear()
            refs.update(self.backups[-1])
            if branch:
                self.world.files = dict(self.world.server.commits[refs[BRANCH]].files)
            else:
                refs[BRANCH] = newest

    def delete_ref(self, site: str, which: str) -> None:
        """Somebody deletes a site's ref."""
        if self.world.server.refs.pop(f"refs/siteshift/{which}/{site}", None):
            self.world.say(f"the {which} ref of {site} is deleted")

    def delete_replication(self, site: str) -> None:
        """Somebody deletes a replication object by hand."""
        key = ("VolumeReplication", "ledger", "ledger")
        if key in self.world.apis[site].objects:
            self.world.say(f"{site}: the replication object is deleted")
            self.world.apis[site].remove(key)

    def rewind(self, back: int) -> None:
        """The branch is forced back by some commits."""
        commit, server = self.world.server.refs[BRANCH], self.world.server
        for _ in range(back):
            parents = server.commits[commit].parents
            commit = parents[0] if parents else commit
        if commit != server.refs[BRANCH]:
            self.world.say(f"the branch is forced back by {back}")
            server.refs[BRANCH] = commit
            self.world.files = dict(server.commits[commit].files)

    def node(self, site: str) -> None:
        """The node is lost with its pods and their disks."""
        self.world.say(f"{site}: a node is lost with its pods")
        self.world.platforms[site].node_lost()

    def clock(self, site: str, seconds: float) -> None:
        """The clock of the API servers steps."""
        self.world.say(f"{site}: the clock of the API servers steps by {seconds:.0f}s")
        self.world.apis[site].step += seconds
        self.invariants.stepped = True

    def darken(self, site: str) -> None:
        """The whole site loses power: every process ends, and its array is out of reach."""
        if site in self.world.dark:
            return
        self.world.say(f"{site}: goes dark")
        self.world.dark.add(site)
        for which in ("controller", "guard"):
            process = self.process(site, which)
            if process is not None:
                self.world.scheduler.kill(process)
        self.world.platforms[site].powered = False
        self._join()

    def light(self, site: str, *, mirror: bool = True) -> None:
        """The site comes back with the state that it had."""
        if site not in self.world.dark:
            return
        self.world.say(f"{site}: comes back")
        self.world.dark.discard(site)
        self.world.platforms[site].power_lost()
        self.world.platforms[site].powered = True
        self._join()
        self._start(site, "guard")
        self._start(site, "controller", mirror=mirror)

    def replace_cluster(self, site: str) -> None:
        """The cluster is destroyed and built anew: another UID, nothing in it."""
        self.world.say(f"{site}: the cluster is replaced")
        self.invariants.renewed.add(site)
        self.world.platforms[site].power_lost()
        self.world.apis[site] = self.world.new_api(site, f"after {self.world.scheduler.now:.0f}s")
        self.world.platforms[site].api = self.world.apis[site]
        self._again(site)

    def restore_store(self, site: str) -> None:
        """The cluster's store is restored in place, from its backup: the same UID."""
        if site in self.stores:
            self.world.say(f"{site}: the cluster's store is restored")
            self.invariants.renewed.add(site)
            self.world.platforms[site].power_lost()
            api = self.world.apis[site]
            running = {key for key in self.stores[site] if key[0] in ("VirtualMachineInstance", "VolumeAttachment")}
            api.objects = {key: copied(each) for key, each in self.stores[site].items() if key not in running}
            self._again(site)

    def _again(self, site: str) -> None:
        for which in ("controller", "guard"):
            process = self.process(site, which)
            if process is not None:
                self.world.scheduler.kill(process)
            self._start(site, which)

    def heal(self) -> None:
        """The end of all faults: everything is there."""
        world = self.world
        world.say("all faults end")
        world.lost_answers.clear()
        world.git = dict.fromkeys(world.sites, "")
        world.api = dict.fromkeys(world.sites, "")
        for site in world.sites:
            for server in list(world.apis[site].frozen):
                world.platforms[site].thaw(server)
            self.light(site)
        for process in world.processes:
            process.armed.clear()
            if process.stopped_until > world.scheduler.now:
                process.stopped_until = world.scheduler.now
                for task in process.tasks:
                    world.scheduler.wake(task, world.scheduler.now)
        for site in world.sites:
            self._start(site, "guard")
            self._start(site, "controller")
        self._join()


def copied_store(world: World, site: str) -> dict[Any, Any]:
    """A copy of what a cluster holds."""
    return {key: copied(each) for key, each in world.apis[site].objects.items()}
