"""A folder on disk whose files are odd, giant, or become something else between two looks: one clear error each."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from render.errors import NotInTree, TreeError
from render.tree import FolderTree
from render.tree.noted import NotedFolderTree, noted_again
from render.tree.seam import MOST_BYTES

Change = Callable[[Path], None]

FAILURES = [errno.EACCES, errno.EIO, errno.ELOOP, errno.ENAMETOOLONG, errno.ESTALE, errno.ENXIO]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "root").mkdir()
    path = tmp_path / "root" / "file"
    path.write_text("text")
    return path


def _gone(path: Path) -> None:
    path.unlink()


def _a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _a_socket(path: Path) -> None:
    path.unlink()
    here = Path.cwd()
    os.chdir(path.parent)  # a socket's name has to be short
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    finally:
        os.chdir(here)


def _a_link_out(path: Path) -> None:
    (path.parents[1] / "secret").write_text("secret")
    path.unlink()
    path.symlink_to("../secret")


def _giant(path: Path) -> None:
    os.truncate(path, 1 << 40)


OTHER_THINGS: dict[Change, str] = {
    _a_folder: "this is a folder, not a file|Is a directory",
    _a_pipe: "neither a file nor a folder",
    _a_socket: "neither a file nor a folder|No such device or address",
    _a_link_out: "outside of|Too many levels of symbolic links",
    _giant: f"more than {MOST_BYTES >> 20} MiB",
}


def name(change: Change) -> str:
    return change.__name__.strip("_")


@pytest.mark.parametrize("change", OTHER_THINGS, ids=name)
@pytest.mark.parametrize("moment", ["before-the-look", "between-look-and-read"])
def test_what_is_no_file_of_this_folder_is_never_read(
    file: Path, monkeypatch: pytest.MonkeyPatch, change: Change, moment: str
) -> None:
    tree = FolderTree(file.parent)
    if moment == "before-the-look":
        change(file)
    else:
        really_open = os.open

        def open_later(path: str, *how: int) -> int:
            monkeypatch.setattr(os, "open", really_open)
            change(file)
            return really_open(path, *how)

        monkeypatch.setattr(os, "open", open_later)
    with pytest.raises(TreeError, match=OTHER_THINGS[change]) as caught:
        tree.read("file")
    assert not isinstance(caught.value, NotInTree)


def test_a_file_that_vanishes_between_look_and_read_is_an_error_and_not_an_absent_file(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really_open = os.open
    monkeypatch.setattr(os, "open", lambda path, *how: (_gone(file), really_open(path, *how))[1])
    with pytest.raises(TreeError, match="file: error: cannot be read: No such file") as caught:
        FolderTree(file.parent).read("file")
    assert not isinstance(caught.value, NotInTree)


def _append(path: Path) -> None:
    with path.open("a") as out:
        out.write("more")


def _cut(path: Path) -> None:
    os.truncate(path, 1)


def _rewrite(path: Path) -> None:
    path.write_text("else")
    os.utime(path, ns=(1, 1))


@pytest.mark.parametrize("change", [_append, _cut, _rewrite], ids=name)
def test_a_file_that_is_written_while_it_is_read_is_an_error(
    file: Path, monkeypatch: pytest.MonkeyPatch, change: Change
) -> None:
    really_read = os.read

    def read_and_change(number: int, size: int) -> bytes:
        monkeypatch.setattr(os, "read", really_read)
        data = really_read(number, 2)
        change(file)
        return data + really_read(number, size)

    monkeypatch.setattr(os, "read", read_and_change)
    with pytest.raises(TreeError, match="the file was written while it was being read"):
        FolderTree(file.parent).read("file")
    FolderTree(file.parent).read("file")


def test_a_file_that_never_ends_is_an_error(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part = b"x" * (1 << 20)
    monkeypatch.setattr(os, "read", lambda *_: part)
    with pytest.raises(TreeError, match=f"more than {MOST_BYTES >> 20} MiB"):
        FolderTree(file.parent).read("file")


@pytest.mark.parametrize("number", FAILURES)
@pytest.mark.parametrize("call", ["open", "read", "fstat", "lstat", "listdir"])
def test_no_failure_of_the_system_is_an_answer(
    file: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    tree = NotedFolderTree(file.parent)
    with monkeypatch.context() as patched:
        patched.setattr(os, call, fail)
        with pytest.raises(TreeError, match="cannot be read: ") as caught:
            tree.list("") if call == "listdir" else tree.read("file")
    assert not isinstance(caught.value, NotInTree)
    assert not tree.complete


Look = Callable[[NotedFolderTree], object]


def _kind(tree: NotedFolderTree) -> object:
    return tree.kind("file")


def _read(tree: NotedFolderTree) -> object:
    return tree.read("file")


def _list(tree: NotedFolderTree) -> object:
    return tree.list("")


def _same_text(path: Path) -> None:
    times = path.stat()
    path.write_text("else")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def _link_beside(path: Path) -> None:
    path.rename(path.parent / "other")
    path.symlink_to("other")


@pytest.mark.parametrize(
    ("first", "change", "second"),
    [
        (_kind, _gone, _kind),
        (_kind, _link_beside, _kind),
        (_kind, _link_beside, _read),
        (_read, _gone, _kind),
        (_read, _same_text, _read),
        (_read, _a_folder, _kind),
        (_list, _gone, _list),
    ],
    ids=lambda one: name(one),
)
def test_two_different_answers_to_one_question_are_not_kept(
    file: Path, first: Look, change: Change, second: Look
) -> None:
    tree = NotedFolderTree(file.parent)
    first(tree)
    assert tree.complete
    change(file)
    second(tree)
    assert not tree.complete


@pytest.mark.parametrize("look", [_kind, _read, _list], ids=name)
@pytest.mark.parametrize("change", [_gone, _a_folder, _a_pipe, _same_text, _link_beside, _giant], ids=name)
def test_notes_stand_only_while_the_answers_do(file: Path, look: Look, change: Change) -> None:
    tree = NotedFolderTree(file.parent)
    answer = look(tree)
    notes = list(tree.notes())
    assert noted_again(notes, file.parent)
    change(file)
    try:
        still = look(NotedFolderTree(file.parent)) == answer
    except TreeError:
        still = False
    if change is _link_beside:  # where it leads is part of the answer
        still = False
    assert noted_again(notes, file.parent) is still
