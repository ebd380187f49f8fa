"""What people do: commits while things go wrong, and, when nothing goes wrong any more, what the holds name.

A hold's way out is read as the command that it is, and its commit is made by the product's own functions.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.errors import FleetError
from reconciler.failover.execute.sites_seen import read_ack
from reconciler.failover.protocol.decisions import Hold
from reconciler.failover.protocol.values import Ack
from reconciler.fleet.moving import Disaster, plan_move
from reconciler.fleet.restating import accept_rewind, allow_discard, override_fence
from simulation import fleet as files
from simulation.invariants import Invariants
from simulation.world import BRANCH, World

ROUNDS, ROUND = 24, 30.0
"""How often people look at the holds at the end, and how many seconds lie in between."""

NOTHING = frozenset({"TargetNotReady", "StopTakesTooLong", "NotReadyInTime", "RunsElsewhere"})
"""Holds whose way out is to look, or to wait for what stops by itself."""

NONSENSE = b"nonsense: [\n"
"""What a broken file says."""


@dataclass
class Operator:
    """The people of one story."""

    world: World
    invariants: Invariants
    broken: dict[str, bytes] = field(default_factory=dict)

    # Commits while things go wrong

    def move(self, name: str, to: str) -> None:
        """A planned move."""
        self._moves(name, to, None)

    def disaster(self, name: str, to: str, loss: str, *, override: bool, discard: bool) -> None:
        """A disaster move away from where the application is placed."""
        try:
            application = self.world.application(name)
        except FleetError:
            return
        others = tuple(each for each in application.sites if each != to and self._suspect(name, each))
        if not others:
            return
        why = f"fire {self.world.scheduler.now:.0f}"
        fence = "the power is cut" if override else None
        self._moves(name, to, Disaster(others, loss, why, fence, others if discard else ()))

    def _suspect(self, name: str, site: str) -> bool:
        return self.world.placement_spec(name)["active"] == site or site in self.world.dark

    def _moves(self, name: str, to: str, disaster: Disaster | None) -> None:
        try:
            planned = plan_move(self.world.application(name), to, disaster, f"move {self.world.scheduler.now:.0f}")
        except FleetError:
            return
        if planned is not None:
            self.write(name, planned.fields)

    def nowhere(self, name: str) -> None:
        """Stop an application everywhere."""
        clean = dict.fromkeys(("declaredDown", "allowDataLoss", "overrideFence", "acceptRewind", "allowDiscard"))
        self.write(
            name, {"active": "none", "epoch": self.world.placement_spec(name)["epoch"] + 1, "move": "planned"} | clean
        )

    def suspend(self, name: str, *, on: bool) -> None:
        """Suspend an application, or end it."""
        self._edit(name, lambda spec: {**spec, "suspend": on})

    def carried_by(self, name: str, sites: str) -> None:
        """Add sites to an application, or take some out."""
        if self.world.placement_spec(name)["active"] in (*sites, "none"):
            self._edit(name, lambda spec: {**spec, "sites": list(sites), "home": sites[0]})

    def _edit(self, name: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        path = f"apps/{name}/application.yaml"
        try:
            spec = json.loads(self.world.files[path])["spec"]
        except ValueError:
            return
        changed = change(spec)
        if changed != spec:
            shown = {key: value for key, value in changed.items() if spec.get(key) != value}
            self.invariants.moved.add(name)
            self.world.commit({path: files.document("Application", name, changed)}, f"{name} {shown}")

    def define(self, name: str, machine: str, level: int | None) -> None:
        """Add a virtual machine to an application, move it to another run level, or take it out (None)."""
        levels = dict(self.world.levels[name])
        sites, lease = self.world.sites, self.world.lease if name == "ledger" else None
        changes: dict[str, bytes | None] = dict.fromkeys(
            [each for each in self.world.files if each.startswith(f"apps/{name}/base/")]
        )
        levels.pop(machine, None)
        if level is not None:
            levels[machine] = level
        self.invariants.moved.add(name)
        made = files.application(name, sites, lease, levels)
        changes |= {path: text for path, text in made.items() if "/base/" in path}
        self.world.commit(changes, f"{name} has {levels}")

    def repair(self) -> None:
        """Put every broken file right."""
        for name, good in self.broken.items():
            path = f"apps/{name}/application.yaml"
            if self.world.files[path] == NONSENSE:
                self.world.commit({path: good}, f"{name} is repaired")

    def break_file(self, name: str, seconds: float) -> None:
        """A file of an application becomes nonsense for a time."""
        path = f"apps/{name}/application.yaml"
        if self.world.files[path] == NONSENSE:
            return
        self.broken[name] = self.world.files[path]
        self.world.commit({path: NONSENSE}, f"{name} has a broken file")
        self.world.scheduler.at(self.world.scheduler.now + seconds, self.repair)

    def write(self, name: str, fields: Mapping[str, Any]) -> None:
        """Commit fields of a placement."""
        before = self.world.placement_spec(name)
        wanted = {**before, **fields}
        if wanted["active"] != before["active"] or wanted["move"] == "disaster" or "acceptRewind" in fields:
            self.invariants.moved.add(name)
        if wanted["move"] == "disaster":
            self.invariants.disasters.add(name)
            if wanted.get("overrideFence"):
                self.invariants.excused.setdefault(name, set()).update(wanted.get("declaredDown") or ())
        self.world.place(name, **fields)

    # What the holds name

    def settle(self) -> None:
        """Do what the holds name until everything is at rest."""
        self.repair()
        done: dict[tuple[str, str, str], int] = {}
        for _ in range(ROUNDS):
            for _ in range(int(ROUND / 5)):
                self.world.passes(5)
                if not self.unrest():
                    return
            for name in self.world.levels:
                self._lift(name, done)
        shown = [f"{site} {name}: {self.words(site, name)}" for name in self.world.levels for site in self.world.sites]
        self.world.broken("no rest: " + "; ".join(self.unrest()) + "\n" + "\n".join(shown))

    def words(self, site: str, name: str) -> str:
        """What a site waits for."""
        outcome = self.world.outcome(site, name)
        if outcome is None:
            return "nothing is known"
        waits = "; ".join(f"{each.on}: {each.because}" for each in outcome.waits)
        holds = "; ".join(f"{each.reason}: {each.message}, {each.lifted_by}" for each in outcome.holds)
        return f"{outcome.journal.step.value} e{outcome.epoch} {outcome.state.value}; waits {waits}; holds {holds}"

    def unrest(self) -> list[str]:
        """What is not at rest."""
        found = []
        for name in self.world.levels:
            active = self.world.placement_spec(name)["active"]
            if active != "none" and not self.world.is_active(active, name):
                found.append(f"{name} is not active at {active}: {self.world.last(active, name)}")
            for site in self.world.application(name).sites:
                if site != active and not self.world.rests(site, name):
                    found.append(f"{name} does not rest at {site}: {self.world.last(site, name)}")
                if self.world.holds(site, name):
                    found.append(f"{name} is held at {site}: {self.world.holds(site, name)}")
        return found

    def _lift(self, name: str, done: dict[tuple[str, str, str], int]) -> None:
        """Lift one hold of an application: that of the active site first."""
        active = self.world.placement_spec(name)["active"]
        for site in sorted(self.world.sites, key=lambda each: each != active):
            outcome = self.world.outcome(site, name)
            for hold in outcome.holds if outcome else ():
                if hold.reason in NOTHING:
                    continue
                times = done.get((name, site, hold.reason), 0)
                done[name, site, hold.reason] = times + 1
                if times < 5 and self._obey(name, site, hold):
                    return

    def _obey(self, name: str, site: str, hold: Hold) -> bool:
        """Carry out what a hold names; says whether anything could be done."""
        self.world.say(f"people read at {site}: {hold.reason}: {hold.message}; {hold.lifted_by}")
        text = hold.lifted_by
        if hold.reason == "NotPrimary":
            self._promote(site, name)
            return True
        found = re.findall(r"siteshift [a-z-]+[^;,]*", text)
        acted = False
        for command in found:
            try:
                acted = self._command(shlex.split(command.replace("…", "WHY"))[1:], name, site) or acted
            except (FleetError, ValueError) as error:
                self.world.say(f"people are refused: {error}")
        return acted

    def _command(self, words: list[str], name: str, site: str) -> bool:
        command, rest = words[0], words[1:]
        application = self.world.application(name)
        why = f"{command} {self.world.scheduler.now:.0f}"
        if command == "failover":
            to = _after(rest, "--to")[0]
            to = next(each for each in application.sites if each != site) if to == "SITE" else to
            disaster = None
            if "--disaster" in rest:
                down = tuple(dict.fromkeys(_after(rest, "--declare-down")))
                loss = (_after(rest, "--allow-data-loss") or ["0s"])[0]
                disaster = Disaster(down, loss, why)
            planned = plan_move(application, to, disaster, why)
            if planned is None:
                return False
            self.write(name, planned.fields)
        elif command in ("allow-discard", "override-fence"):
            sites = _after(rest, "--site")
            fields = allow_discard(application, sites) if sites else override_fence(application, why)
            if fields is None:
                return False
            self.write(name, fields)
        elif command == "accept-rewind":
            self._accept(name, _after(rest, "--from"))
        elif command == "rebind":
            self._rebind(rest[0], why)
        elif command == "resume":
            self.suspend(name, on=False)
        else:
            return False
        return True

    def _accept(self, name: str, named: list[str]) -> None:
        said = self.acks(name)
        marks = [*(ack.commit for ack in said if ack.commit), *named]
        highest = max([ack.epoch for ack in said] + [ack.promotion.epoch for ack in said if ack.promotion])
        head = self.world.server.refs[BRANCH]
        self.write(name, accept_rewind(self.world.application(name), head, marks, highest, "accepted"))

    def acks(self, name: str) -> list[Ack]:
        """What the sites' refs say of an application."""
        refs = {ref: value for ref, value in self.world.server.refs.items() if "/acks/" in ref}
        contents = {ref: self.world.server.commits[value].files.get(f"{name}.json") for ref, value in refs.items()}
        return [read_ack(content, ref) for ref, content in contents.items() if content is not None]

    def _rebind(self, site: str, why: str) -> None:
        """As `siteshift rebind` does it: from the cluster that spoke last to the one that is there."""
        spec = json.loads(self.world.files["siteshift.yaml"])["spec"]
        value = self.world.server.refs.get(f"refs/siteshift/heartbeats/{site}")
        beat = json.loads(self.world.server.commits[value].files["heartbeat.json"]) if value else {}
        own = self.world.apis[site].objects["Namespace", "", "kube-system"]["metadata"]["uid"]
        rebind = {"from": beat.get("clusterUID", own), "to": own, "old": "destroyed", "reason": why}
        if rebind["from"] == own:
            rebind["counter"] = self.counter(site, beat)
        for each in spec["sites"]:
            if each["name"] == site:
                each["rebind"] = rebind
        self.world.commit({"siteshift.yaml": files.document("Fleet", "bank", spec)}, f"rebind {site} {rebind}")

    def counter(self, site: str, beat: Mapping[str, Any]) -> int:
        """The highest counter of a site that anybody has seen."""
        echoes = []
        for other in self.world.sites:
            value = self.world.server.refs.get(f"refs/siteshift/heartbeats/{other}")
            if value and other != site:
                said = json.loads(self.world.server.commits[value].files["heartbeat.json"])
                echoes.append(int(said.get("echo", {}).get(site, 0)))
        return max([int(beat.get("counter", 0)), *echoes])

    def _promote(self, site: str, name: str) -> None:
        api = self.world.apis[site]
        found = api.objects.get(("VolumeReplication", name, name))
        if found is not None:
            spec = {"spec": {"replicationState": "primary", "autoResync": False}}
            api.patch(found["apiVersion"], "VolumeReplication", name, name, {**spec, "metadata": {}}, manager="people")


def _after(words: list[str], option: str) -> list[str]:
    """Every value of an option; `--declare-down` may have several."""
    found: list[str] = []
    for index, word in enumerate(words):
        if word == option:
            for value in words[index + 1 :]:
                if value.startswith("--"):
                    break
                found.append(value)
    return found
