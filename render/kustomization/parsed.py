"""Parsed files kept from build to build, for whoever builds again after each save.

Documents are shared and never changed, so a kept one is as good as a new one as long as the bytes are the same.
"""

from __future__ import annotations

from render.kustomization.resources import Document, resources_in


class Parsed:
    """The objects of files as earlier builds have parsed them, the last content of each path."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[bytes, list[Document]]] = {}

    def objects(self, path: str, data: bytes) -> list[Document]:
        """The objects of a file with this content. Raises what `resources_in` raises; errors are not kept."""
        kept = self._kept.get(path)
        if kept is None or kept[0] != data:
            kept = self._kept[path] = (data, list(resources_in(data, path)))
        return kept[1]
