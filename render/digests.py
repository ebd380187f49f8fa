"""Hash functions without OpenSSL, which `hashlib` loads to be faster at large files: it takes as long as a small build.

The interpreter brings its own ones, under names that differ from version to version.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

_MODULES = {"sha1": ("_sha1",), "sha256": ("_sha2", "_sha256"), "blake2b": ("_blake2",)}


@cache
def _function(name: str) -> Callable[..., Any]:
    for module in (*_MODULES[name], "hashlib"):
        try:
            found: Callable[..., Any] = getattr(import_module(module), name)
        except ImportError:
            continue
        return found
    raise AssertionError("every Python has hashlib")


def sha1(data: bytes) -> str:
    """As hexadecimal digits; for names of content, never for security."""
    return str(_function("sha1")(data, usedforsecurity=False).hexdigest())


def sha256(data: bytes) -> str:
    """As hexadecimal digits."""
    return str(_function("sha256")(data).hexdigest())


def blake2b(data: bytes | memoryview, size: int) -> bytes:
    """A digest of `size` bytes, 64 at most."""
    return bytes(_function("blake2b")(data, digest_size=size).digest())
