"""What is not the product: last-write-wins in place of compare-and-swap (group K), and mutants made on purpose.

The simulation must find what each of them breaks, else it proves nothing about the product.
"""

from __future__ import annotations

from typing import Any

from reconciler.failover.guard import decide as guard_decide
from reconciler.failover.protocol import decide, proof, registry
from simulation.world import Variant


def _never(*_: Any, **__: Any) -> bool:
    return False


def _nothing(*_: Any, **__: Any) -> tuple[()]:
    return ()


def _without(condition: str) -> tuple[tuple[Any, str, Any], ...]:
    """The table without one of its conditions."""

    def blockers(names: tuple[str, ...], case: Any) -> tuple[Any, ...]:
        return registry.blockers(tuple(each for each in names if each != condition), case)

    return ((decide, "missing", blockers),)


LAST_WRITE_WINS = Variant("last write wins", compares=False)
NO_LEASE = Variant("the lease is ignored", changes=((guard_decide, "is_over", _never), (decide, "is_over", _never)))
NO_FENCE = Variant("the fence is not waited for", changes=((proof, "_fenced", _nothing),))
NO_SOURCES = Variant("the sources are not asked", changes=_without("sources_done"))
