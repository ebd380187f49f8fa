"""How one command line tells a running sandbox to kill a site or to bring it back.

The sandbox listens on loopback and writes its port and a token into `control.json` in its folder. An order is one JSON
line, and so is its answer. Orders are carried out by the sandbox's main thread, one after the other.
"""

from __future__ import annotations

import json
import os
import queue
import secrets
import socket
import socketserver
import threading
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.errors import SiteshiftError, UsageError

FILE = "control.json"
PATIENCE = 120.0
"""Seconds that an order may take: starting a site on a busy machine is slow."""

ACTIONS = ("kill", "start")


@dataclass(slots=True)
class Order:
    """What is to be done with a site; `answer` ends it."""

    action: str
    site: str
    text: str = ""
    failed: bool = False
    done: threading.Event = field(default_factory=threading.Event)

    def answer(self, text: str, *, failed: bool = False) -> None:
        """Say how it went."""
        self.text, self.failed = text, failed
        self.done.set()


class Control:
    """The listening side: `next_order` gives what came in. A context manager."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE
        self._token = secrets.token_urlsafe(24)
        self._orders: queue.SimpleQueue[Order | None] = queue.SimpleQueue()
        self._server = _Server(("127.0.0.1", 0), self._token, self._orders)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="control", daemon=True)

    def __enter__(self) -> Control:
        fresh = self._file.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps({"port": self._server.server_address[1], "token": self._token}))
        fresh.replace(self._file)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._file.unlink(missing_ok=True)
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def next_order(self, seconds: float) -> Order | None:
        """The next order; None if none came in so many seconds, or if `wake` was called."""
        try:
            return self._orders.get(timeout=seconds)
        except queue.Empty:
            return None

    def wake(self) -> None:
        """Let `next_order` return at once; may be called by a signal handler."""
        self._orders.put(None)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], token: str, orders: queue.SimpleQueue[Order | None]) -> None:
        self.token, self.orders = token, orders
        super().__init__(address, _Handler)


class _Handler(socketserver.StreamRequestHandler):
    server: _Server
    timeout = 10

    def handle(self) -> None:
        """One order from its line to its answer."""
        try:
            sent = json.loads(self.rfile.readline(1 << 16))
            known = secrets.compare_digest(str(sent["token"]), self.server.token)
            order = Order(str(sent["action"]), str(sent["site"]))
        except (ValueError, KeyError, TypeError, OSError):
            return
        if not known:
            return
        self.server.orders.put(order)
        if not order.done.wait(PATIENCE):
            order.answer("the sandbox did not answer in time", failed=True)
        self.wfile.write(json.dumps({"text": order.text, "failed": order.failed}).encode() + b"\n")


def send(folder: Path, action: str, site: str) -> str:
    """Give an order to the sandbox that runs in a folder, and return its answer. Raises SiteshiftError if it fails."""
    try:
        told = json.loads((folder / FILE).read_text())
        connection = socket.create_connection(("127.0.0.1", int(told["port"])), timeout=PATIENCE + 10)
    except (OSError, ValueError, KeyError):
        raise UsageError(
            f"no sandbox runs in {folder}\n  hint: start one with `siteshift sandbox --dir {folder}`"
        ) from None
    with connection, connection.makefile("rwb") as stream:
        stream.write(json.dumps({"token": told["token"], "action": action, "site": site}).encode() + b"\n")
        stream.flush()
        line = stream.readline()
    if not line:
        raise SiteshiftError(f"the sandbox in {folder} ended before it answered")
    answer = json.loads(line)
    if answer["failed"]:
        raise SiteshiftError(answer["text"])
    return str(answer["text"])


def remember(pointer: Path, folder: Path) -> None:
    """Note which folder the sandbox that was started last runs in."""
    pointer.parent.mkdir(parents=True, exist_ok=True)
    fresh = pointer.with_name(f"{pointer.name}.{os.getpid()}")
    fresh.write_text(f"{folder}\n")
    fresh.replace(pointer)


def remembered(pointer: Path) -> Path | None:
    """The folder of the sandbox that was started last; None if nobody noted any."""
    try:
        return Path(pointer.read_text().strip())
    except OSError:
        return None
