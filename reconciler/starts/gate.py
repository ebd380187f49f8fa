"""The start gate's arithmetic: how many workloads may start now, and which. Pure; time comes in.

In flight is what was started and is neither ready nor given up. At no instant may more be in flight than the cap, nor
may more have been started within any minute than the rate. A workload that fails or takes too long gives its slot back
(policy `continue`), so that it never blocks others for ever.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from reconciler.fleet.model import StartLimits
from reconciler.objects import Ref

MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A workload that may start now: its application has reached its run level, and its permit is valid."""

    ref: Ref
    run_level: str
    component: str
    application: str

    @property
    def order(self) -> tuple[int, str, str, str, Ref]:
        """The lowest level first, whichever application it is of; then component, then a fixed order."""
        digits = "".join(filter(str.isdigit, self.run_level))
        return (int(digits) if digits else -1, self.run_level, self.component, self.application, self.ref)


@dataclass(frozen=True, slots=True)
class StartGate:
    """The gate of one site as a value. `in_flight`: since when each started workload is on its way (monotonic seconds);
    `recent`: when starts were admitted within the last minute."""

    limits: StartLimits
    in_flight: Mapping[Ref, float] = field(default_factory=dict)
    recent: tuple[float, ...] = ()

    def settle(self, finished: Collection[Ref], now: float, timeout: float) -> StartGate:
        """Give back the slots of what is ready, failed or gone, and of what takes longer than `timeout`."""
        going = {ref: since for ref, since in self.in_flight.items() if ref not in finished and now - since < timeout}
        return replace(self, in_flight=going)

    def admit(
        self, candidates: Iterable[Candidate], now: float, busy: Collection[Ref] = ()
    ) -> tuple[tuple[Candidate, ...], StartGate]:
        """Who may start now, and the gate after it. `busy`: what the cluster shows as starting, whoever started it."""
        recent = tuple(at for at in self.recent if now - at < MINUTE)
        taken = set(self.in_flight) | set(busy)
        free = min(self.limits.max_in_flight - len(taken), self.limits.per_minute - len(recent))
        waiting = {each.ref: each for each in candidates if each.ref not in taken}
        admitted = tuple(sorted(waiting.values(), key=lambda each: each.order)[: max(0, free)])
        going = {**self.in_flight, **{each.ref: now for each in admitted}}
        return admitted, replace(self, in_flight=going, recent=recent + (now,) * len(admitted))
