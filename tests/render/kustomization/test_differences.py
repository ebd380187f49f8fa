"""The table of deliberate differences from Kustomize, `docs/differences.md`: each entry has an input that shows it.

A file under `differences/` holds what differs, the reason (one of four words) and why, the files of a build, what comes
of it here, and what Kustomize 5.8.1 does, which the testbed asks again. `not run` stands where it would take the
machine with it or differ from run to run.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from render import yaml
from render.errors import SiteshiftError
from render.kustomization import build
from render.tree import MemoryTree

REPOSITORY = Path(__file__).parents[3]
ENTRIES = sorted((Path(__file__).parent / "differences").glob("*.txt"))
HEAD = re.compile(r"# (.+)\n# (panics|corrupts|varies|unsafe): (.+)\n-- ")
SECTION = re.compile(r"^-- (.+) --\n", re.MULTILINE)
ROW = re.compile(r"^\| \[(\w+)\]\((\S+)\) \| (.+) \| (\w+): (.+) \|$", re.MULTILINE)


class Entry(NamedTuple):
    what: str
    reason: str
    why: str
    files: dict[str, str]
    ours: str | None
    error: str
    kustomize: tuple[str, str]


def read_entry(path: Path) -> Entry:
    text = path.read_bytes().decode()
    head = HEAD.match(text)
    assert head is not None, "an entry begins with what differs and why"
    parts = SECTION.split(text)[1:]
    sections = dict(zip(parts[::2], parts[1::2], strict=True))
    ours, error = sections.pop("ours", None), sections.pop("error", "").strip()
    kustomize = next(name for name in sections if name.startswith("kustomize"))
    return Entry(head[1], head[2], head[3], sections, ours, error, (kustomize, sections.pop(kustomize)))


def entry_id(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize("path", ENTRIES, ids=entry_id)
def test_what_comes_out_is_what_the_entry_says(path: Path) -> None:
    entry = read_entry(path)
    tree = MemoryTree(entry.files, "")
    if entry.ours is None:
        with pytest.raises(SiteshiftError) as caught:
            build(tree, "")
        assert str(caught.value).splitlines()[0] == entry.error
    else:
        assert yaml.dump(resource.manifest for resource in build(tree, "")) == entry.ours


@pytest.mark.testbed
@pytest.mark.parametrize("path", ENTRIES, ids=entry_id)
def test_kustomize_does_what_the_entry_says(path: Path, tmp_path: Path, kustomize_binary: Path) -> None:
    entry = read_entry(path)
    said, output = entry.kustomize
    if said == "kustomize not run":
        return
    for name, text in entry.files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(text.encode())
    done = subprocess.run([kustomize_binary, "build", tmp_path], capture_output=True, check=False)
    if said == "kustomize panics":
        assert done.returncode == 2
        assert b"goroutine" in done.stderr
    else:
        assert done.stdout.decode() == output
        assert output != entry.ours


def test_the_page_is_the_table() -> None:
    rows = {row[1]: row.groups()[1:] for row in ROW.finditer((REPOSITORY / "docs" / "differences.md").read_text())}
    entries = {path.stem: (path, read_entry(path)) for path in ENTRIES}
    assert rows.keys() == entries.keys()
    for name, (path, entry) in entries.items():
        link, what, reason, why = rows[name]
        assert (REPOSITORY / "docs" / link).resolve() == path
        assert (what[0].lower() + what[1:], reason, why) == (
            entry.what[0].lower() + entry.what[1:],
            entry.reason,
            entry.why,
        )
