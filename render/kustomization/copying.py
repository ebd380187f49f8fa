"""Copies of plain data: parsed documents are shared by all builds, so whoever changes one needs one of its own."""

from __future__ import annotations

from typing import Any


def deep_copy(value: Any) -> Any:
    """A copy of plain data that shares nothing with it."""
    if type(value) is dict:
        return {key: deep_copy(item) if type(item) in (dict, list) else item for key, item in value.items()}
    if type(value) is list:
        return [deep_copy(item) if type(item) in (dict, list) else item for item in value]
    return value
