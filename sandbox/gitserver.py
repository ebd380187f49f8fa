"""A real Git server on loopback: what the sites share, for the demo, the sandbox and the testbed.

Each request is handed to `git http-backend`, Git's own CGI program, so that pushes and fetches meet the real
protocol. This module only speaks HTTP, knows users, and can misbehave on purpose (`Faults`).

`python -m sandbox.gitserver --root DIR --port N` serves every bare repository below a folder.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import contextlib
import io
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote, urlsplit

from reconciler.errors import SourceError

CHUNK = 1 << 16
ANYONE = ""
"""The user of a request without credentials, and in `Faults` every user."""

SERVER_CONFIG = {"http.receivepack": "true", "safe.directory": "*", "core.fsync": "none", "gc.auto": "0"}


@dataclass(frozen=True, slots=True)
class Faults:
    """How the server misbehaves; a set of users that holds `ANYONE` means everybody.

    `delay` is in seconds, before each answer. `lose_answers`: the push is done, its answer never arrives.
    """

    refuse: frozenset[str] = frozenset()
    read_only: frozenset[str] = frozenset()
    lose_answers: frozenset[str] = frozenset()
    delay: float = 0.0


def hits(users: frozenset[str], user: str) -> bool:
    """Whether a fault that names these users meets this one."""
    return user in users or ANYONE in users


def is_push(target: str) -> bool:
    """Whether a request (path and query) belongs to a push rather than to a fetch."""
    return "git-receive-pack" in target


class GitServer:
    """Serves the bare repositories below `folder` on 127.0.0.1; `port` 0 takes a free one.

    With `users` (name to token) each request needs one of them by HTTP basic authentication; without, everybody may
    read and push. `faults` may be replaced at any moment and acts on the next request.
    """

    def __init__(
        self, folder: os.PathLike[str] | str, port: int = 0, *, users: Mapping[str, str] | None = None
    ) -> None:
        self.folder = Path(folder).resolve()
        self.users = dict(users or {})
        self.faults = Faults()
        self._backends: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self.stopped = False
        try:
            self._http = _Http(("127.0.0.1", port), _Handler, self)
        except OSError as error:
            raise SourceError(f"the Git server cannot listen on port {port}: {error.strerror}") from error

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._http.server_address[1])

    @property
    def url(self) -> str:
        """Its address; a repository's is `url/name.git`."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> GitServer:
        """Serve from a thread of its own."""
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.1,), name="gitserver", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop listening and end every Git process that still serves a request."""
        self.stopped = True
        if self._thread is not None:
            self._http.shutdown()
            self._thread.join()
            self._thread = None
        self._http.server_close()
        with self._lock:
            backends = list(self._backends)
        for backend in backends:
            end(backend)

    def __enter__(self) -> GitServer:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def create(self, name: str, *, branch: str = "main") -> str:
        """Make an empty bare repository `name` (`fleet.git`) and say its URL; one that is there stays as it is."""
        path = self.folder / name
        if not (path / "HEAD").exists():
            command = ["git", "init", "--quiet", "--bare", f"--initial-branch={branch}", str(path)]
            done = subprocess.run(command, capture_output=True, text=True, check=False, env=git_environment())
            if done.returncode != 0:
                raise SourceError(f"cannot make the repository {name}: {done.stderr.strip()}")
        return f"{self.url}/{name}"

    @contextlib.contextmanager
    def backend(self, environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
        """One run of `git http-backend`, ended with all of its children when the request is over."""
        process = subprocess.Popen(
            ["git", "http-backend"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(environment),
            start_new_session=True,
        )
        with self._lock:
            self._backends.add(process)
        try:
            yield process
        finally:
            end(process)
            with self._lock:
                self._backends.discard(process)


def git_environment() -> dict[str, str]:
    """An environment in which Git reads no configuration of the user or the machine."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return kept | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}


