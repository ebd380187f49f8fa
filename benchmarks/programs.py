"""The two programs side by side: ours with an empty cache, a filled one or none, and the real kustomize."""

from __future__ import annotations

import compileall
import os
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.measuring import Measure, run

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("render", "reconciler", "schemas")


def siteshift() -> str:
    """The installed command. Raises `FileNotFoundError` if there is none."""
    return _found("siteshift", Path(sys.executable).parent, hint="run `make install`")


def kustomize() -> str:
    """The real one: beside KUBEBUILDER_ASSETS, in the testbed's cache or on the path. Raises `FileNotFoundError`."""
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "siteshift/testbed/current"
    default = Path.home() / ".cache/siteshift/testbed/current"
    return _found("kustomize", *([Path(assets)] if assets else []), cache, default, hint="run `make testbed`")


def _found(name: str, *places: Path, hint: str) -> str:
    found = shutil.which(name, path=os.pathsep.join(map(str, places))) or shutil.which(name)
    if found is None:
        raise FileNotFoundError(f"there is no {name}: {hint}")
    return found


class Bench:
    """A scratch folder and the programs to measure in it."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        self._ours, self._theirs = siteshift(), kustomize()
        for package in PACKAGES:  # as `make install` leaves them, whatever was changed since
            compileall.compile_dir(ROOT / package, quiet=1)

    def cold(self, folder: Path) -> Measure:
        """Ours in a new process with an empty cache, which it fills."""
        with tempfile.TemporaryDirectory(dir=self.scratch, prefix="cache-") as cache:
            return self.ours(folder, Path(cache))

    def ours(self, folder: Path, cache: Path, output: Path | None = None) -> Measure:
        """Ours in a new process with this cache."""
        return run([self._ours, "build", str(folder)], environment={"XDG_CACHE_HOME": str(cache)}, output=output)

    def theirs(self, folder: Path, output: Path | None = None) -> Measure:
        """Kustomize in a new process. It warns of old fields, which is no news here."""
        return run([self._theirs, "build", str(folder)], output=output, quiet=True)

    def refuse_difference(self, folder: Path) -> None:
        """Raise `AssertionError` unless both print the same: who is faster at something else has won nothing."""
        ours, theirs = self.scratch / "ours.yaml", self.scratch / "theirs.yaml"
        self.ours(folder, self.scratch / "cache-of-comparison", ours)
        self.theirs(folder, theirs)
        if ours.read_bytes() != theirs.read_bytes():
            raise AssertionError(f"{folder}: ours and kustomize differ")
