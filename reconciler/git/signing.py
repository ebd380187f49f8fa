"""Signatures by SSH keys, made and checked by `ssh-keygen -Y`, the program that Git uses for them."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from reconciler.errors import SourceError

NAMESPACE = "siteshift.io"
"""What a signature is for: one that the same key made for Git or for a file is none of ours."""

SECONDS = 10.0


def sign(key: Path, data: bytes) -> bytes:
    """The signature of data by a private key without a passphrase. Raises `SourceError`."""
    done = _run(["-Y", "sign", "-q", "-f", str(key), "-n", NAMESPACE], data)
    if done.returncode:
        raise SourceError(f"the key {key} does not sign: {_last_line(done.stderr)}")
    return done.stdout


def is_signed(data: bytes, signature: bytes, keys: Sequence[str]) -> bool:
    """Whether one of the public keys (as `ssh-ed25519 AAAA…`) made the signature of data."""
    with tempfile.TemporaryDirectory() as folder:
        signers, made = Path(folder) / "signers", Path(folder) / "signature"
        signers.write_text("".join(f'site namespaces="{NAMESPACE}" {key}\n' for key in keys))
        made.write_bytes(signature)
        words = ["-Y", "verify", "-q", "-f", str(signers), "-I", "site", "-n", NAMESPACE, "-s", str(made)]
        return _run(words, data).returncode == 0


def _run(words: Sequence[str], data: bytes) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["ssh-keygen", *words], input=data, capture_output=True, timeout=SECONDS, check=False)
    except FileNotFoundError:
        raise SourceError("there is no program ssh-keygen: signatures of sites need OpenSSH 8.2") from None
    except subprocess.TimeoutExpired:
        raise SourceError(f"ssh-keygen gave no answer in {SECONDS:g} seconds") from None


def _last_line(said: bytes) -> str:
    return said.decode(errors="replace").strip().rpartition("\n")[2] or "it says nothing"
