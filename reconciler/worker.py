"""A process that does what may take too long or too much, and is killed when it does: both ends of its pipe.

The worker reads one request a line from stdin and answers each with one line of JSON. It ends with its parent, its
memory is limited, and no answer is waited for longer than its request's time. What is in the worker may hang in a
call that nothing can interrupt; the parent waits in `poll` alone.
"""

from __future__ import annotations

import json
import os
import queue
import resource
import select
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from reconciler.errors import SiteshiftError

GRACE = 1.0
"""Seconds beyond a request's time in which the worker may still say itself that it was over."""

START_SECONDS = 60.0
"""How long the worker may take to start, on a machine that is busy."""

MOST_BYTES = 256 * 1024 * 1024
"""Bytes of one answer."""

PIECE = 1 << 16

READY = b'{"ready": true}\n'


class Worker:
    """The parent's end: runs one request at a time in a process that is started when it is needed, and anew after it
    was killed. `module` is run with `python -m`; `error` makes what is raised for a request without an answer."""

    def __init__(self, module: str, error: Callable[[str], SiteshiftError]) -> None:
        self._module = module
        self._error = error
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._ends: weakref.finalize[..., Worker] | None = None

    def call(self, request: Mapping[str, Any], seconds: float, what: str) -> dict[str, Any]:
        """The answer to a request. Raises `error` when there is none in time; `what` begins its message."""
        with self._lock:
            process = self._running()
            end = time.monotonic() + seconds + GRACE
            try:
                _send(process, json.dumps({**request, "seconds": seconds}).encode() + b"\n", end)
                line = _line(process, end)
            except TimeoutError:
                self._drop()
                raise self._error(f"{what}: took longer than {seconds:g} seconds") from None
            except (OSError, EOFError):
                self._drop()
                raise self._error(f"{what}: it took more memory than it may, or its process was killed") from None
            except BaseException:
                self._drop()  # an answer that nobody waits for would be taken for that of the next request
                raise
        answer: dict[str, Any] = json.loads(line)
        return answer

    def start(self) -> None:
        """Start the process now, if it does not run. Raises `error` where it does not start."""
        with self._lock:
            self._running()

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
                [sys.executable, "-m", self._module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,  # what interrupts the parent at a terminal is the parent's affair
            )
            self._process, self._ends = process, weakref.finalize(self, _end, process)
            try:
                _line(process, time.monotonic() + START_SECONDS)
            except (OSError, EOFError) as error:
                self._drop()
                raise self._error(f"the worker {self._module} does not start: {error or 'it ended at once'}") from None
        return self._process


def serve(answer: Callable[[Mapping[str, Any]], dict[str, Any]], memory: int) -> None:
    """The worker's end: answer requests until stdin ends. `memory` in bytes bounds what the process may take."""
    os.umask(0o077)  # what it fetches is nobody else's
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    requests: queue.Queue[bytes] = queue.Queue()
    threading.Thread(target=_read, args=(requests,), daemon=True).start()
    out = sys.stdout.buffer
    out.write(READY)
    out.flush()
    while True:
        request = json.loads(requests.get())
        # A call that keeps the interpreter would outlive a parent that was killed: the kernel ends it.
        signal.setitimer(signal.ITIMER_REAL, request["seconds"] + 2 * GRACE)
        line = json.dumps(answer(request)).encode() + b"\n"
        signal.setitimer(signal.ITIMER_REAL, 0)
        out.write(line)
        out.flush()


def _read(requests: queue.Queue[bytes]) -> None:
    """Hand requests on. When the parent is gone, end in the middle of whatever is waited for."""
    for line in sys.stdin.buffer:
        requests.put(line)
    os._exit(0)


def _send(process: subprocess.Popen[bytes], data: bytes, end: float) -> None:
    """Give the process a line. Raises `TimeoutError` when it does not take it."""
    assert process.stdin is not None
    os.set_blocking(process.stdin.fileno(), False)
    while data:
        _await(process.stdin.fileno(), select.POLLOUT, end)
        data = data[os.write(process.stdin.fileno(), data[:PIECE]) :]


def _line(process: subprocess.Popen[bytes], end: float) -> bytes:
    """One line of the process. Raises `TimeoutError`, or `EOFError` when it ended or says too much."""
    assert process.stdout is not None
    pieces, size = [b""], 0
    while not pieces[-1].endswith(b"\n"):
        _await(process.stdout.fileno(), select.POLLIN, end)
        piece = os.read(process.stdout.fileno(), PIECE)
        size += len(piece)
        if not piece or size > MOST_BYTES:
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
