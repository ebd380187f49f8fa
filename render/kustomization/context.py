"""What all layers of one build share: where files come from, how to build, what is known about kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from render.kustomization.limits import Budget
from render.kustomization.model import Options
from render.kustomization.schema import Schemas, is_built_in
from render.tree.seam import Tree

if TYPE_CHECKING:
    from render.kustomization.model import Helm
    from render.kustomization.observer import Observer
    from render.kustomization.parsed import Parsed


class Context:
    """One build. Each file is read once, however often it is named."""

    def __init__(
        self,
        tree: Tree,
        options: Options,
        *,
        helm: Helm | None = None,
        observer: Observer | None = None,
        parsed: Parsed | None = None,
    ) -> None:
        self.tree = tree
        self.options = options
        self.helm = helm
        self.observer = observer
        self.parsed = parsed
        self.budget = Budget()
        self.schemas = Schemas()
        self.schema_set = False
        """Whether a kustomization has brought its own schema: the topmost one wins."""
        self.documents: dict[str, Any] = {}
        """Parsed files by path, kept by the loader."""
        self._bytes: dict[str, bytes] = {}
        self._marks: dict[tuple[str, bytes], bool] = {}

    @property
    def restricted(self) -> bool:
        """Whether a kustomization reads only files in or below its folder; the loader has looked at each of them."""
        return self.options.load_restrictor == "rootOnly"

    def knows_foreign_kinds(self) -> bool:
        """Whether any file that was read so far holds an object of a kind that is not Kubernetes' own."""
        return any(
            not is_built_in(found.manifest.get("apiVersion"), found.manifest.get("kind"))
            for objects in self.documents.values()
            for found in objects
        )

    def read(self, path: str) -> bytes:
        """A file's bytes."""
        data = self._bytes.get(path)
        if data is None:
            data = self._bytes[path] = self.tree.read(path)
        return data

    def holds(self, path: str, inline: bytes | None, mark: bytes) -> bool:
        """Whether a mark stands anywhere in a text: the inline one, or else a file's."""
        if inline is not None:
            return mark in inline
        found = self._marks.get((path, mark))
        if found is None:
            found = self._marks[path, mark] = bool(path) and mark in self.read(path)
        return found

    def display(self, path: str) -> str:
        """A tree's path as messages show it: absolute where the tree has a place on disk."""
        if ":/" in f"{path}/":
            from render.tree.remote import remote_of

            if remote_of(path) is not None:
                return path
        root = self.tree.root.rstrip("/")
        return simplified(f"{root}/{path}") if path else root or "/"


def simplified(path: str) -> str:
    """A path without `.` and `..`, absolute if it was."""
    parts: list[str] = []
    for part in path.split("/"):
        if part == ".." and parts:
            parts.pop()
        elif part not in ("", ".", ".."):
            parts.append(part)
    return ("/" if path.startswith("/") else "") + "/".join(parts)
