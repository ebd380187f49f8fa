"""`python -m sandbox.apiserver`: the embedded API server as a program of its own."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from reconciler.errors import SiteshiftError
from sandbox.apiserver.server import USERS, ApiServer


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox.apiserver", description=__doc__)
    parser.add_argument(
        "--data", type=Path, help="folder of the store, certificates and tokens (default: keep nothing)"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on (default: a free one)")
    parser.add_argument("--audit", type=Path, help="file that audit events are appended to")
    parser.add_argument("--user", action="append", default=[], help="a further user with a token of its own")
    parser.add_argument("--kubeconfig", type=Path, help="folder to write a kubeconfig for each user to")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; the address is printed once requests are answered."""
    options = _arguments(arguments)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    users = (*USERS, *options.user)
    try:
        server = ApiServer(options.data, host=options.host, port=options.port, users=users, audit=options.audit).start()
    except (SiteshiftError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if options.kubeconfig:
        options.kubeconfig.mkdir(parents=True, exist_ok=True)
        for user in server.tokens:
            path = options.kubeconfig / f"{user}.kubeconfig"
            path.touch(mode=0o600)
            path.write_text(server.kubeconfig(user), "utf-8")
    print(server.url, flush=True)
    while not stop.wait(3600):
        pass
    server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
