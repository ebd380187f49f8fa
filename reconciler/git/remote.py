"""A Git server as the rest of this room asks it: through a worker that is killed when its time is over.

Nothing that a server, a network or a pushed object does can hold a caller longer than the timeout, or take its memory.
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from reconciler.errors import PushRefused, SourceError
from reconciler.git.credentials import mask
from reconciler.git.limits import SITE_REF_SECONDS
from reconciler.worker import Worker

MODULE = "reconciler.git.worker"


def git_worker() -> Worker:
    """A worker that speaks with Git servers."""
    return Worker(MODULE, SourceError)


class Remote:
    """A repository at a Git server. `timeout` in seconds bounds each exchange, whatever the network does."""

    def __init__(self, url: str, credentials: Path | None, timeout: float, worker: Worker) -> None:
        self.url = url
        self._credentials = credentials
        self._timeout = timeout
        self._worker = worker

    @property
    def shown(self) -> str:
        """The URL as it may be shown."""
        return mask(self.url)

    def list(self, folder: Path, names: Collection[str] | None = None) -> dict[str, str]:
        """The refs that the server lists, with their commit ids: all, or those of `names` and some branches. `folder`
        is a repository, in which nothing changes."""
        answer = self._ask("list", folder, names=None if names is None else sorted(names))
        refs: dict[str, str] = answer["refs"]
        return refs

    def fetch(self, folder: Path, refspecs: Sequence[str]) -> None:
        """Bring refs that the fleet's owners push."""
        self._ask("fetch", folder, refspecs=list(refspecs))

    def bring(self, folder: Path, ref: str, value: str) -> tuple[str, dict[str, bytes]]:
        """Bring a site's ref, within limits; see `RefStore.bring`."""
        answer = self._ask("bring", folder, seconds=min(self._timeout, SITE_REF_SECONDS), ref=ref, value=value)
        return str(answer["value"]), _decoded(answer["files"])

    def descends(self, folder: Path, old: str, new: str) -> bool:
        """Whether a commit of a site's ref has another behind it."""
        seconds = min(self._timeout, SITE_REF_SECONDS)
        return bool(self._ask("descends", folder, seconds=seconds, old=old, new=new)["descends"])

    def push(
        self, folder: Path, ref: str, expected: str | None, files: Mapping[str, bytes], message: str, how: str
    ) -> tuple[str, dict[str, bytes]]:
        """Push a new commit; see `RefStore.push`. Raises `PushRefused`."""
        encoded = {name: base64.b64encode(content).decode() for name, content in files.items()}
        answer = self._ask("push", folder, ref=ref, expected=expected, files=encoded, message=message, how=how)
        return str(answer["commit"]), _decoded(answer["files"])

    def push_commit(self, folder: Path, ref: str, expected: str | None, commit: str) -> None:
        """Push a commit that is here. Raises `PushRefused`."""
        self._ask("push_commit", folder, ref=ref, expected=expected, commit=commit)

    def close(self) -> None:
        """End the worker."""
        self._worker.close()

    def _ask(self, operation: str, folder: Path, seconds: float | None = None, **more: Any) -> dict[str, Any]:
        timeout = self._timeout if seconds is None else seconds
        request = {
            "operation": operation,
            "folder": str(folder),
            "url": self.url,
            "credentials": None if self._credentials is None else str(self._credentials),
            "timeout": timeout,
            **more,
        }
        answer = self._worker.call(request, timeout, self.shown)
        if "error" in answer:
            kind = SourceError if answer["error"] == "source" else PushRefused
            raise kind(answer["message"])
        return answer


def _decoded(files: Mapping[str, str]) -> dict[str, bytes]:
    return {name: base64.b64decode(content) for name, content in files.items()}
