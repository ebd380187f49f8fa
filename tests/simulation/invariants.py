"""What must hold in every moment of a story, whatever goes wrong: looked at after each tick, write and push.

An excuse is what people answered for: a site that they declared down although it lives and nothing could fence it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from reconciler.failover.admission import permits
from reconciler.failover.execute import record as records
from reconciler.failover.protocol.lease import obeyed
from reconciler.failover.protocol.values import Journal
from reconciler.fleet.load import load_placement
from reconciler.fleet.model import Placement
from reconciler.git.memory import Commit
from reconciler.objects import SYSTEM_NAMESPACE
from render.tree import MemoryTree
from simulation.api import EPOCH, Key
from simulation.world import Loss, World

SLACK = 3.0
"""Seconds by which what is lost may exceed what was judged: the freshness of a proof, less a write."""

ROUNDING = 1.5
"""Seconds that a permit may seem to reach beyond its lease: both are written in whole seconds."""


@dataclass
class Invariants:
    """Looks on, and ends the story where something does not hold. `excused`: application → sites for whose writers
    people answer. `impaired`: site → when its guard or its API last could not act. `moved`: applications that people
    moved; the others may never be stopped."""

    world: World
    excused: dict[str, set[str]] = field(default_factory=dict)
    impaired: dict[str, float] = field(default_factory=dict)
    moved: set[str] = field(default_factory=set)
    disasters: set[str] = field(default_factory=set)
    renewed: set[str] = field(default_factory=set)
    stepped: bool = False
    judged: int = 0
    acks: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    journals: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.world.checks.append(self.look)
        self.world.on_write.append(self.written)
        self.world.on_push.append(self.pushed)

    def look(self) -> None:
        """After each tick."""
        now = self.world.scheduler.now
        for site in self.world.sites:
            guard = self.world.guards[site]
            if (
                guard is None
                or guard.dead
                or guard.stopped_until > now
                or self.world.api[site]
                or site in self.world.dark
            ):
                self.impaired[site] = now
        for name in self.world.levels:
            self._one_writer(name)
        for loss in self.world.losses[self.judged :]:
            self.judged += 1
            self._consented(loss)
        for name, sites in self.excused.items():
            for site in [each for each in sites if self._is_over(each, name)]:
                sites.discard(site)

    def _is_over(self, site: str, name: str) -> bool:
        """Whether a site that people answered for has come to rest."""
        journal = self.journal(site, name)
        rests = journal is not None and journal.step.value in ("Passive", "Demoted") and not journal.primary_since
        return rests and site not in self.world.dark and self.world.rests(site, name)

    def _one_writer(self, name: str) -> None:
        """I1."""
        running = {site: found for site in self.world.sites if (found := self.world.running(site, name))}
        if len(running) < 2:
            return
        array = self.world.arrays.get(name)
        left = set(running) - self.excused.get(name, set())
        if name in self.disasters:
            left -= {site for site in running if self._could_not_act(site)}
        if len(left) > 1 or (len(running) > 1 and not (set(running) - left)):
            roles = "" if array is None else f", roles {array.roles}"
            self.world.broken(f"I1: {name} runs at {running}{roles}")

    def _could_not_act(self, site: str) -> bool:
        """The exception of I1: a site whose guard, API or memory failed it while others counted on its lease."""
        if site in self.renewed:
            return True
        lease = self.world.lease
        return self.world.scheduler.now - self.impaired.get(site, float("-inf")) < (lease.fence_after if lease else 0.0)

    def journal(self, site: str, name: str) -> Journal | None:
        """What the site's record says now."""
        found = self.world.apis[site].objects.get(("ConfigMap", SYSTEM_NAMESPACE, permits.name_of(name)))
        text = (found or {}).get("data", {}).get(records.JOURNAL_FILE)
        return None if text is None else records.read_journal(text, f"{site} {name}")

    def placement(self, commit: str, name: str) -> Placement | None:
        """What a commit places."""
        found = self.world.server.commits.get(commit)
        return None if found is None else load_placement(MemoryTree(dict(found.files)), f"apps/{name}")

    def _consented(self, loss: Loss) -> None:
        """I2: what is lost was asked for by the epoch that the site acts on."""
        journal, array = self.journal(loss.site, loss.application), self.world.arrays[loss.application]
        placement = self.placement(journal.commit, loss.application) if journal else None
        times = [array.times[each - 1] for each in loss.records]
        span = max(times) - min(times) if times else 0.0
        if loss.how == "promoted":
            allowed = placement.allow_data_loss if placement and placement.move == "disaster" else 0.0
            fine = allowed == "unknown" or span <= float(allowed or 0.0) + SLACK
            if placement is None or placement.move != "disaster":
                fine = False
        else:
            fine = placement is not None and loss.site in placement.allow_discard
            array.given_up.update(loss.records)
        if not fine:
            self.world.broken(
                f"I2: {len(loss.records)} records of {span:.1f}s are {loss.how} at {loss.site}: {placement}"
            )

    def written(self, site: str, key: Key, before: Any, now: Any) -> None:
        """After each write to a cluster."""
        kind, namespace, name = key
        keeps = namespace not in self.moved and (namespace != "ledger" or self.world.lease is None)
        if kind == "VirtualMachine" and before is not None and keeps:
            stopped = before["spec"].get("runStrategy") == "Always" and now["spec"].get("runStrategy") == "Halted"
            if stopped and site not in self.renewed:
                self.world.broken(f"neighbours: {namespace}/{name} was stopped at {site}, and nobody moved it")
        if kind == "ConfigMap" and name.startswith("permit-"):
            self._permit(site, name.removeprefix("permit-"), before, now)
        if kind == "VirtualMachineInstance" and before is None:
            self._one_writer(self.world.apis[site].applications[namespace])

    def _permit(self, site: str, name: str, before: Any, now: Any) -> None:
        """P6 and P1, as the record has them."""
        text = now["data"].get(records.JOURNAL_FILE)
        if text is None:
            return
        journal = records.read_journal(text, f"{site} {name}")
        known = self.journals.get((site, name), (0, 0))
        said = (journal.epoch, journal.sequence)
        if site not in self.renewed and (said[0] < known[0] or said[1] < known[1]):
            self.world.broken(f"epochs: the journal of {name} at {site} fell from {known} to {said}")
        self.journals[site, name] = said
        lease, until = obeyed(journal.leases), permits.seconds_of(now["data"].get(permits.UNTIL)) or 0.0
        earlier = permits.seconds_of(((before or {}).get("data") or {}).get(permits.UNTIL)) or 0.0
        if lease is None or until <= earlier or permits.permit_of(now["data"]).closed or self.stepped:
            return
        found = self.world.apis[site].objects.get(("ConfigMap", SYSTEM_NAMESPACE, "siteshift-site"))
        accepted = permits.seconds_of(((found or {}).get("data") or {}).get("accepted"))
        if accepted is None or until > accepted + lease.time + ROUNDING:
            shown = None if accepted is None else f"{accepted - EPOCH:.1f}"
            self.world.broken(f"P6: the permit of {name} at {site} reaches {until - EPOCH:.1f}, accepted was {shown}")

    def pushed(self, site: str, ref: str, commit: Commit) -> None:
        """After each push of a site."""
        if "acks" not in ref or site in self.renewed:
            return
        for file in commit.files:
            ack = records_of(commit, file)
            name = file.removesuffix(".json")
            known = self.acks.get((site, name), (0, 0))
            if ack[0] < known[0] or ack[1] < known[1]:
                self.world.broken(f"epochs: the ack of {name} at {site} fell from {known} to {ack}")
            if ack != known:
                self.world.say(f"{site} says {name}: {self.words(commit, file)}")
            self.acks[site, name] = ack

    def words(self, commit: Commit, file: str) -> str:
        """The state that an ack says."""
        from reconciler.failover.execute.publisher import read_ack

        ack = read_ack(commit.files[file], file)
        return f"{ack.state.value} e{ack.epoch} #{ack.sequence}"


def records_of(commit: Commit, file: str) -> tuple[int, int]:
    """Epoch and sequence of an ack."""
    from reconciler.failover.execute.publisher import read_ack

    ack = read_ack(commit.files[file], file)
    return ack.epoch, ack.sequence
