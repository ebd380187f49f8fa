"""From one commit's fleet to the next: epochs rise by one, and a move changes nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.fleet.load import load
from reconciler.fleet.model import Application, Fleet, Group, Placement, Replication, Rewind
from reconciler.fleet.transition import check_transition
from render.tree import MemoryTree

PLACED = Placement("a", 4, "planned", "apps/ledger/placement.yaml")
LEDGER = Application(
    "ledger",
    "apps/ledger",
    ("a", "b"),
    "a",
    PLACED,
    replication=Replication("csi-addons", (Group("VolumeGroupReplication", "l", "l"),), 60.0),
)


def fleet(*applications: Application) -> Fleet:
    return Fleet("bank", "symmetric", (), (), applications)


def after(placement: dict[str, Any], **application: Any) -> Fleet:
    return fleet(replace(LEDGER, placement=replace(PLACED, **placement), **application))


ALLOWED = {
    "nothing changed": after({}),
    "moved": after({"active": "b", "epoch": 5}),
    "asked again": after({"epoch": 5}),
    "the reason is reworded": after({"reason": "x"}),
    "consents come with the next epoch": after({"epoch": 5, "allow_discard": ("b",), "override_fence": "by phone"}),
    "moved into a disaster": after({"active": "b", "epoch": 5, "move": "disaster", "declared_down": ("a",)}),
    "home changed in a move": after({"active": "b", "epoch": 5}, home="b"),
    "sites changed in place": after({}, sites=("b", "a", "c")),
    "a rewound branch is accepted": after({"epoch": 9, "accept_rewind": Rewind("3f9c2d1", ("81c04aa",))}),
    "application removed": fleet(),
}

REFUSED = {
    "jump": (after({"active": "b", "epoch": 6}), "spec.epoch jumps from 4 to 6"),
    "fall": (after({"epoch": 3}), "spec.epoch falls from 4 to 3"),
    "moved without an epoch": (after({"active": "b"}), "spec.active changed and spec.epoch is still 4"),
    "declared without an epoch": (
        after({"declared_down": ("b",)}),
        "spec.declaredDown changed and spec.epoch is still 4",
    ),
    "consent without an epoch": (
        after({"allow_discard": ("b",)}),
        "spec.allowDiscard changed and spec.epoch is still 4",
    ),
    "other kind of move": (after({"move": "disaster"}), "spec.move changed and spec.epoch is still 4"),
    "sites in a move": (after({"active": "b", "epoch": 5}, sites=("b", "c")), "changes its sites in the same step"),
    "groups in a move": (
        after({"active": "b", "epoch": 5}, replication=replace(LEDGER.replication, groups=())),
        "changes its groups in the same step",
    ),
    "driver in a move": (
        after({"active": "b", "epoch": 5}, replication=replace(LEDGER.replication, driver="none")),
        "changes its driver in the same step",
    ),
}


@pytest.mark.parametrize("now", ALLOWED.values(), ids=ALLOWED.keys())
def test_a_step_that_is_allowed(now: Fleet) -> None:
    assert check_transition(fleet(LEDGER), now) == []


@pytest.mark.parametrize(("now", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_a_step_that_is_refused(now: Fleet, said: str) -> None:
    (error,) = check_transition(fleet(LEDGER), now)
    assert said in error.message
    assert error.path == PLACED.path


@pytest.mark.parametrize("before", [None, fleet()], ids=["first fleet", "new application"])
def test_the_first_epoch_is_one(before: Fleet | None) -> None:
    (error,) = check_transition(before, fleet(LEDGER))
    assert error.message == "spec.epoch is 4, expected 1"
    assert check_transition(before, after({"epoch": 1})) == []


def test_the_error_points_at_the_field(files: dict[str, str | bytes]) -> None:
    before = load(MemoryTree(dict(files)))
    files["apps/ledger/placement.yaml"] = str(files["apps/ledger/placement.yaml"]).replace("epoch: 4", "epoch: 9")
    tree = MemoryTree(dict(files))
    (error,) = check_transition(before, load(tree), tree)
    assert str(error).startswith("apps/ledger/placement.yaml:6:3: error: spec.epoch jumps from 4 to 9\n  hint: ")
