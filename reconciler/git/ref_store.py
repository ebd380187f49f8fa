"""One ref of one site in a bare repository of its own: what a stranger pushed there can spoil nothing else.

Runs in the worker. Sizes are read from headers before any object is unfolded.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pygit2
from pygit2.enums import FileMode, ObjectType

from reconciler.errors import PushRefused, SourceError
from reconciler.git import limits
from reconciler.git.compaction import compact, is_due
from reconciler.git.exchange import Exchange, MovedError

VALUE = "refs/value"
"""Where the ref's last fetched or pushed value stands."""

OUTGOING = "refs/outgoing"
"""Where a commit stands while it is pushed."""

LISTINGS = 4
"""How often the ref may be replaced between listing and fetch before that is an error."""

Files = dict[str, bytes]


class RefStore:
    """The repository of one ref in a folder, made where it is missing, made anew where it cannot be opened."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._repository = self._open()

    def bring(self, exchange: Exchange, ref: str, value: str) -> tuple[str, Files]:
        """Fetch the ref, whose listed value is `value`, unless that is here. Returns its value, which may be a newer
        one, and its files. Raises `SourceError` for what cannot be fetched or keeps to no limit."""
        if value not in self._repository:
            self._fetch(exchange, ref, value)
            value = str(self._repository.references[VALUE].target)
        files = self._files(self._commit(value))
        self._repository.references.create(VALUE, value, force=True)
        self._keep_small()
        return value, files

    def descends(self, old: str, new: str) -> bool:
        """Whether the commit `new` has `old` behind it; False where either is not here."""
        current = new
        for _ in range(limits.HISTORY):
            if current == old:
                return True
            if current not in self._repository:
                return False
            parents = self._commit(current).parent_ids
            if not parents:
                return False
            current = str(parents[0])
        raise SourceError(f"more than {limits.HISTORY} commits")

    def push(
        self, exchange: Exchange, ref: str, expected: str | None, files: Mapping[str, bytes], message: str, how: str
    ) -> tuple[str, Files]:
        """Push a commit with these files: `append` them to those of `expected`, or `replace` the commit; where the
        server does not let a ref be replaced, with these files alone behind `expected`. Returns it and its files."""
        replaces = how == "replace"
        before = {} if expected is None or replaces else self._files(self._commit(expected))
        parents = [] if expected is None or replaces else [expected]
        whole = {**before, **files}
        commit = self._write(whole, parents, message)
        try:
            self.push_commit(exchange, ref, expected, commit)
            return commit, whole
        except MovedError:
            raise
        except PushRefused:
            if not replaces or expected is None or expected not in self._repository:
                raise
        commit = self._write(whole, [expected], message)
        self.push_commit(exchange, ref, expected, commit)
        return commit, whole

    def push_commit(self, exchange: Exchange, ref: str, expected: str | None, commit: str) -> None:
        """Give the server's ref a commit that is here, in place of `expected`."""
        self._commit(commit)
        self._repository.references.create(OUTGOING, commit, force=True)
        exchange.push(self._repository, OUTGOING, ref, expected)
        self._repository.references.create(VALUE, commit, force=True)
        self._keep_small()

    def _fetch(self, exchange: Exchange, ref: str, value: str) -> None:
        for _ in range(LISTINGS):
            try:
                exchange.fetch(self._repository, [f"+{ref}:{VALUE}"], limits.SITE_REF)
                break
            except SourceError:
                # A server gives out nothing that was replaced since it listed it.
                before, value = value, exchange.list(self._repository).get(ref, "")
                if value == before:
                    raise
        else:
            raise SourceError(f"{ref} is replaced faster than it can be fetched")
        if VALUE not in self._repository.references:
            raise SourceError(f"{ref} is not there any more")
        stored = sum(path.stat().st_size for path in (self._folder / "objects").rglob("*") if path.is_file())
        if stored > limits.STORED_BYTES:
            raise SourceError(f"its history takes {stored} bytes, expected {limits.STORED_BYTES} at most")

    def _commit(self, value: str) -> pygit2.Commit:
        self._measure(value, ObjectType.COMMIT, "commit", limits.COMMIT_BYTES)
        found = self._repository[value]
        assert isinstance(found, pygit2.Commit)
        if len(found.parent_ids) > limits.PARENTS:
            raise SourceError(f"commit {value[:7]} has {len(found.parent_ids)} parents, expected {limits.PARENTS}")
        return found

    def _files(self, commit: pygit2.Commit) -> Files:
        """The files at the top of a commit; folders are passed over."""
        tree_id = str(commit.tree_id)
        self._measure(tree_id, ObjectType.TREE, "the file list", limits.TREE_BYTES)
        tree = self._repository[tree_id]
        assert isinstance(tree, pygit2.Tree)
        if len(tree) > limits.FILES:
            raise SourceError(f"{len(tree)} files, expected {limits.FILES} at most")
        found, total = Files(), 0
        for entry in tree:
            if entry.type != ObjectType.BLOB or entry.name is None:
                continue
            total += self._measure(str(entry.id), ObjectType.BLOB, "a file", limits.FILE_BYTES)
            if total > limits.ALL_FILES_BYTES:
                raise SourceError(f"its files have more than {limits.ALL_FILES_BYTES} bytes")
            found[entry.name] = self._repository[entry.id].read_raw()
        return found

    def _measure(self, value: str, kind: ObjectType, what: str, limit: int) -> int:
        """The size of an object. Raises `SourceError` for one that is missing, of another type or too large."""
        try:
            found, size = self._repository.odb.read_header(value)
        except (KeyError, ValueError, pygit2.GitError) as error:
            raise SourceError(f"{what} {value[:7]} cannot be read: {error}") from None
        if found != kind:
            raise SourceError(f"{value[:7]} is a {ObjectType(found).name.lower()}, expected a {kind.name.lower()}")
        if size > limit:
            raise SourceError(f"{what} {value[:7]} has {size} bytes, expected {limit} at most")
        return int(size)

    def _write(self, files: Mapping[str, bytes], parents: list[str], message: str) -> str:
        builder = self._repository.TreeBuilder()
        for name, content in files.items():
            builder.insert(name, self._repository.create_blob(content), FileMode.BLOB)
        author = pygit2.Signature("siteshift", "siteshift@localhost")
        return str(self._repository.create_commit(None, author, author, message, builder.write(), parents))

    def _keep_small(self) -> None:
        if is_due(self._folder):
            compact(self._folder)
            self._repository = pygit2.Repository(str(self._folder))

    def _open(self) -> pygit2.Repository:
        if self._folder.exists():
            try:
                repository = pygit2.Repository(str(self._folder))
                if not repository.is_shallow:
                    return repository
            except pygit2.GitError:
                pass
            shutil.rmtree(self._folder)
        return pygit2.init_repository(str(self._folder), bare=True)
