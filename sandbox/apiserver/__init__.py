"""An in-memory Kubernetes API over HTTPS: a real enough API server for a laptop, for rehearsals and for fast tests.

Holds: storage with resource versions, the verbs, server-side apply, admission policies, discovery, the audit log.
Knows nothing of Siteshift: no word of applications, moves or sites appears here, and its clients are ordinary API
clients. What it does not do it refuses by name with 501; it never gives an answer that a real server would not give.
"""

from __future__ import annotations

from sandbox.apiserver.server import ApiServer

__all__ = ["ApiServer"]
