"""A link to a Git server that can lose everything that is sent over it, without a word."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

PIECE = 1 << 16


class Link:
    """Listens on `port` and hands on what comes to another port of this machine. `passes`: how many bytes of the
    server's answers still get through (None: all); then the link stays open and silent, as where packets vanish."""

    def __init__(self, port: int) -> None:
        self.passes: int | None = None
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets = [self._listener]
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    def close(self) -> None:
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._accepting.join()

    def __enter__(self) -> Link:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self) -> None:
        while True:
            try:
                client = self._listener.accept()[0]
                server = socket.create_connection(("127.0.0.1", self._to))
            except OSError:
                return
            self._sockets += [client, server]
            for here, there, answers in ((client, server, False), (server, client, True)):
                threading.Thread(target=self._hand_on, args=(here, there, answers), daemon=True).start()

    def _hand_on(self, here: socket.socket, there: socket.socket, answers: bool) -> None:
        with suppress(OSError):
            while piece := here.recv(PIECE):
                if answers and self.passes is not None:
                    piece, self.passes = piece[: self.passes], max(0, self.passes - len(piece))
                there.sendall(piece)
            there.shutdown(socket.SHUT_WR)
