"""Files that a command writes: all of them, or none. A full disk leaves what was there, and nothing half made."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


def write_file(path: str, data: bytes) -> None:
    """Replace a file by one with this content; what is no file, such as /dev/stdout, is written to as it is."""
    target = os.path.realpath(path)
    if os.path.abspath(path).startswith("/dev/") or (os.path.exists(target) and not os.path.isfile(target)):
        with open(path, "wb") as file:
            file.write(data)
        return
    write_files(os.path.dirname(target), {os.path.basename(target): data})


def write_files(folder: str, files: Mapping[str, bytes]) -> None:
    """Replace these files of a folder; if one cannot be written, none is."""
    made: list[tuple[str, str]] = []
    try:
        for name, data in files.items():
            handle, beside = tempfile.mkstemp(prefix=f".{name[:100]}.", dir=folder or ".")
            target = os.path.join(folder, name)
            made.append((beside, target))
            with open(handle, "wb") as file:
                file.write(data)
            os.chmod(beside, _mode(target))
        for beside, target in made:
            os.replace(beside, target)
    finally:
        for beside, _ in made:
            if os.path.lexists(beside):
                os.unlink(beside)


def _mode(target: str) -> int:
    """The permissions of a file that is replaced, or those of a new one."""
    try:
        return os.stat(target).st_mode & 0o777
    except OSError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A folder to fill, which takes its place when all is written; `path` must not exist yet, or be empty."""
    path = path.absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=".siteshift-", dir=path.parent))
    try:
        yield made
        made.chmod(0o755)
        made.rename(path)
    finally:
        shutil.rmtree(made, ignore_errors=True)
