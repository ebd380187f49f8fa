"""A folder to build, a cache beside it, and the count of builds that were really done."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.cli.main import main

MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n"


class Bench:
    """A folder to build, a cache, and how often a build was really done."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = root / "app"
        self.cache = root / "cache"
        self.builds = 0
        self._capsys = capsys
        self.write("kustomization.yaml", "resources: [a.yaml]\nnamePrefix: x-\n")
        self.write("a.yaml", MAP.format(name="one"))

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def build(self, *options: str) -> str:
        """What is printed: output, or the error."""
        main(["build", str(self.folder), *options])
        out, err = self._capsys.readouterr()
        return out + err

    def entries(self) -> list[Path]:
        return sorted((self.cache / "siteshift" / "builds").iterdir())
