"""The start gate against a naive oracle: the caps hold at every instant, whatever starts, fails or hangs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from reconciler.fleet.model import StartLimits
from reconciler.objects import Ref
from reconciler.starts.gate import Candidate, StartGate


def candidate(name: str, level: str = "50", application: str = "ledger") -> Candidate:
    return Candidate(Ref("apps", "Deployment", "bank", name), level, name, application)


MOVES = some.lists(
    some.tuples(some.floats(0, 40), some.lists(some.integers(0, 30), max_size=6), some.integers(0, 6)), max_size=40
)


@given(MOVES, some.integers(1, 5), some.integers(1, 8))
def test_the_caps_hold_at_every_instant(moves: list[tuple[float, list[int], int]], cap: int, rate: int) -> None:
    gate, now = StartGate(StartLimits(cap, rate)), 0.0
    going: dict[str, float] = {}
    started: list[float] = []
    for passed, wanted, finish in moves:
        now += passed
        done = sorted(going)[:finish]
        gate = gate.settle([candidate(name).ref for name in done], now, timeout=100.0)
        going = {name: at for name, at in going.items() if name not in done and now - at < 100.0}
        admitted, gate = gate.admit([candidate(str(number)) for number in wanted], now)
        going |= {each.ref.name: now for each in admitted}
        started += [now] * len(admitted)
        assert len(going) <= cap
        assert sum(1 for at in started if now - at < 60.0) <= rate
        assert {ref.name for ref in gate.in_flight} == set(going)
        left = {str(number) for number in wanted} - set(going)
        assert not left or len(going) == cap or sum(1 for at in started if now - at < 60.0) == rate, "a slot is unused"


def test_the_lowest_level_goes_first_whichever_application_it_is_of() -> None:
    waiting = [
        candidate("web", "50", "a"),
        candidate("db2", "10", "z"),
        candidate("db1", "10", "a"),
        candidate("x", "9"),
    ]
    admitted, _ = StartGate(StartLimits(3, 60)).admit(waiting, 0.0)
    assert [each.ref.name for each in admitted] == ["x", "db1", "db2"]


def test_what_others_started_counts_as_in_flight() -> None:
    busy = {candidate(str(number)).ref for number in range(3)}
    assert StartGate(StartLimits(3, 60)).admit([candidate("web")], 0.0, busy)[0] == ()


@pytest.mark.parametrize(("after", "free"), [(29.0, False), (30.0, True)], ids=["within its time", "beyond it"])
def test_what_hangs_gives_its_slot_back(after: float, free: bool) -> None:
    _, gate = StartGate(StartLimits(1, 60)).admit([candidate("stuck")], 0.0)
    admitted, _ = gate.settle((), after, timeout=30.0).admit([candidate("next")], after)
    assert bool(admitted) is free
