"""Which facts and conditions of the protocol were asked, and with which outcome: a pytest plug-in that counts.

It stands between the engine and its registry while other tests run, and writes what it saw to the file that the
environment variable SITESHIFT_REACHED names.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from reconciler.failover.protocol import conditions, decide, registry
from reconciler.failover.protocol.case import Case
from reconciler.failover.protocol.decisions import Blocker

VARIABLE = "SITESHIFT_REACHED"


def every() -> Iterator[str]:
    """All that can be reached: each fact and each condition, with both outcomes."""
    for name in registry.FACTS:
        yield from (f"fact {name} is {outcome}" for outcome in ("true", "false"))
    for name in registry.CONDITIONS:
        yield from (f"condition {name} {outcome}" for outcome in ("holds", "is missing"))


class Reached:
    """Records while it is installed."""

    def __init__(self) -> None:
        self.seen: set[str] = set()

    def install(self) -> None:
        """Stand between the engine and its registry."""
        assert decide.REGISTERED
        for name, fact in list(registry.FACTS.items()):
            registry.FACTS[name] = self._fact(name, fact)
        for name, condition in list(registry.CONDITIONS.items()):
            check = self._condition(name, condition.check)
            registry.CONDITIONS[name] = replace(condition, check=check)
            if name == "gate_refuses":
                conditions.gate_refuses = check

    def _fact(self, name: str, fact: registry.Fact) -> registry.Fact:
        def watched(case: Case) -> bool:
            holds = fact(case)
            self.seen.add(f"fact {name} is {str(holds).lower()}")
            return holds

        return watched

    def _condition(self, name: str, check: registry.Check) -> registry.Check:
        def watched(case: Case) -> tuple[Blocker, ...]:
            found = check(case)
            self.seen.add(f"condition {name} {'is missing' if found else 'holds'}")
            return found

        return watched


REACHED = Reached()


def pytest_configure() -> None:
    """Count from the beginning."""
    REACHED.install()


def pytest_sessionfinish() -> None:
    """Write down what was reached."""
    Path(os.environ[VARIABLE]).write_text(json.dumps(sorted(REACHED.seen)))
