"""What keeps a prune from being made is that unit's: the pass and the other units go on."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

import pytest

from reconciler.controller import pruning
from reconciler.controller.pruning import Pruner
from reconciler.errors import Refused
from reconciler.inventory.record import entry_of
from reconciler.objects import APPLICATION_LABEL
from reconciler.status.log import Log

SPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "old"}}


def test_a_cluster_that_does_not_say_what_is_in_a_namespace_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise Refused("secrets is forbidden")

    monkeypatch.setattr(pruning, "look_around", refuse)
    out, caches = io.StringIO(), SimpleNamespace(live=lambda *_, **__: SPACE)
    parts: Any = SimpleNamespace()
    pruner = Pruner(parts, caches, parts, Log("a", "text", out))  # type: ignore[arg-type]
    entry = entry_of(SPACE, "00")
    for _ in range(2):
        pruner._prune((APPLICATION_LABEL, "ledger"), [entry], [entry], set(), frozenset(), 9)
    assert out.getvalue().count("nothing of ledger is pruned: secrets is forbidden") == 1
