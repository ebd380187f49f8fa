"""A Git server as the rest of this room asks it: through a worker that is killed when its time is over.

Nothing that a server, a network or a pushed object does can hold a caller longer than the timeout, or take its memory.
"""

from __future__ import annotations

import base64
import json
import os
import select
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from reconciler.errors import PushRefused, SourceError
from reconciler.git.credentials import mask
from reconciler.git.limits import SITE_REF_SECONDS

GRACE = 1.0
"""Seconds beyond the timeout in which the worker may still say itself that it was over."""

START_SECONDS = 60.0
"""How long the worker may take to start, on a machine that is busy."""

PIECE = 1 << 16


class Worker:
    """The process that runs exchanges, one at a time; started when it is needed, and anew after it was killed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._ends: weakref.finalize[..., Worker] | None = None

    def call(self, request: Mapping[str, Any], seconds: float, what: str) -> dict[str, Any]:
        """The answer to a request. Raises `SourceError` when there is none in time; `what` begins its message."""
        with self._lock:
            process = self._running()
            end = time.monotonic() + seconds + GRACE
            try:
                _send(process, json.dumps(request).encode() + b"\n", end)
                line = _line(process, end)
            except TimeoutError:
                self._drop()
                raise SourceError(f"{what}: took longer than {seconds:g} seconds") from None
            except (OSError, EOFError):
                self._drop()
                raise SourceError(f"{what}: it took more memory than it may, or its process was killed") from None
            except BaseException:
                self._drop()  # an answer that nobody waits for would be taken for that of the next request
                raise
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End the process; the next call starts another. A call that is under way, in another thread, ends with it."""
        process = self._process
        if process is not None:
            process.kill()
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        """Forget the process. Only whoever holds the lock closes its pipes: nobody else can be reading from them."""
        if self._ends is not None:
            self._ends()
        self._process = self._ends = None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._drop()
            process = subprocess.Popen(
                [sys.executable, "-m", "reconciler.git.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,  # what interrupts the parent at a terminal is the parent's affair
            )
            self._process, self._ends = process, weakref.finalize(self, _end, process)
            try:
                _line(process, time.monotonic() + START_SECONDS)
            except (OSError, EOFError) as error:
                self._drop()
                raise SourceError(f"the worker for Git does not start: {error or 'it ended at once'}") from None
        return self._process


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


def _send(process: subprocess.Popen[bytes], data: bytes, end: float) -> None:
    """Give the process a line. Raises `TimeoutError` when it does not take it."""
    assert process.stdin is not None
    os.set_blocking(process.stdin.fileno(), False)
    while data:
        _await(process.stdin.fileno(), select.POLLOUT, end)
        data = data[os.write(process.stdin.fileno(), data[:PIECE]) :]


def _line(process: subprocess.Popen[bytes], end: float) -> bytes:
    """One line of the process. Raises `TimeoutError`, or `EOFError` when it ended."""
    assert process.stdout is not None
    pieces = [b""]
    while not pieces[-1].endswith(b"\n"):
        _await(process.stdout.fileno(), select.POLLIN, end)
        piece = os.read(process.stdout.fileno(), PIECE)
        if not piece:
            raise EOFError("it ended")
        pieces.append(piece)
    return b"".join(pieces)


def _await(pipe: int, event: int, end: float) -> None:
    """Wait until a pipe can be used; `end` is a moment of the monotonic clock."""
    poll = select.poll()
    poll.register(pipe, event)
    if not poll.poll(max(0.0, end - time.monotonic()) * 1000):
        raise TimeoutError("it took too long")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()


def _decoded(files: Mapping[str, str]) -> dict[str, bytes]:
    return {name: base64.b64decode(content) for name, content in files.items()}
