"""Who may speak for a site: its acks and heartbeats are signed by one of the keys that siteshift.yaml names for it.

A signature is bound to the site and the file; sequence and counter are in what is signed, so an older word cannot pass
for a newer one. A site without keys is believed as its ref says.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path

from reconciler.git.signing import is_signed, sign

SUFFIX = ".sig"
"""The signature of a file lies beside it."""

MOST_REMEMBERED = 4096


class Signatures:
    """`keys`: the public keys of each site, by its name; replaced when the fleet changes. `own`: this site's private
    key, None where it signs nothing."""

    def __init__(self, own: Path | None = None, keys: Mapping[str, tuple[str, ...]] | None = None) -> None:
        self.keys: Mapping[str, tuple[str, ...]] = keys or {}
        self._own = own
        self._judged: OrderedDict[tuple[object, ...], bool] = OrderedDict()

    def signed(self, site: str, files: Mapping[str, bytes]) -> dict[str, bytes]:
        """The files of this site with the signature of each. Raises `SourceError` where they cannot be signed."""
        if self._own is None:
            return dict(files)
        signatures = {name + SUFFIX: sign(self._own, _said(site, name, data)) for name, data in files.items()}
        return {**files, **signatures}

    def wrong(self, site: str, name: str, files: Mapping[str, bytes]) -> str:
        """Why a file of a site's ref is not its word ("": it is, or the site has no keys). Raises `SourceError` where
        it cannot be told."""
        keys = self.keys.get(site, ())
        if not keys:
            return ""
        signature = files.get(name + SUFFIX)
        if signature is None:
            return f"its {name} is not signed, and siteshift.yaml names keys of site {site}"
        if not self._is_signed(_said(site, name, files[name]), signature, keys):
            return f"its {name} is signed by none of the keys that siteshift.yaml names for site {site}"
        return ""

    def _is_signed(self, said: bytes, signature: bytes, keys: tuple[str, ...]) -> bool:
        key = (said, signature, keys)
        if key not in self._judged:
            self._judged[key] = is_signed(said, signature, keys)
            while len(self._judged) > MOST_REMEMBERED:
                self._judged.popitem(last=False)
        return self._judged[key]


def _said(site: str, name: str, data: bytes) -> bytes:
    return f"{site}/{name}\n".encode() + data
