"""Runs the program `helm` for a build that may: the one place that starts a program which the user's files feed.

The chart is written to a folder of its own, so that it can come from a commit as well as from a disk; Helm gets folders
of its own for settings and plugins too. Pulled charts are kept by repository, name and version.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from reconciler.errors import SiteshiftError

TIMEOUT = 120.0
"""Seconds for one run of helm; a registry that does not answer must not hold a build for ever."""


_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
ENVIRONMENT = (
    *("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    *_PROXIES,
    *map(str.lower, _PROXIES),
)
"""What Helm gets of our environment: no tokens, no kubeconfig, no flags."""


class HelmError(SiteshiftError):
    """Helm is not there, or failed."""


class HelmProgram:
    """A `Helm` for builds. `command` is the program, `kept` the folder for pulled charts; `defaults` are flags of `helm
    template` with their values, for charts that do not have that flag."""

    def __init__(self, command: str, kept: Path, defaults: Mapping[str, Sequence[str]] | None = None) -> None:
        self._command = command
        self._kept = kept
        self._defaults = dict(defaults or {})

    def pull(self, repository: str, name: str, version: str, *, devel: bool) -> dict[str, bytes]:
        """The files of a chart in a repository."""
        from urllib.parse import quote

        if not repository:
            raise HelmError(f"chart {name} has no repository to be pulled from")
        place = self._kept / quote(repository, safe="") / quote(f"{name}@{version}", safe="")
        if version and (place / name).is_dir():
            return _files(place / name)
        self._kept.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._kept) as scratch:
            source = (
                [f"{repository.rstrip('/')}/{name}"]
                if repository.startswith("oci://")
                else ["--repo", repository, name]
            )
            options = [*(["--version", version] if version else []), *(["--devel"] if devel else [])]
            self._run(["pull", "--untar", "--untardir", scratch, *source, *options])
            files = _files(Path(scratch) / name)
            if version:
                place.mkdir(parents=True, exist_ok=True)
                if not (place / name).exists():
                    shutil.move(Path(scratch) / name, place / name)
        return files

    def template(
        self, name: str, files: dict[str, bytes], values: tuple[bytes, ...], arguments: tuple[str, ...]
    ) -> bytes:
        """What `helm template` prints for a chart."""
        with tempfile.TemporaryDirectory() as scratch:
            chart = Path(scratch) / "chart" / name
            for path, data in files.items():
                (chart / path).parent.mkdir(parents=True, exist_ok=True)
                (chart / path).write_bytes(data)
            options = [
                word
                for flag, given in self._defaults.items()
                if flag not in arguments
                for value in given
                for word in (flag, value)
            ]
            for number, text in enumerate(values):
                file = Path(scratch) / f"values-{number}.yaml"
                file.write_bytes(text)
                options += ["-f", str(file)]
            first = arguments[:1] if not arguments[0].startswith("-") else ()
            return self._run(["template", *first, str(chart), *arguments[len(first) :], *options])

    def _run(self, words: Sequence[str]) -> bytes:
        with tempfile.TemporaryDirectory() as home:
            own = {f"HELM_{kind}_HOME": os.path.join(home, kind.lower()) for kind in ("CONFIG", "CACHE", "DATA")}
            own |= {"HOME": home}
            try:
                done = subprocess.run(
                    [self._command, *words],
                    env={name: os.environ[name] for name in ENVIRONMENT if name in os.environ} | own,
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    timeout=TIMEOUT,
                    check=False,
                )
            except (FileNotFoundError, PermissionError):
                raise HelmError(
                    f"there is no program {self._command}: charts need Helm 3\n  hint: --helm-command says where it is"
                ) from None
            except subprocess.TimeoutExpired:
                raise HelmError(f"{self._command} {words[0]} gave no answer in {TIMEOUT:g} seconds") from None
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip() or f"it ended with code {done.returncode}"
            raise HelmError(f"{self._command} {words[0]} failed: {said}")
        return done.stdout


def _files(folder: Path) -> dict[str, bytes]:
    if not folder.is_dir():
        raise HelmError(f"helm pull brought no folder {folder.name}")
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }
