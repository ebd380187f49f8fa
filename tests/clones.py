"""A clone with a fleet in it, as the tests of the command line have one; its fixture is in `cli/conftest.py`."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(slots=True)
class Clone:
    """A person's clone and the bare repository that it pushes to."""

    folder: Path
    bare: Path

    def git(self, *words: str, folder: Path | None = None) -> str:
        done = subprocess.run(["git", *words], cwd=folder or self.folder, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def read(self, path: str) -> str:
        return (self.folder / path).read_bytes().decode()

    @property
    def pushed(self) -> str:
        return self.git("rev-parse", "main", folder=self.bare)

    @property
    def head(self) -> str:
        return self.git("rev-parse", "HEAD")
