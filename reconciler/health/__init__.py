"""Room `health`: is a live object as it should be, at the role that its site has reached?

Holds kstatus and a table of rules for other kinds; "no rule" is a visible answer, never "healthy".
Knows nothing of everything else: objects and the time go in, a verdict comes out.
"""

from __future__ import annotations

from reconciler.health.judge import judge
from reconciler.health.verdict import Health, State

__all__ = ["Health", "State", "judge"]
