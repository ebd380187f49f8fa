"""A Secret's `stringData` as `data`, where the server keeps it anyway.

Sent as it is, `stringData` is a field that nobody can read back: a key that Git no longer has would stay in `data`
for ever, and no comparison could tell.
"""

from __future__ import annotations

import base64

from reconciler.cluster.redaction import is_secret
from reconciler.objects import Manifest


def with_encoded_data(manifest: Manifest) -> Manifest:
    """The manifest with `stringData` moved into `data`, where it wins; any other manifest as it is."""
    if not is_secret(manifest) or "stringData" not in manifest:
        return manifest
    written = manifest["stringData"] or {}
    encoded = {key: base64.b64encode(str(value).encode()).decode() for key, value in written.items()}
    rest = {key: value for key, value in manifest.items() if key != "stringData"}
    return {**rest, "data": {**(manifest.get("data") or {}), **encoded}}
