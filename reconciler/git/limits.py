"""How much of a site's ref is taken in: anyone who may push it decides what lies there."""

from __future__ import annotations

import sys
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """What one fetch may bring: objects, and bytes on the wire."""

    objects: int
    bytes: int


NO_LIMITS = FetchLimits(sys.maxsize, sys.maxsize)
"""For the branch, which the fleet's owners alone push."""

SITE_REF = FetchLimits(objects=200_000, bytes=64 * 1024 * 1024)
"""A site's whole history: three objects for each ack, packed into some hundred bytes."""

SITE_REF_SECONDS = 10.0
"""How long one fetch of a site's ref may take. It bounds what a pack unfolds to, whatever it says of itself."""

STORED_BYTES = 256 * 1024 * 1024
"""What the history of one ref may take on this disk."""

COMMIT_BYTES = 16 * 1024
PARENTS = 1
TREE_BYTES = 512 * 1024
FILES = 4096
FILE_BYTES = 1024 * 1024
ALL_FILES_BYTES = 16 * 1024 * 1024

HISTORY = 200_000
"""How many commits of a ref are walked to find one."""

WORKER_MEMORY = 1024 * 1024 * 1024
"""Bytes of memory of the worker, which reads all of this."""

FIRST_PAUSE, LONGEST_PAUSE = 5.0, 300.0
"""Seconds until a ref that could not be fetched is asked for again; the pause doubles with each failure."""
