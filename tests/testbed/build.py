"""Builds the real programs that the tests run on, once, into a cache outside the tree.

Stands alone (standard library only), so that `make testbed` needs nothing but Go and Python. The cache is keyed by
everything that decides what is built: the module files beside this one and the table of programs. A program appears
in the cache whole or not at all, so an interrupted build is simply gone on with.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MODULES = Path(__file__).resolve().parent / "go"

KUBERNETES = "1.34.4"

_KUBERNETES_VERSION = {
    "gitVersion": f"v{KUBERNETES}",
    "gitMajor": KUBERNETES.split(".")[0],
    "gitMinor": KUBERNETES.split(".")[1],
    "gitCommit": "0" * 40,
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
}
"""Without these the servers call themselves by a version that no client can parse."""

_KUBERNETES_FLAGS = tuple(
    f"-X k8s.io/component-base/version.{name}={value}" for name, value in _KUBERNETES_VERSION.items()
)


@dataclass(frozen=True, slots=True)
class Program:
    """One binary: the module folder that pins it, its main package, and its linker flags."""

    name: str
    module: str
    package: str
    flags: tuple[str, ...] = ()


PROGRAMS = (
    Program("kustomize", "kustomize", "sigs.k8s.io/kustomize/kustomize/v5"),
    Program("etcd", "kubernetes", "go.etcd.io/etcd/server/v3"),
    Program("kube-apiserver", "kubernetes", "k8s.io/kubernetes/cmd/kube-apiserver", _KUBERNETES_FLAGS),
    Program("kubectl", "kubernetes", "k8s.io/kubernetes/cmd/kubectl", _KUBERNETES_FLAGS),
    Program(
        "kube-controller-manager", "kubernetes", "k8s.io/kubernetes/cmd/kube-controller-manager", _KUBERNETES_FLAGS
    ),
    Program("kube-scheduler", "kubernetes", "k8s.io/kubernetes/cmd/kube-scheduler", _KUBERNETES_FLAGS),
    Program("kwok", "kwok", "sigs.k8s.io/kwok/cmd/kwok"),
)
"""In the order in which they are built: what most tests wait for comes first."""


def key() -> str:
    """The hash of what decides what is built."""
    digest = hashlib.sha256(repr(PROGRAMS).encode())
    for path in sorted(MODULES.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(MODULES).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def home() -> Path:
    """Where all builds are kept."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "siteshift" / "testbed"


def binaries() -> Path:
    """The folder of the programs: `KUBEBUILDER_ASSETS` where that is set, else this checkout's place in the cache."""
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    return Path(assets) if assets else home() / key() / "bin"


def missing() -> list[str]:
    """Names of the programs that are not there."""
    folder = binaries()
    return [program.name for program in PROGRAMS if not os.access(folder / program.name, os.X_OK)]


def build(names: Sequence[str] = ()) -> None:
    """Build what is missing, of all programs or of those named. Raises CalledProcessError where the compiler fails."""
    folder = home() / key() / "bin"
    folder.mkdir(parents=True, exist_ok=True)
    with _only_one(folder.parent / "lock"):
        _point_current_at(folder)
        for program in PROGRAMS:
            if (names and program.name not in names) or os.access(folder / program.name, os.X_OK):
                continue
            _build_one(program, folder)


def _build_one(program: Program, folder: Path) -> None:
    print(f"testbed: building {program.name} ...", file=sys.stderr, flush=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        output = Path(scratch) / program.name
        subprocess.run(
            [
                *_nice(),
                *("go", "build", "-mod=readonly", "-trimpath", "-buildvcs=false"),
                *("-ldflags", " ".join(("-s -w", *program.flags))),
                *("-o", str(output), program.package),
            ],
            cwd=MODULES / program.module,
            env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"},
            check=True,
        )
        output.rename(folder / program.name)
    print(f"testbed: {program.name} built in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)


def _nice() -> list[str]:
    """Building takes minutes of all cores; whoever works beside it goes first."""
    return ["nice", "-n", "10"] if shutil.which("nice") else []


def _point_current_at(folder: Path) -> None:
    """A name for people: `current` beside the builds."""
    scratch = home() / f".current.{os.getpid()}"
    scratch.symlink_to(folder)
    scratch.replace(home() / "current")


@contextmanager
def _only_one(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main(arguments: Sequence[str] | None = None) -> int:
    """Build, or say what is missing."""
    parser = argparse.ArgumentParser(description="Build the real programs that the tests run on.")
    parser.add_argument("--check", action="store_true", help="build nothing; exit 1 if a program is missing")
    parser.add_argument("programs", nargs="*", metavar="PROGRAM", help="build only these")
    options = parser.parse_args(arguments)
    unknown = set(options.programs).difference(program.name for program in PROGRAMS)
    if unknown:
        parser.error(f"no such program: {', '.join(sorted(unknown))}")
    if options.check:
        absent = missing()
        print(f"testbed: {binaries()}: " + (f"missing {', '.join(absent)}" if absent else "complete"))
        return 1 if absent else 0
    if os.environ.get("KUBEBUILDER_ASSETS"):
        print(f"testbed: taken from KUBEBUILDER_ASSETS, {binaries()}; nothing is built")
        return main(["--check"])
    if not shutil.which("go"):
        print(
            "testbed: error: there is no Go compiler on this machine\n  hint: install Go 1.24 or newer", file=sys.stderr
        )
        return 1
    try:
        build(options.programs)
    except subprocess.CalledProcessError as error:
        print(f"testbed: error: {' '.join(error.cmd)} failed with exit code {error.returncode}", file=sys.stderr)
        return 1
    print(f"testbed: {binaries()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
