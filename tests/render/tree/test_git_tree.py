"""A commit read from the object database: links, submodules, broken objects."""

from __future__ import annotations

from pathlib import Path

import pygit2
import pytest

from render.errors import NotInTree, TreeError
from render.tree import GitTree
from render.tree.git import FOLDER, LINK, SUBMODULE

FILE = 0o100644
AUTHOR = pygit2.Signature("A", "a@example.com", 0, 0)


@pytest.fixture
def repository(tmp_path: Path) -> pygit2.Repository:
    return pygit2.init_repository(str(tmp_path / "repo.git"), bare=True)


def tree_of(repository: pygit2.Repository, entries: dict[str, tuple[int, object]]) -> pygit2.Oid:
    """Write a tree; values are (mode, bytes of a blob | entries of a folder | object id)."""
    builder = repository.TreeBuilder()
    for name, (mode, content) in entries.items():
        if isinstance(content, dict):
            object_id = tree_of(repository, content)
        elif isinstance(content, bytes):
            object_id = repository.create_blob(content)
        else:
            object_id = content
        builder.insert(name, object_id, mode)
    return builder.write()


def committed(repository: pygit2.Repository, entries: dict[str, tuple[int, object]]) -> GitTree:
    commit = repository.create_commit(None, AUTHOR, AUTHOR, "message", tree_of(repository, entries), [])
    return GitTree(repository, str(commit))


def with_link(repository: pygit2.Repository, target: bytes) -> GitTree:
    """A commit with folder/link, folder/file, file and real/deep/file."""
    folder = {"link": (LINK, target), "file": (FILE, b"folder's")}
    real = {"deep": (FOLDER, {"file": (FILE, b"deep")}), "up": (LINK, b"../file")}
    return committed(repository, {"folder": (FOLDER, folder), "file": (FILE, b"top"), "real": (FOLDER, real)})


@pytest.mark.parametrize(
    ("target", "path", "content"),
    [
        (b"file", "folder/link", b"folder's"),
        (b"../file", "folder/link", b"top"),
        (b"./../real//deep/", "folder/link/file", b"deep"),
        (b"../real/deep/../up", "folder/link", b"top"),
        (b"../real", "folder/link/up", b"top"),
        (b"..", "folder/link/folder/link/file", b"top"),
    ],
)
def test_links_inside_the_commit_are_followed(
    repository: pygit2.Repository, target: bytes, path: str, content: bytes
) -> None:
    tree = with_link(repository, target)
    assert (tree.kind(path), tree.read(path)) == ("file", content)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (b"../../outside", "leaves commit"),
        (b"/etc/passwd", "leads to /etc/passwd, which is outside of commit"),
        (b"nowhere", "leads to folder/nowhere, where nothing is"),
        (b"../real/none/x", "leads to real/none, where nothing is"),
        (b"link", "too many symbolic links"),
        (b"caf\xe9", "not UTF-8"),
    ],
)
def test_link_that_leads_nowhere_good_is_an_error(repository: pygit2.Repository, target: bytes, message: str) -> None:
    tree = with_link(repository, target)
    for ask in (tree.kind, tree.read, tree.identity):
        with pytest.raises(TreeError, match=message) as caught:
            ask("folder/link")
        assert not isinstance(caught.value, NotInTree)


def test_submodule_is_refused_by_name(repository: pygit2.Repository) -> None:
    tree = committed(repository, {"lib": (SUBMODULE, pygit2.Oid(hex="1" * 40)), "a": (FILE, b"")})
    assert tree.list("") == ["a", "lib"]
    for path in ("lib", "lib/file"):
        with pytest.raises(TreeError, match="lib is a Git submodule, which is not read"):
            tree.kind(path)


def test_executable_file_is_a_file(repository: pygit2.Repository) -> None:
    assert committed(repository, {"run": (0o100755, b"#!")}).read("run") == b"#!"


def test_identities_are_git_object_ids(repository: pygit2.Repository) -> None:
    top = tree_of(repository, {"folder": (FOLDER, {"file": (FILE, b"x")})})
    commit = repository.create_commit(None, AUTHOR, AUTHOR, "message", top, [])
    tree = GitTree(repository, str(commit))
    assert tree.identity("") == str(top)
    assert tree.identity("folder") == str(repository[top]["folder"].id)


def test_absent_commit_is_an_error(repository: pygit2.Repository) -> None:
    with pytest.raises(TreeError, match="there is no commit 1111"):
        GitTree(repository, "1" * 40)


def test_object_that_is_no_commit_is_an_error(repository: pygit2.Repository) -> None:
    with pytest.raises(TreeError, match="there is no commit"):
        GitTree(repository, str(repository.create_blob(b"x")))


def test_missing_object_is_an_error_and_not_an_absent_file(repository: pygit2.Repository) -> None:
    tree = committed(repository, {"a": (FILE, b"contents"), "folder": (FOLDER, {"b": (FILE, b"")})})
    for path in ("a", "folder"):
        object_id = tree.identity(path)
        (Path(repository.path) / "objects" / object_id[:2] / object_id[2:]).unlink()
    for ask in (lambda: tree.read("a"), lambda: tree.kind("folder/b"), lambda: tree.list("folder")):
        with pytest.raises(TreeError, match="cannot be read from the repository") as caught:
            ask()
        assert not isinstance(caught.value, NotInTree)


def test_giant_blob_is_refused_before_it_is_read(
    repository: pygit2.Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = committed(repository, {"small": (FILE, b"x" * 10), "giant": (FILE, b"x" * 11)})
    monkeypatch.setattr("render.tree.git.MOST_BYTES", 10)
    assert tree.read("small") == b"x" * 10
    with pytest.raises(TreeError, match="more than"):
        tree.read("giant")


def test_folders_without_end_count_as_having_links(repository: pygit2.Repository) -> None:
    entries: dict[str, tuple[int, object]] = {"file": (FILE, b"x")}
    for _ in range(2000):
        entries = {"d": (FOLDER, tree_of(repository, entries))}
    tree = committed(repository, entries)
    assert tree.sealed("d") is None
    assert tree.sealed("/".join("d" * 1950)) is not None
