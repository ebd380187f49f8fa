"""What goes into a build and what comes out of it: values that callers see.

Kept apart from the machinery so that importing them costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Manifest = dict[str, Any]
"""A Kubernetes object as plain data."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to build, as `kustomize build` takes it.

    `load_restrictor`: whether patch and data files must lie in or below their kustomization's folder.
    `reorder`: the order of the result; unspecified means legacy unless the kustomization has `sortOptions`.
    """

    load_restrictor: Literal["rootOnly", "none"] = "rootOnly"
    reorder: Literal["unspecified", "legacy", "none"] = "unspecified"
    enable_helm: bool = False


@dataclass(frozen=True, slots=True)
class Origin:
    """The file that an object came from (for generated ones the kustomization's) and which document in it."""

    path: str
    document: int = 0


@dataclass(frozen=True, slots=True)
class Resource:
    """One object of a build's result. The manifest may share parts with others: never change it."""

    manifest: Manifest
    origin: Origin
