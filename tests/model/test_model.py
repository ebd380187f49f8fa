"""Every state of the protocol within small bounds: one writer, nothing lost, a way to rest from each (I1, I2, I3)."""

from __future__ import annotations

import pytest

from model import rest
from model.cases import ALWAYS, PAGE, proven
from model.explore import explore
from model.rest import Settling
from model.rules import EVERY_RULE, one_writer
from model.values import OPEN, Bounds
from model.world import Model
from reconciler.failover.protocol import registry

MOST = 500_000


@pytest.mark.parametrize("name", ALWAYS)
def test_every_state_has_one_writer_loses_nothing_and_leads_to_rest(name: str) -> None:
    found = proven(ALWAYS[name], most=MOST)
    assert found.explored.broken == "", "\n".join(found.explored.way)
    assert found.explored.whole
    assert found.stuck == ""
    assert found.row in PAGE.read_text().splitlines(), f"docs/failover-proof.md must say: {found.row}"


@pytest.mark.parametrize(
    ("conditions", "bounds"),
    [
        ({"declared_and_fenced"}, Bounds("ab", 2, lease=True, settled=True)),
        ({"sources_done", "data_proven", "following"}, Bounds("ab", 2, settled=True)),
    ],
    ids=["nobody is fenced", "nobody is asked"],
)
def test_a_protocol_without_its_conditions_is_found_out(
    monkeypatch: pytest.MonkeyPatch, conditions: set[str], bounds: Bounds
) -> None:
    for name in conditions:
        monkeypatch.setitem(registry.CONDITIONS, name, registry.Condition(name, "", "", lambda case: ()))
    found = explore(Model(bounds), EVERY_RULE, most=MOST)
    assert found.broken == "a and b run it"
    assert found.way


def test_a_hold_without_a_command_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest, "commands", lambda lifted_by: ())
    assert proven(ALWAYS["first placement, one misfortune"], most=MOST).stuck


def test_two_running_sites_are_seen() -> None:
    model = Model(Bounds("ab", 1, settled=True))
    state = Settling(model).end(model.tables.first())
    assert one_writer(model, state) == ""
    assert model.tables.local(state, 0).runs
    assert one_writer(model, (state[0], state[1], state[1])) == "a and b run it"
    assert model.tables.local(state, 0).permit == OPEN
