"""Git's own folder is no part of a tree: what lies in it may hold a token."""

from __future__ import annotations

from pathlib import Path

import pytest

from render.errors import InputError, NotInTree
from render.kustomization import Options, build
from render.tree import FolderTree


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text("url = https://bot:token@git.example.com/fleet\n")
    (tmp_path / "link").symlink_to(".git/config")
    (tmp_path / "folder").symlink_to(".git")
    return tmp_path


PATHS = [".git/config", ".GIT/config", "x/../.git/config", "link", "folder/config"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("outside", [False, True])
def test_no_path_leads_into_it(clone: Path, path: str, outside: bool) -> None:
    tree = FolderTree(clone, outside=outside)
    assert tree.kind(path) is None
    with pytest.raises(NotInTree):
        tree.read(path)


def test_it_is_not_listed(clone: Path) -> None:
    assert FolderTree(clone).list("") == ["folder", "link"]


@pytest.mark.parametrize("path", [".git/config", "link"])
def test_no_generator_reads_it(clone: Path, path: str) -> None:
    (clone / "kustomization.yaml").write_text(f"configMapGenerator: [{{name: c, files: [a={path}]}}]\n")
    with pytest.raises(InputError):
        build(FolderTree(clone), "", Options())
