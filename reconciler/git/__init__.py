"""Git: bare mirrors that the controller reads and writes, and the clone in which a person commits a move.

Holds: fetch, freshness, history, the sites' own refs, commits that edit a placement and keep its comments.
Knows nothing of Kubernetes, nor of what acks and heartbeats say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.git.seam import Heads, Repository

if TYPE_CHECKING:
    from reconciler.git.mirror import Mirror

__all__ = ["Heads", "Mirror", "Repository"]


def __getattr__(name: str) -> object:
    if name == "Mirror":  # pygit2 costs a quarter of a second, which who only wants the seam does not pay
        from reconciler.git.mirror import Mirror

        return Mirror
    raise AttributeError(name)
