"""MkDocs hook: pages may link to files of the repository outside docs/. They are copied into the site.

A link to a file that is not there stays as it is, and MkDocs fails at it (`strict` in mkdocs.yml).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
LINK = re.compile(r"\]\(\.\./([^)#\s]+)(#[^)\s]*)?\)")
PLACE = "repository"


def on_files(files: Files, config: Any) -> Files:
    """Add every file outside docs/ that some page links to, as text."""
    linked: set[str] = set()
    for page in files.documentation_pages():
        linked |= {found.group(1) for found in LINK.finditer(Path(str(page.abs_src_path)).read_text())}
    for path in sorted(linked):
        if (ROOT / path).is_file():
            files.append(File.generated(config, _target(path), content=(ROOT / path).read_bytes()))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Let the links lead to the copies."""

    def moved(found: re.Match[str]) -> str:
        path = found.group(1)
        return f"]({_target(path)})" if (ROOT / path).is_file() else found.group()

    return LINK.sub(moved, markdown)


def _target(path: str) -> str:
    """A Markdown file would become a page: it is shown as text."""
    return f"{PLACE}/{path}.txt" if path.endswith(".md") else f"{PLACE}/{path}"
