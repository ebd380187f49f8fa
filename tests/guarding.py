"""Waiting for what a guard does by itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

PATIENCE = 40.0


def eventually(what: str, ask: Callable[[], Any], patience: float = PATIENCE) -> float:
    """Ask until the answer is true; how many seconds that took."""
    began = time.monotonic()
    while not ask():
        if time.monotonic() - began > patience:
            pytest.fail(f"not within {patience} s: {what}")
        time.sleep(0.05)
    return time.monotonic() - began
