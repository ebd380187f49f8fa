"""What goes into a build and what comes out of it: values that callers see.

Kept apart from the machinery, and named tuples rather than dataclasses, because every run of the command line imports
them and half of them build a single object.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

Manifest = dict[str, Any]
"""A Kubernetes object as plain data."""


class Options(NamedTuple):
    """How to build, as `kustomize build` takes it.

    `load_restrictor`: whether patch and data files must lie in or below their kustomization's folder.
    `reorder`: the order of the result; unspecified means legacy unless the kustomization has `sortOptions`.
    """

    load_restrictor: Literal["rootOnly", "none"] = "rootOnly"
    reorder: Literal["unspecified", "legacy", "none"] = "unspecified"
    enable_helm: bool = False


class Origin(NamedTuple):
    """The file that an object came from (for generated ones the kustomization's) and which document in it."""

    path: str
    document: int = 0


class Resource(NamedTuple):
    """One object of a build's result. The manifest may share parts with others: never change it."""

    manifest: Manifest
    origin: Origin
