"""One exchange with a Git server: with credentials, a time limit, limits on what comes, and every refusal heard.

Runs in the worker (`worker.py`), which is killed where none of this helps: libgit2 waits in calls that no callback can
end, such as the lookup of a name. libgit2 tells of a server's refusal to update a ref only through a callback while
`push` returns normally; here it becomes `PushRefused`. All other failures become `SourceError`, without secrets.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pygit2
from pygit2.enums import CredentialType

from reconciler.errors import PushRefused, SourceError
from reconciler.git.credentials import Login, LoginSource, from_file, from_helper, is_private_key, mask
from reconciler.git.limits import NO_LIMITS, FetchLimits

NOT_FAST_FORWARD = ("not present locally", "non-fastforwardable", "non-fast-forward", "fetch first")
"""How libgit2 and Git say that the ref has moved."""

NOBODY = "0" * 40
"""The value of a ref that does not exist."""


class MovedError(PushRefused):
    """The ref has another value than the push rests on."""


class Exchange:
    """A Git server's repository. `timeout` in seconds bounds each exchange, and each wait for the server within it."""

    def __init__(self, url: str, credentials: Path | None, timeout: float) -> None:
        self.url = url
        self._credentials = credentials
        self._timeout = timeout
        # libgit2 has these for the whole process only; the worker makes one exchange at a time.
        pygit2.settings.server_connect_timeout = pygit2.settings.server_timeout = max(1, round(timeout * 1000))

    @property
    def shown(self) -> str:
        """The URL as it may be shown."""
        return mask(self.url)

    def list(self, repository: pygit2.Repository) -> dict[str, str]:
        """Every ref that the server lists, with its commit id."""
        with self._exchange("cannot be listed") as callbacks:
            heads = repository.remotes.create_anonymous(self.url).list_heads(callbacks=callbacks)
            return {str(head.name): str(head.oid) for head in heads}

    def fetch(self, repository: pygit2.Repository, refspecs: Sequence[str], limits: FetchLimits = NO_LIMITS) -> None:
        """Bring the refspecs' refs here."""
        with self._exchange("cannot be fetched", limits) as callbacks:
            repository.remotes.create_anonymous(self.url).fetch(list(refspecs), callbacks=callbacks)

    def push(self, repository: pygit2.Repository, local: str, ref: str, expected: str | None) -> None:
        """Give the server's `ref` the value of our ref `local`, if its value is `expected` (None: it is not there).

        Raises `MovedError` if it has another value, `PushRefused` if the server does not take the push.
        """
        with self._exchange("did not take the push") as callbacks:
            callbacks.expected = expected or NOBODY
            repository.remotes.create_anonymous(self.url).push([f"+{local}:{ref}"], callbacks=callbacks)
            if callbacks.refused is not None:
                raise PushRefused(f"{self.shown} refused {callbacks.refused}")

    @contextmanager
    def _exchange(self, what: str, limits: FetchLimits = NO_LIMITS) -> Iterator[_Callbacks]:
        callbacks = _Callbacks(self.url, self._credentials, self._timeout, limits)
        try:
            yield callbacks
        except (pygit2.GitError, ValueError, KeyError, OSError) as error:
            text = mask(str(error).strip("'\""))
            if callbacks.login is not None and callbacks.login.secret:
                text = text.replace(callbacks.login.secret, "***")
            kind = MovedError if any(words in text for words in NOT_FAST_FORWARD) else SourceError
            raise kind(f"{self.shown} {what}: {text}") from None


class _Callbacks(pygit2.RemoteCallbacks):
    """Answers libgit2's questions during one exchange. `refused` is the server's refusal of a ref, if it spoke one;
    `expected` the value that a push replaces."""

    def __init__(self, url: str, file: Path | None, timeout: float, limits: FetchLimits) -> None:
        super().__init__()
        self.refused: str | None = None
        self.login: Login | None = None
        self.expected = NOBODY
        self._url = url
        self._file = file
        self._timeout = timeout
        self._limits = limits
        self._ends = time.monotonic() + timeout
        self._asked = 0

    def credentials(self, url: str, username_from_url: str | None, allowed_types: CredentialType) -> Any:
        """Give each kind of credential once; a server that asks again has refused it."""
        self._asked += 1
        user = username_from_url or "git"
        if allowed_types & CredentialType.USERNAME and not allowed_types & CredentialType.SSH_KEY:
            return pygit2.Username(user)
        if self._asked > 2:
            raise SourceError(f"{mask(self._url)} does not accept our credentials")
        if allowed_types & CredentialType.SSH_KEY:
            if self._file is not None:
                return pygit2.Keypair(user, None, str(self._file), "")
            return pygit2.KeypairFromAgent(user)
        if allowed_types & CredentialType.USERPASS_PLAINTEXT:
            self._refuse_stranger(url)
            self.login = self._source()(self._url if "://" in self._url else url)
            if self.login is not None:
                return pygit2.UserPass(self.login.user, self.login.secret)
        raise SourceError(f"{mask(self._url)} wants credentials and none are known for it")

    def push_negotiation(self, updates: list[pygit2.remotes.PushUpdate]) -> None:
        """Compare the value that the server announced with the expected one; the server compares it again itself."""
        for update in updates:
            if str(update.src) != self.expected:
                now = "not there" if str(update.src) == NOBODY else f"at {str(update.src)[:7]}"
                raise MovedError(f"{mask(self._url)}: {update.dst_refname} is {now}, expected {self.expected[:7]}")

    def push_update_reference(self, refname: str, message: str | None) -> None:
        """The server's word on one ref: no message means that it took it."""
        if message is not None:
            self.refused = f"{refname}: {message}"

    def transfer_progress(self, stats: pygit2.remotes.TransferProgress) -> None:
        """A fetch goes on."""
        self._check_time()
        if stats.total_objects > self._limits.objects:
            raise SourceError(f"{stats.total_objects} objects, expected {self._limits.objects} at most")
        if stats.received_bytes > self._limits.bytes:
            raise SourceError(f"more than {self._limits.bytes} bytes")

    def push_transfer_progress(self, *_: Any) -> None:
        """A push goes on."""
        self._check_time()

    def sideband_progress(self, *_: Any) -> None:
        """The server says something."""
        self._check_time()

    def _refuse_stranger(self, asking: str) -> None:
        """Raise where a redirect took us to another server, which now asks for what was meant for the first."""
        ours, theirs = urlsplit(self._url), urlsplit(asking)
        if (ours.scheme, ours.hostname, ours.port) != (theirs.scheme, theirs.hostname, theirs.port):
            raise SourceError(
                f"{mask(self._url)} sends us on to {mask(asking)}, which does not get our credentials: use its URL"
            )

    def _source(self) -> LoginSource:
        return from_helper if self._file is None or is_private_key(self._file) else from_file(self._file)

    def _check_time(self) -> None:
        # The socket's timeout starts anew with each byte; a server that trickles would hold us for ever.
        if time.monotonic() > self._ends:
            raise SourceError(f"{mask(self._url)} took longer than {self._timeout:g} seconds")
