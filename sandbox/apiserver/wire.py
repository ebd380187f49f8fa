"""HTTP/1.1 over TLS: one thread a connection, kept alive; answers are whole or, for watches, chunk by chunk.

Written on sockets rather than on `http.server`, whose header parsing costs more than a whole request may here.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus

LARGEST_HEAD = 64 * 1024
LARGEST_BODY = 8 * 1024 * 1024
"""Bytes; real servers refuse bodies above 3 MiB, aggregated lists never come in."""

HANDSHAKE_SECONDS = 10.0
GRACE_SECONDS = 2.0
"""What an answer that is under way when the server stops is given, for each connection at most."""


@dataclass(slots=True)
class Response:
    """An answer: a whole body, or `stream` of chunks (an empty chunk is no chunk: a chance to see the client gone)."""

    code: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: list[tuple[str, str]] = field(default_factory=list)
    stream: Iterator[bytes] | None = None
    hang_up: bool = False


Handler = Callable[[str, str, dict[str, str], bytes], Response]


class _BadRequestError(Exception):
    """The client speaks no HTTP that this server understands."""


class Listener:
    """Accepts connections on a loopback port and answers their requests with `handler`."""

    def __init__(
        self, host: str, port: int, context: ssl.SSLContext, handler: Handler, date: Callable[[], str]
    ) -> None:
        self._context, self._handler, self._date = context, handler, date
        self._socket = socket.create_server((host, port), backlog=128)
        self.port: int = self._socket.getsockname()[1]
        self._open: dict[int, socket.socket] = {}
        self._threads: set[threading.Thread] = set()
        self._lock = threading.Lock()
        self._stopping = False
        self._acceptor = threading.Thread(target=self._accept, name="apiserver-accept", daemon=True)

    def start(self) -> None:
        """Begin to accept."""
        self._acceptor.start()

    def stop(self) -> None:
        """Take no further request, let answers that are under way end, then close everything."""
        self._stopping = True
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._acceptor.join()
        for how, patience in ((socket.SHUT_RD, GRACE_SECONDS), (socket.SHUT_RDWR, None)):
            with self._lock:
                threads = list(self._threads)
                for one in self._open.values():
                    with contextlib.suppress(OSError):
                        socket.socket.shutdown(one, how)  # SSLSocket's own would go on in clear text
            for thread in threads:
                thread.join(patience)

    def _accept(self) -> None:
        while not self._stopping:
            try:
                plain, _ = self._socket.accept()
            except OSError:
                return
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            thread = threading.Thread(target=self._serve, args=(plain,), name="apiserver-connection", daemon=True)
            with self._lock:
                self._open[plain.fileno()] = plain
                self._threads.add(thread)
            thread.start()

    def _serve(self, plain: socket.socket) -> None:
        number = plain.fileno()
        try:
            plain.settimeout(HANDSHAKE_SECONDS)
            with self._context.wrap_socket(plain, server_side=True) as secure:
                with self._lock:
                    self._open[number] = secure
                    if self._stopping:
                        return
                secure.settimeout(None)
                _Connection(secure, self._handler, self._date, lambda: self._stopping).run()
        except (OSError, ValueError):
            pass  # the client went away, or we are stopping
        finally:
            with self._lock:
                self._open.pop(number, None)
                self._threads.discard(threading.current_thread())
            plain.close()


class _Connection:
    def __init__(
        self, secure: ssl.SSLSocket, handler: Handler, date: Callable[[], str], stopping: Callable[[], bool]
    ) -> None:
        self._socket, self._handler, self._date, self._stopping = secure, handler, date, stopping
        self._buffer = b""

    def run(self) -> None:
        """Answer requests until either side has had enough."""
        while True:
            try:
                head = self._until(b"\r\n\r\n", LARGEST_HEAD)
                if head is None:
                    return
                method, target, headers = _parse_head(head)
                if headers.get("expect", "").lower() == "100-continue":
                    self._socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
                body = self._body(headers)
            except _BadRequestError as error:
                self._send(Response(400, str(error).encode(), "text/plain"), keep=False, head_only=False)
                return
            response = self._handler(method, target, headers, body)
            keep = headers.get("connection", "").lower() != "close"
            if response.hang_up:
                return
            if response.stream is not None:
                keep = self._stream(response, response.stream) and keep
            else:
                self._send(response, keep=keep, head_only=method == "HEAD")
            if not keep:
                return

    def _more(self) -> bool:
        data = self._socket.recv(65536)
        self._buffer += data
        return bool(data)

    def _until(self, mark: bytes, most: int) -> bytes | None:
        while (end := self._buffer.find(mark)) < 0:
            if len(self._buffer) > most:
                raise _BadRequestError("the request's head is too large")
            if not self._more():
                return None
        found, self._buffer = self._buffer[:end], self._buffer[end + len(mark) :]
        return found

    def _exactly(self, size: int) -> bytes:
        if size > LARGEST_BODY:
            raise _BadRequestError("the request's body is too large")
        while len(self._buffer) < size:
            if not self._more():
                raise OSError("the client went away")
        found, self._buffer = self._buffer[:size], self._buffer[size:]
        return found

    def _body(self, headers: dict[str, str]) -> bytes:
        if "chunked" in headers.get("transfer-encoding", "").lower():
            parts: list[bytes] = []
            while True:
                line = self._until(b"\r\n", 1024)
                size = int((line or b"0").split(b";")[0], 16)
                part = self._exactly(size + 2)
                if not size:
                    return b"".join(parts)
                parts.append(part[:-2])
        length = headers.get("content-length", "0")
        if not length.isdigit():
            raise _BadRequestError("Content-Length is not a number")
        return self._exactly(int(length))

    def _head(self, response: Response, more: list[tuple[str, str]]) -> bytes:
        phrase = HTTPStatus(response.code).phrase if response.code in HTTPStatus._value2member_map_ else ""
        lines = [
            f"HTTP/1.1 {response.code} {phrase}",
            f"Date: {self._date()}",
            f"Content-Type: {response.content_type}",
        ]
        lines += [f"{name}: {value}" for name, value in (*response.headers, *more)]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")

    def _send(self, response: Response, *, keep: bool, head_only: bool) -> None:
        more = [("Content-Length", str(len(response.body)))] + ([] if keep else [("Connection", "close")])
        self._socket.sendall(self._head(response, more) + (b"" if head_only else response.body))

    def _stream(self, response: Response, chunks: Iterator[bytes]) -> bool:
        self._socket.sendall(self._head(response, [("Transfer-Encoding", "chunked")]))
        for chunk in chunks:
            if chunk:
                self._socket.sendall(b"%x\r\n%b\r\n" % (len(chunk), chunk))
            if select.select([self._socket], [], [], 0)[0] and not self._stopping():
                return False  # a watching client says nothing: it has closed
        self._socket.sendall(b"0\r\n\r\n")
        return True


def _parse_head(head: bytes) -> tuple[str, str, dict[str, str]]:
    first, _, rest = head.decode("latin-1").partition("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise _BadRequestError("not an HTTP/1.1 request")
    headers: dict[str, str] = {}
    for line in rest.split("\r\n"):
        name, colon, value = line.partition(":")
        if colon:
            key = name.strip().lower()
            headers[key] = f"{headers[key]}, {value.strip()}" if key in headers else value.strip()
    return words[0], words[1], headers