def end(process: subprocess.Popen[bytes]) -> None:
    """End a backend and what it started; its session is its own, so nobody else is met."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler], owner: GitServer) -> None:
        self.owner = owner
        super().__init__(address, handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away, or a request that was cut by our end, is no news; anything else is shown."""
        if not self.owner.stopped and not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    disable_nagle_algorithm = True  # an answer is written in pieces; each would wait for the client's delayed ACK
    server: _Http

    def log_message(self, format: str, *args: Any) -> None:
        """No access log: the demo's terminal belongs to the demo."""

    def do_GET(self) -> None:
        """The listing of refs, and files of the dumb protocol."""
        self._serve()

    def do_POST(self) -> None:
        """A fetch's negotiation or a push."""
        self._serve()

    def _serve(self) -> None:
        if hasattr(socket, "TCP_QUICKACK"):
            # Git sends a request's head and body apart, and waits with the body until the head is acknowledged.
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        owner = self.server.owner
        faults = owner.faults
        user = self._user(owner.users)
        if faults.delay:
            time.sleep(faults.delay)
        if user is None:
            return self._answer(401, "say who you are", {"WWW-Authenticate": 'Basic realm="siteshift sandbox"'})
        if hits(faults.refuse, user):
            return self._answer(503, "this server refuses, as it was told to")
        if hits(faults.read_only, user) and is_push(self.path):
            return self._answer(403, f"{user or 'anonymous'} may read but not push")
        with owner.backend(self._environment(owner.folder, user)) as process:
            assert process.stdin is not None
            assert isinstance(process.stdout, io.BufferedReader)
            if not self._send_body(process.stdin):
                self.close_connection = True
                return None
            if self.command == "POST" and is_push(self.path) and hits(faults.lose_answers, user):
                process.stdout.read()
                self.close_connection = True
                return None
            return self._relay(process.stdout)

    def _user(self, users: Mapping[str, str]) -> str | None:
        """Who asks: a known user, `ANYONE` where no users are kept, None for wrong or missing credentials."""
        scheme, _, encoded = self.headers.get("Authorization", "").partition(" ")
        name = token = ""
        if scheme.lower() == "basic":
            try:
                name, _, token = base64.b64decode(encoded, validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                return None
        if not users:
            return name or ANYONE
        return name if name in users and users[name] == token else None

    def _environment(self, folder: Path, user: str) -> dict[str, str]:
        target = urlsplit(self.path)
        config = {"GIT_CONFIG_COUNT": str(len(SERVER_CONFIG))}
        for index, (key, value) in enumerate(SERVER_CONFIG.items()):
            config |= {f"GIT_CONFIG_KEY_{index}": key, f"GIT_CONFIG_VALUE_{index}": value}
        request = {
            "GATEWAY_INTERFACE": "CGI/1.1",
            "GIT_PROJECT_ROOT": str(folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": unquote(target.path),
            "QUERY_STRING": target.query,
            "REQUEST_METHOD": self.command,
            "REMOTE_ADDR": self.client_address[0],
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
        }
        optional = {
            "REMOTE_USER": user,
            "CONTENT_LENGTH": self.headers.get("Content-Length", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        return git_environment() | config | request | {name: value for name, value in optional.items() if value}

    def _send_body(self, sink: IO[bytes]) -> bool:
        """Send the request's body to the backend; False if the client went away before its end."""
        whole = True
        try:
            for piece in self._body():
                if piece is None:
                    whole = False
                    break
                sink.write(piece)
            sink.close()
        except BrokenPipeError:
            # The backend has answered without reading to the end (an error): its answer is what counts.
            self.close_connection = True
        return whole

    def _body(self) -> Iterator[bytes | None]:
        """The pieces of the body, de-chunked; None in place of what never came."""
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.send_response_only(100)
            self.end_headers()
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            yield from self._chunks()
        else:
            yield from self._exactly(int(self.headers.get("Content-Length") or 0))

    def _chunks(self) -> Iterator[bytes | None]:
        while True:
            line = self.rfile.readline(CHUNK).split(b";")[0].strip()
            try:
                size = int(line, 16)
            except ValueError:
                yield None
                return
            if size == 0:
                while self.rfile.readline(CHUNK).strip():
                    pass
                return
            yield from self._exactly(size)
            self.rfile.readline(CHUNK)

    def _exactly(self, size: int) -> Iterator[bytes | None]:
        while size > 0:
            piece = self.rfile.read(min(CHUNK, size))
            if not piece:
                yield None
                return
            size -= len(piece)
            yield piece

    def _relay(self, source: io.BufferedReader) -> None:
        """Turn the backend's CGI answer into HTTP, streaming."""
        status, headers = 200, []
        for line in iter(source.readline, b""):
            text = line.decode("latin-1").strip()
            if not text:
                break
            name, _, value = text.partition(":")
            if name.lower() == "status":
                status = int(value.split()[0])
            else:
                headers.append((name, value.strip()))
        else:
            return self._answer(502, "git http-backend ended without an answer")
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while piece := source.read1(CHUNK):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")
        return None

    def _answer(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        """An answer of our own, after which the connection ends."""
        with contextlib.suppress(OSError):
            for _ in self._body():  # a client that is still writing would see a reset in place of the answer
                pass
        body = f"{message}\n".encode()
        self.close_connection = True
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)


def main(arguments: list[str] | None = None) -> int:
    """Serve until a signal ends it."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.gitserver", description=__doc__)
    parser.add_argument("--root", required=True, help="folder of the bare repositories")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--user", action="append", default=[], metavar="NAME:TOKEN", help="who may come in; repeatable")
    options = parser.parse_args(arguments)
    users = dict(user.partition(":")[::2] for user in options.user)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    try:
        with GitServer(options.root, options.port, users=users) as server:
            print(server.url, flush=True)
            ended.wait()
    except SourceError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
