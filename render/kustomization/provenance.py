"""Where objects come from, as `buildMetadata` asks for it (K39): text of annotations."""

from __future__ import annotations

from typing import Any, NamedTuple

from render.kustomization.values import go_json
from render.yaml.styles import inline

ORIGIN = "config.kubernetes.io/origin"
TRANSFORMATIONS = "alpha.config.kubernetes.io/transformations"


class Note(NamedTuple):
    """One origin or transformation. Paths are relative to the folder that is built."""

    path: str = ""
    configured_in: str = ""
    configured_by: tuple[tuple[str, str], ...] = ()
    repo: str = ""
    ref: str = ""

    def lines(self) -> list[str]:
        """The note as YAML."""
        texts = (("path", self.path), ("repo", self.repo), ("ref", self.ref), ("configuredIn", self.configured_in))
        lines = [f"{name}: {_shown(text)}" for name, text in texts if text]
        if self.configured_by:
            lines.append("configuredBy:")
            lines += [f"  {name}: {_shown(value)}" for name, value in self.configured_by if value]
        return lines

    def text(self) -> str:
        """The annotation of an origin."""
        return "".join(f"{line}\n" for line in self.lines()) or "{}\n"


def _shown(text: str) -> str:
    """A text as YAML writes it on one line."""
    return inline(text) or go_json(text)


def transformations_text(notes: list[Note]) -> str:
    """The annotation of a list of transformations."""
    lines = []
    for note in notes:
        first, *others = note.lines()
        lines += [f"- {first}", *(f"  {line}" for line in others)]
    return "".join(f"{line}\n" for line in lines) or "[]\n"


class Provenance:
    """How notes are written in one layer."""

    def __init__(self, path: str = "", repo: str = "", ref: str = "") -> None:
        self.path = path
        self.repo = repo
        self.ref = ref

    def below(self, entry: str) -> Provenance:
        """The same for a base or component; one in another repository is told by its path there."""
        from render.tree.remote import is_remote, parse_remote

        if is_remote(entry):
            remote = parse_remote(entry)
            return Provenance(remote.path, remote.url, remote.ref)
        return Provenance(self._joined(entry), self.repo, self.ref)

    def of_file(self, entry: str) -> Note:
        """The origin of what a file holds."""
        return Note(path=self._joined(entry), repo=self.repo, ref=self.ref)

    def of_builtin(self, kustomization: str, kind: str) -> Note:
        """What a field of the kustomization did."""
        name = kustomization.rpartition("/")[2]
        by = (("apiVersion", "builtin"), ("kind", kind))
        return Note(configured_in=self._joined(name), configured_by=by, repo=self.repo, ref=self.ref)

    def of_plugin(self, origin: Note, manifest: dict[str, Any]) -> Note:
        """What a plugin's configuration did."""
        metadata = manifest.get("metadata") or {}
        by = (
            ("apiVersion", str(manifest.get("apiVersion", ""))),
            ("kind", str(manifest.get("kind", ""))),
            ("name", str(metadata.get("name", ""))),
            ("namespace", str(metadata.get("namespace", ""))),
        )
        return Note(configured_in=origin.path, configured_by=by, repo=origin.repo, ref=origin.ref)

    def _joined(self, entry: str) -> str:
        parts: list[str] = []
        for part in f"{self.path}/{entry}".split("/"):
            if part == ".." and parts and parts[-1] != "..":
                parts.pop()
            elif part not in ("", "."):
                parts.append(part)
        return "/".join(parts)
