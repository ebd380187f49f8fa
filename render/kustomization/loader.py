"""Files as one kustomization sees them: relative to its folder, with Kustomize's restrictions.

Patch and data files must lie in or below the folder (unless the restriction is off); bases may lie anywhere but not in
a folder that is being built already. Nothing is fetched from elsewhere.
"""

from __future__ import annotations

from typing import Any

from render import yaml
from render.errors import KustomizationError
from render.kustomization.context import Context, simplified
from render.kustomization.draft import MEMORY, Draft
from render.kustomization.limits import MOST_NESTED
from render.kustomization.model import Origin
from render.kustomization.resources import resources_in
from render.tree.seam import normalise, real_path


def is_remote(entry: str) -> bool:
    """Whether an entry means something on a network."""
    if ":" not in entry and ".com/" not in entry and ".org/" not in entry:
        return False
    from render.tree import remote  # few kustomizations have any, and every build would pay for it

    return remote.is_remote(entry)


class Loader:
    """One kustomization's folder."""

    def __init__(self, context: Context, root: str, referrer: Loader | None = None) -> None:
        self.context = context
        self.root = root
        self.referrer = referrer
        self.depth: int = referrer.depth + 1 if referrer is not None else 1

    def path(self, entry: str) -> str:
        """The tree's path of an entry of this kustomization."""
        if entry.startswith("/"):
            base = self.context.tree.root.rstrip("/")
            if simplified(entry).startswith(f"{base}/"):
                return normalise(simplified(entry)[len(base) + 1 :])
        path = normalise(entry, self.root)
        if ":/" in f"{self.root}/":
            self._stay_in_repository(entry, path)
        return path

    def _stay_in_repository(self, entry: str, path: str) -> None:
        """What another repository holds may not read what lies around it here."""
        from render.tree.remote import remote_of

        own = remote_of(self.root)
        if own is not None and not _is_below(path, own.mount):
            raise KustomizationError(
                "security; bases in kustomizations found in cloned git repos must be within the repo, but"
                f" '{entry}' is outside '{own.mount}'"
            )

    def load_path(self, entry: str) -> str:
        """The tree's path of a file that this kustomization reads. Raises `KustomizationError` if it may not."""
        if is_remote(entry):
            raise _remote_file(entry)
        path = self.path(entry)
        if self.context.restricted:
            kind = self.context.tree.kind(path)
            if kind == "folder":
                raise KustomizationError(f"'{self.context.display(path)}' must resolve to a file")
            if kind is None:
                return path
            if not self.is_inside(path):
                raise self.outside(path, "move the file below the kustomization, or build without the load restriction")
        return path

    def outside(self, path: str, hint: str) -> KustomizationError:
        """The error for a file that may not be read."""
        shown = self.context.display(real_path(self.context.tree, path))
        return KustomizationError(
            f"security; file '{shown}' is not in or below '{self.context.display(self.root)}'", hint=hint
        )

    def is_inside(self, path: str) -> bool:
        """Whether what is at a path really lies in or below the folder, or may lie elsewhere."""
        if not self.context.restricted:
            return True
        real = real_path(self.context.tree, path)
        if real.startswith(f"{self.root}/"):
            return True
        return _is_below(self.context.display(real), self.context.display(self.root))

    def load(self, entry: str) -> bytes:
        """The bytes of a file of this kustomization."""
        return self.context.read(self.load_path(entry))

    def load_text(self, entry: str) -> str:
        """The text of a file; bytes that are not UTF-8 are kept as surrogates."""
        return self.load(entry).decode("utf-8", "surrogateescape")

    def drafts_in(self, path: str) -> list[Draft]:
        """The objects in a file of the tree as new drafts; the file is parsed once in a build."""
        context = self.context
        found = context.documents.get(path)
        if found is None:
            data = context.read(path)
            parsed = context.parsed
            found = list(resources_in(data, path)) if parsed is None else parsed.objects(path, data)
            context.documents[path] = found
        context.budget.objects(len(found), path)
        drafts = [Draft(manifest, Origin(path, index), context, trail) for manifest, index, trail in found]
        if MEMORY in context.read(path):
            for draft in drafts:
                draft.remember_annotations()
        return drafts

    def inline_drafts(self, text: str, path: str, *, is_patch: bool = False) -> list[Draft]:
        """The objects in a text that stands in a kustomization."""
        data = text.encode("utf-8", "surrogateescape")
        drafts = []
        for document in resources_in(data, path, is_patch=is_patch):
            draft = Draft(document.manifest, Origin(path, document.number), self.context)
            draft.inline = data
            drafts.append(draft)
        return drafts

    def new(self, entry: str) -> Loader:
        """The folder of a base or component. Raises `KustomizationError` if it is none, or being built already."""
        if not entry:
            raise KustomizationError("new root cannot be empty")
        if is_remote(entry):
            return self._remote(entry)
        if entry.startswith("/"):
            raise KustomizationError(f"new root '{entry}' cannot be absolute")
        root = self.path(entry)
        kind = self.context.tree.kind(root)
        if kind is None:
            raise KustomizationError(
                f"must build at directory: not a valid directory: '{self.context.display(root)}' doesn't exist",
                hint=f"neither a file nor a folder is called {entry}",
            )
        if kind == "file":
            raise KustomizationError(f"must build at directory: '{self.context.display(root)}': file is not directory")
        return self._unvisited(root)

    def _unvisited(self, root: str) -> Loader:
        """The loader of a folder that is not being built already."""
        visited: Loader | None = self
        root = real_path(self.context.tree, root)
        shown = self.context.display(root)
        if self.depth >= MOST_NESTED:
            raise KustomizationError(f"more than {MOST_NESTED} kustomizations are nested in each other")
        while visited is not None:
            visited_root = self.context.display(visited.root)
            if _is_below(visited_root, shown):
                raise KustomizationError(
                    f"cycle detected: candidate root '{shown}' contains visited root '{visited_root}'",
                    hint="a kustomization cannot have itself, or a folder that holds it, as a base",
                )
            visited = visited.referrer
        return Loader(self.context, root, self)

    def _remote(self, entry: str) -> Loader:
        """The folder of a base in another Git repository."""
        from render.tree.remote import parse_remote

        if entry.partition("?")[0].endswith((".yaml", ".yml", ".json")):
            raise _remote_file(entry)
        remote = parse_remote(entry)
        kind = self.context.tree.kind(remote.place)
        if kind is None and self.context.tree.kind(remote.mount) is None:
            raise KustomizationError(
                f"remote bases are not read here: {entry}", hint="keep a copy of the base in the repository"
            )
        if kind != "folder":
            raise KustomizationError(f"'{self.context.display(remote.place)}' is no folder of that repository")
        return self._unvisited(remote.place)

    def parse_settings(self, data: bytes, path: str) -> Any:
        """A configuration file: one document by the rules of kustomization.yaml, None if it is empty."""
        return yaml.parse_kustomization(data, path)


def _is_below(path: str, folder: str) -> bool:
    """Whether a displayed path is the folder or lies below it."""
    return path == folder or path.startswith(f"{folder.rstrip('/')}/")


def _remote_file(entry: str) -> KustomizationError:
    return KustomizationError(
        f"remote files are not supported: {entry}",
        hint="keep a copy of the file in the repository; bases may be Git URLs",
    )
