"""Who we are to a Git server: a file, Git's own credential helpers, or the SSH agent. Secrets never reach a message."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from reconciler.errors import SourceError

HELPER_TIMEOUT = 20.0
"""Seconds; a helper that asks a person or a dead network must not hold up a site."""

_IN_URL = re.compile(r"(?<=://)(?:[^/\s'\"<>]*:[^\s'\"<>]*|[^/\s'\"<>]+)@")
"""A user with a password up to the last @, for passwords hold slashes and more of them; a user alone up to the path."""


@dataclass(frozen=True, slots=True)
class Login:
    """A user and a password or token."""

    user: str
    secret: str

    def __repr__(self) -> str:
        return f"Login({self.user!r}, ***)"


LoginSource = Callable[[str], "Login | None"]
"""A URL → who we are there, if it is known."""


def mask(text: str) -> str:
    """The text without users and passwords in its URLs."""
    return _IN_URL.sub("***@", text)


def is_private_key(path: Path) -> bool:
    """Whether a credentials file is an SSH key rather than lines of logins."""
    return _read(path).lstrip().startswith("-----BEGIN ")


def from_file(path: Path) -> LoginSource:
    """Logins from `https://user:token@host` lines, as Git's store helper writes them. The file is read each time."""

    def login(url: str) -> Login | None:
        wanted = urlsplit(url)
        for line in _read(path).splitlines():
            entry = urlsplit(line.strip())
            fits = (entry.scheme, entry.hostname, entry.port) == (wanted.scheme, wanted.hostname, wanted.port)
            inside = wanted.path.rstrip("/").startswith(entry.path.rstrip("/"))
            if fits and inside and entry.password is not None:
                return Login(unquote(entry.username or ""), unquote(entry.password))
        return None

    return login


def from_helper(url: str) -> Login | None:
    """The login that Git's configured credential helpers know; never asks a person."""
    parts = urlsplit(url)
    asked = f"protocol={parts.scheme}\nhost={parts.netloc.rpartition('@')[2]}\npath={parts.path.lstrip('/')}\n"
    if parts.username:
        asked += f"username={unquote(parts.username)}\n"
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "true", "SSH_ASKPASS": "true"}
    try:
        answer = subprocess.run(
            ["git", "credential", "fill"],
            input=asked + "\n",
            env=environment,
            capture_output=True,
            text=True,
            timeout=HELPER_TIMEOUT,
            check=False,
        )
    except FileNotFoundError:
        return None
    except subprocess.TimeoutExpired:
        raise SourceError(f"the Git credential helper gave no answer in {HELPER_TIMEOUT:g} seconds") from None
    fields: dict[str, Any] = dict(line.split("=", 1) for line in answer.stdout.splitlines() if "=" in line)
    if answer.returncode or not fields.get("password"):
        return None
    return Login(fields.get("username", ""), fields["password"])


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise SourceError(f"the credentials file {path} cannot be read: {reason}") from None
