"""`--wait` of a move: what the sites say, one line each, until the application is active there or stands still.

It reads and changes nothing: the move goes on whether somebody waits or not.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reconciler.errors import SiteshiftError, SourceError, UsageError

if TYPE_CHECKING:
    import argparse

    from reconciler.failover.protocol.values import Ack
    from reconciler.fleet.model import Fleet, Site
    from reconciler.fleet.moving import Move
    from reconciler.git.working import WorkingCopy

LOOK = 1.0
"""Seconds between two looks at the sites' refs and reports."""

STANDS = 10.0
"""A hold that is shown for so many seconds is one that only people end."""


def register(parser: argparse.ArgumentParser) -> None:
    """The options of a command that can wait."""
    parser.add_argument("--wait", action="store_true", help="show what happens until it has arrived or is held")
    parser.add_argument(
        "--timeout", default="30m", metavar="TIME", help="with --wait: how long at most (default: 30m); 0s: no limit"
    )


def check(arguments: argparse.Namespace) -> None:
    """Refuse early what nobody could wait for. Raises `UsageError`."""
    if arguments.wait and arguments.no_push:
        raise UsageError("--wait waits for the sites, and --no-push keeps the commit from them")
    _limit(arguments)


def _limit(arguments: argparse.Namespace) -> float:
    from reconciler.fleet.durations import seconds

    text = str(arguments.timeout)
    found = seconds(text)
    if not found and text not in ("0", "0s"):
        raise UsageError(f'--timeout is "{text}", expected a time such as 10m')
    return found or float("inf")


@dataclass(slots=True)
class Progress:
    """What was shown so far of some moves. `shown`: each site's last state by application and site; `holds`: since
    when each hold is seen, by the clock of `now`."""

    moves: Sequence[Move]
    shown: dict[tuple[str, str], str] = field(default_factory=dict)
    holds: dict[tuple[str, str, str], float] = field(default_factory=dict)
    arrived: set[str] = field(default_factory=set)
    ended: str = ""

    def take(
        self, acks: Mapping[str, Mapping[str, Ack]], reports: Mapping[str, Mapping[str, Any]], now: float
    ) -> Iterator[str]:
        """The lines about what is new. `acks`: by application and site; `reports`: each site's own report on its
        applications."""
        for move in self.moves:
            yield from self._said(move, acks.get(move.application.name, {}))
        yield from self._held(reports, now)
        if not self.ended and len(self.arrived) == len(self.moves):
            self.ended = "arrived"

    def _said(self, move: Move, acks: Mapping[str, Ack]) -> Iterator[str]:
        name = move.application.name
        for site, ack in sorted(acks.items(), key=lambda each: (each[1].epoch, each[0])):
            state, key = ack.state.value, (name, site)
            if ack.epoch < move.epoch or self.shown.get(key) == state:
                continue
            self.shown[key] = state
            why = f": {ack.evidence['reason']}" if ack.evidence.get("reason") else ""
            yield f"{site}: {name}: {state}{why}"
            if site == move.taker and state == "Active":
                self.arrived.add(name)
            elif site != move.taker and ack.epoch > move.epoch and state in ("Promoting", "Promoted", "Active"):
                self.ended = f"{name} was moved to {site} meanwhile, by epoch {ack.epoch}"

    def _held(self, reports: Mapping[str, Mapping[str, Any]], now: float) -> Iterator[str]:
        seen = {}
        for move in self.moves:
            name = move.application.name
            for site, report in sorted(reports.items()):
                found = report.get(name) or {}
                if int(found.get("epoch") or 0) < move.epoch and site == move.taker:
                    continue
                for hold in () if name in self.arrived else found.get("holds", ()):
                    key = (name, site, str(hold["reason"]))
                    seen[key] = self.holds.get(key, now)
                    if key not in self.holds:
                        yield f"{site}: {name}: {hold['reason']}: {hold['message']}"
                    if now - seen[key] >= STANDS and not self.ended:
                        yield f"  {hold['liftedBy']}"
                        self.ended = f"{name} is held at {site} ({hold['reason']})"
        self.holds = seen


def follow(arguments: argparse.Namespace, working: WorkingCopy, fleet: Fleet, moves: Sequence[Move]) -> int:
    """Show what happens until all have arrived (0), or one is held, overtaken or too late (1)."""
    progress, began, limit = Progress(moves), time.monotonic(), _limit(arguments)
    lookers = [_Looker(site, arguments.kubeconfig) for site in fleet.sites]
    unread = ""
    try:
        while not progress.ended:
            now = time.monotonic() - began
            try:
                acks, unread = _acks(arguments, working, fleet, moves), ""
            except SourceError as error:
                acks = {}
                if str(error) != unread:
                    unread = str(error)
                    print(f"{now:5.0f}s  the sites' refs cannot be read: {unread}", flush=True)
            for line in progress.take(acks, {each.site.name: each.found for each in lookers}, now):
                print(f"{now:5.0f}s  {line}", flush=True)
            if not progress.ended and now > limit:
                progress.ended = f"not arrived within {arguments.timeout}"
            if not progress.ended:
                time.sleep(LOOK)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            "interrupted: the commit is pushed and the move goes on\n  hint: siteshift status shows it"
        ) from None
    finally:
        for each in lookers:
            each.ended.set()
    if progress.ended == "arrived":
        print("Arrived.")
        return 0
    print(f"{progress.ended}. The commit stays, and the move goes on as soon as it can.")
    return 1


def _acks(
    arguments: argparse.Namespace, working: WorkingCopy, fleet: Fleet, moves: Sequence[Move]
) -> dict[str, dict[str, Ack]]:
    from reconciler.cli.said import said

    words = said(arguments, working, fleet)
    found: dict[str, dict[str, Ack]] = {}
    for move in moves:
        name = move.application.name
        found[name] = {}
        for site in words.seen.sites:
            try:
                ack = words.ack(site, name)
            except SourceError:  # a site that cannot be understood has not arrived
                continue
            if ack is not None:
                found[name][site] = ack
    return found


class _Looker:
    """Asks one site for its report, again and again, in a thread of its own: a dead site answers nobody."""

    def __init__(self, site: Site, kubeconfig: str | None) -> None:
        self.site = site
        self.found: Mapping[str, Any] = {}
        self.ended = threading.Event()
        self._kubeconfig = kubeconfig
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        from reconciler.cli.status import view_of

        while not self.ended.wait(LOOK):
            try:
                self.found = view_of(self.site, self._kubeconfig).applications
            except (SiteshiftError, OSError):  # no way to the cluster from here: what the sites say on Git is shown
                return
