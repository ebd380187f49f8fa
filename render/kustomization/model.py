"""What goes into a build and what comes out of it: values that callers see.

Kept apart from the machinery, and named tuples rather than dataclasses, because every run of the command line imports
them and half of them build a single object.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, Protocol

Manifest = dict[str, Any]
"""A Kubernetes object as plain data."""


class Options(NamedTuple):
    """How to build, as `kustomize build` takes it.

    `load_restrictor`: whether patch and data files must lie in or below their kustomization's folder.
    `reorder`: the order of the result; unspecified means legacy unless the kustomization has `sortOptions`.
    `enable_helm`: whether `helmCharts` may be inflated, by the function that `build` is given.
    `managed_by`: whether every object gets the label app.kubernetes.io/managed-by, as `buildMetadata` can ask too.
    """

    load_restrictor: Literal["rootOnly", "none"] = "rootOnly"
    reorder: Literal["unspecified", "legacy", "none"] = "unspecified"
    enable_helm: bool = False
    managed_by: bool = False


class Origin(NamedTuple):
    """The file that an object came from (for generated ones the kustomization's) and which document in it."""

    path: str
    document: int = 0


class Resource(NamedTuple):
    """One object of a build's result. The manifest may share parts with others: never change it."""

    manifest: Manifest
    origin: Origin


class Helm(Protocol):
    """What inflates charts; both raise `SiteshiftError`. A chart's files go by their paths below its folder."""

    def pull(self, repository: str, name: str, version: str, *, devel: bool) -> dict[str, bytes]:
        """The files of a chart in a repository (a URL); `version` is "" for the newest."""

    def template(
        self, name: str, files: dict[str, bytes], values: tuple[bytes, ...], arguments: tuple[str, ...]
    ) -> bytes:
        """What `helm template` prints. `values` are texts of values files, the later win; `arguments` all others."""
