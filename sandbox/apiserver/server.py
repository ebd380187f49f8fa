"""The API server as one thing that is started and stopped, in process or as a program."""

from __future__ import annotations

import json
import secrets
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from sandbox.apiserver import bootstrap, certificates
from sandbox.apiserver.api import Api
from sandbox.apiserver.audit import Audit
from sandbox.apiserver.faults import Faults
from sandbox.apiserver.housekeeping import Housekeeper
from sandbox.apiserver.moments import WallClock
from sandbox.apiserver.requests import User
from sandbox.apiserver.store import HISTORY, Store
from sandbox.apiserver.wire import Listener

USERS = ("admin", "controller", "simulation", "checker")
TOKENS_FILE = "tokens.json"


class ApiServer:
    """One embedded cluster's API.

    data: folder of the store, certificates and tokens, kept over restarts; None keeps nothing (a temporary folder
    holds the certificates). port 0 takes a free one. users get a bearer token each: `tokens[user]`. clock gives the
    wall time that objects and the Date header carry. audit is a file of JSON lines.
    """

    def __init__(
        self,
        data: Path | str | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        users: Sequence[str] = USERS,
        tokens: Mapping[str, str] | None = None,
        audit: Path | str | None = None,
        clock: WallClock = time.time,
        history: int = HISTORY,
    ) -> None:
        self._temporary = None if data is not None else tempfile.TemporaryDirectory(prefix="apiserver-")
        self.folder = Path(data if data is not None else self._temporary.name)  # type: ignore[union-attr]
        certificates.ensure(self.folder)
        self.tokens = _tokens(self.folder / TOKENS_FILE, users, tokens or {})
        known = {token: User(name, _groups(name)) for name, token in self.tokens.items()}
        self.store = Store(self.folder if data is not None else None, history=history)
        self.api = Api(self.store, known, clock, Audit(Path(audit)) if audit else None)
        self._listener = Listener(host, port, certificates.context(self.folder), self.api.handle, self.api.date)
        self.url = f"https://{host}:{self._listener.port}"
        self.ca_file = self.folder / certificates.CA_FILE
        self._housekeeper = Housekeeper(self.api)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._listener.port

    @property
    def faults(self) -> Faults:
        """Trouble on demand."""
        return self.api.faults

    def start(self) -> ApiServer:
        """Serve; returns when requests are answered."""
        bootstrap.fill(self.api, self.url)
        self._housekeeper.start()
        self._listener.start()
        return self

    def stop(self) -> None:
        """Serve no more: watches end, connections close, threads are joined."""
        self._housekeeper.ask_to_stop()
        self.store.close()
        self._listener.stop()
        self._housekeeper.join()
        if self.api.audit:
            self.api.audit.close()
        if self._temporary:
            self._temporary.cleanup()

    def __enter__(self) -> ApiServer:
        return self.start()

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def kubeconfig(self, user: str = "admin") -> str:
        """A kubeconfig (JSON, which is YAML) with which kubectl and client libraries reach this server."""
        cluster = {"server": self.url, "certificate-authority": str(self.ca_file.resolve())}
        context = {"cluster": "sandbox", "user": user, "namespace": "default"}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "sandbox", "cluster": cluster}],
            "users": [{"name": user, "user": {"token": self.tokens[user]}}],
            "contexts": [{"name": "sandbox", "context": context}],
            "current-context": "sandbox",
        }
        return json.dumps(config, indent=2) + "\n"


def _groups(user: str) -> tuple[str, ...]:
    return ("system:masters", "system:authenticated") if user == "admin" else ("system:authenticated",)


def _tokens(path: Path, users: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    """Each user's token: what is given, else what the folder keeps, else a new one."""
    kept: dict[str, str] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    tokens = {**{user: secrets.token_urlsafe(24) for user in users}, **kept, **given}
    if tokens != kept:
        fresh = path.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(tokens, indent=2), "utf-8")
        fresh.replace(path)
    return tokens
