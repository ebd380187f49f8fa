"""The builds under `tests/render/kustomization/cases`, for whoever wants to do something to many different builds."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

CASES = sorted((Path(__file__).parent / "render" / "kustomization" / "cases").glob("*.txt"))
SECTION = re.compile(r"^-- (.+) --\n", re.MULTILINE)


class Case(NamedTuple):
    files: dict[str, str]
    target: str
    expected: str | None
    error: str


def read_case(path: Path) -> Case:
    """A case holds the files of a build, and what must come out: the printed objects, or the error's first line."""
    parts = SECTION.split(path.read_text(encoding="utf-8"))[1:]
    sections = dict(zip(parts[::2], parts[1::2], strict=True))
    target = sections.pop("target", "").strip()
    expected, error = sections.pop("expected", None), sections.pop("error", "")
    return Case(sections, target, expected, error)


BUILDS = [path for path in CASES if "\n-- expected --\n" in path.read_text(encoding="utf-8")]
"""Those that come out well."""


def write_files(files: dict[str, str], folder: Path) -> None:
    """Files by their paths below a folder."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text.encode("utf-8", "surrogateescape"))
