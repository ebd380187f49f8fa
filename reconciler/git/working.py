"""The clone in which a person works: where a fleet repository's commits are made and pushed.

Reading goes through pygit2. Making a commit and pushing it go through the person's own `git`, which knows their name,
signing key, SSH options and credential helpers. A commit holds the files that it is told and nothing else: neither
the index nor the working tree is swept in, and until the server has taken the push nothing local has changed.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pygit2
from pygit2.enums import FileMode, FileStatus

from reconciler.errors import PushRefused, SourceError
from reconciler.git.credentials import mask
from reconciler.git.history import first_parents
from reconciler.git.trees import SubTree
from render.errors import readable
from render.tree import GitTree, Tree
from render.tree.seam import below


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where a branch is pushed to: a remote, the ref there, and the last known value of it (None: not fetched)."""

    remote: str
    ref: str
    commit: str | None

    @property
    def name(self) -> str:
        """As people write it: origin/main."""
        return f"{self.remote}/{self.ref.removeprefix('refs/heads/')}"


class WorkingCopy:
    """The clone around a fleet's folder. `timeout` in seconds bounds each run of `git`."""

    def __init__(self, fleet: Path, timeout: float = 60.0) -> None:
        self._timeout = timeout
        try:
            found = pygit2.discover_repository(str(fleet))
            if found is None:
                raise SourceError(f"{fleet} is in no Git repository")
            self._repository = pygit2.Repository(found)
        except pygit2.GitError as error:
            raise SourceError(f"the Git repository of {fleet} cannot be opened: {error}") from None
        if self._repository.workdir is None:
            raise SourceError(f"{fleet} is in a bare Git repository")
        self._top = Path(self._repository.workdir).resolve()
        self.prefix = fleet.resolve().relative_to(self._top).as_posix().removeprefix(".")

    @property
    def head(self) -> str:
        """The commit that is checked out."""
        if self._repository.head_is_unborn:
            raise SourceError("the Git repository has no commit yet")
        return str(self._repository.head.target)

    @property
    def branch(self) -> str:
        """The branch that is checked out."""
        if self._repository.head_is_detached:
            raise SourceError("no branch is checked out (detached HEAD): `git switch` to one")
        return str(self._repository.head.shorthand)

    @property
    def upstream(self) -> Upstream | None:
        """Where the branch is pushed to, if Git knows."""
        if self._repository.head_is_detached or self._repository.head_is_unborn:
            return None
        branch, config = f"branch.{self.branch}", self._repository.config
        name, target = (str(config[key]) if key in config else "" for key in (f"{branch}.remote", f"{branch}.merge"))
        if not target or name in ("", "."):
            return None
        known = self._repository.references.get(f"refs/remotes/{name}/{target.removeprefix('refs/heads/')}")
        return Upstream(name, target, None if known is None else str(known.peel(pygit2.Commit).id))

    @property
    def upstream_url(self) -> str | None:
        """The URL of the server that the branch is pushed to."""
        upstream = self.upstream
        return None if upstream is None else self._repository.remotes[upstream.remote].url

    def resolve(self, revision: str) -> str:
        """The commit id of a revision as Git writes it: a branch, a tag, HEAD~2, an id."""
        try:
            return str(self._repository.revparse_single(revision).peel(pygit2.Commit).id)
        except (KeyError, ValueError, pygit2.GitError):
            raise SourceError(f'there is no commit "{revision}" in this repository') from None

    def tree(self, revision: str) -> Tree:
        """The fleet's files at a revision."""
        whole = GitTree(self._repository, self.resolve(revision))
        return SubTree(whole, self.prefix) if self.prefix else whole

    def merge_base(self, one: str, other: str) -> str | None:
        """The commit in which two lines of history part; None if they have nothing in common."""
        found = self._repository.merge_base(one, other)
        return None if found is None else str(found)

    def first_parents(self, old: str, new: str) -> list[str]:
        """The commits after `old` up to `new` along first parents, oldest first."""
        return first_parents(self._repository, old, new)

    def ancestors(self, commit: str) -> Iterator[str]:
        """A commit and those before it along first parents, newest first."""
        at = self._repository[commit].peel(pygit2.Commit)
        while True:
            yield str(at.id)
            if not at.parents:
                return
            at = at.parents[0]

    def subject(self, commit: str) -> str:
        """The first line of a commit's message, as it can be shown."""
        return readable(str(self._repository[commit].peel(pygit2.Commit).message).partition("\n")[0])

    def uncommitted(self, paths: Sequence[str]) -> list[str]:
        """Those of the fleet's files that differ from what is committed."""
        unchanged = (FileStatus.CURRENT, FileStatus.IGNORED)
        try:
            return [path for path in paths if self._repository.status_file(self._own(path)) not in unchanged]
        except KeyError as error:
            raise SourceError(f"{error.args[0]} is not in Git: commit it first") from None

    def check_can_commit(self) -> None:
        """Raise `SourceError` if a commit could not be made: no branch is checked out, or Git knows no author."""
        _ = self.branch
        self._git("var", "GIT_COMMITTER_IDENT")

    def fetch(self) -> None:
        """Learn the upstream's present value."""
        upstream = self._wanted_upstream()
        self._git("fetch", "--quiet", upstream.remote, upstream.ref)

    def write(self, files: Mapping[str, bytes], message: str) -> str:
        """Make a commit on the one that is checked out, with these files of the fleet changed; moves no branch."""
        builder = {self._own(path): content for path, content in files.items()}
        tree = self._with(self._repository[self.head].peel(pygit2.Commit).tree, builder)
        signing = ["-S"] if self._git("config", "--type=bool", "--default=false", "commit.gpgsign") == "true" else []
        return self._git("commit-tree", *signing, tree, "-p", self.head, "-F", "-", text=message)

    def push(self, commit: str) -> None:
        """Offer a commit to the upstream. Raises `PushRefused` if it was not taken."""
        upstream = self._wanted_upstream()
        try:
            self._git("push", "--quiet", "--porcelain", upstream.remote, f"{commit}:{upstream.ref}")
        except KeyboardInterrupt:
            raise KeyboardInterrupt(
                f"interrupted while pushing: nothing was changed here; `git fetch` says whether {upstream.name} took it"
            ) from None
        except SourceError as error:
            text = str(error)
            if "[rejected]" in text or "fetch first" in text or "[remote rejected]" in text:
                raise PushRefused(f"{upstream.name} did not take the commit, nothing was changed: {text}") from None
            raise

    def advance(self, commit: str, paths: Sequence[str]) -> None:
        """Move the branch to a commit made by `write`, and these files with it."""
        self._git("update-ref", "-m", "commit: siteshift", f"refs/heads/{self.branch}", commit, self.head)
        self._git("checkout", "--quiet", commit, "--", *(self._own(path) for path in paths))

    def _wanted_upstream(self) -> Upstream:
        upstream = self.upstream
        if upstream is None:
            raise SourceError(
                f"branch {self.branch} has no upstream to push to\n"
                "  hint: --no-push commits only; `git branch --set-upstream-to` gives it one"
            )
        return upstream

    def _own(self, path: str) -> str:
        return below(self.prefix, path)

    def _with(self, tree: pygit2.Tree | None, files: Mapping[str, bytes]) -> str:
        """The id of a tree in which the files at these paths, relative to it, have this content."""
        builder = self._repository.TreeBuilder() if tree is None else self._repository.TreeBuilder(tree)
        inside: dict[str, dict[str, bytes]] = {}
        for path, content in files.items():
            name, _, rest = path.partition("/")
            if rest:
                inside.setdefault(name, {})[rest] = content
            else:
                entry = builder.get(name)
                mode = FileMode.BLOB if entry is None else entry.filemode
                builder.insert(name, self._repository.create_blob(content), mode)
        for name, below_it in inside.items():
            entry = builder.get(name)
            builder.insert(name, self._with(entry if isinstance(entry, pygit2.Tree) else None, below_it), FileMode.TREE)
        return str(builder.write())

    def _git(self, *words: str, text: str | None = None) -> str:
        try:
            done = subprocess.run(
                ["git", *words],
                cwd=self._top,
                input=text,
                stdin=None if text is not None else subprocess.DEVNULL,
                env={**os.environ, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": os.environ.get("GIT_TERMINAL_PROMPT", "1")},
                capture_output=True,
                text=True,
                timeout=self._timeout,
                check=False,
            )
        except FileNotFoundError:
            raise SourceError("git is not installed: commits are made and pushed with it") from None
        except subprocess.TimeoutExpired:
            raise SourceError(f"`git {words[0]}` took longer than {self._timeout:g} seconds") from None
        if done.returncode:
            said = mask(" ".join((done.stdout + " " + done.stderr).split()))
            raise SourceError(f"`git {words[0]}` failed: {said or f'exit code {done.returncode}'}")
        return done.stdout.strip()
