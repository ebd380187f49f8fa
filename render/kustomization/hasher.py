"""The suffix that a generated name gets from its content.

The hash covers kind, data and a Secret's type, and neither name nor labels (K27), so an overlay's prefix does not
change it.
"""

from __future__ import annotations

from typing import Any

from render.digests import sha256
from render.errors import KustomizationError
from render.kustomization.ids import text_of
from render.kustomization.values import go_json

_READABLE = str.maketrans("013ae", "ghkmt")


def content_hash(manifest: dict[str, Any]) -> str:
    """Ten letters and digits. Raises `KustomizationError` for kinds that are never generated."""
    kind = manifest.get("kind")
    if kind == "ConfigMap":
        content = {"kind": kind, "name": "", "data": _part(manifest, "data")}
        extra = "binaryData"
    elif kind == "Secret":
        content = {"kind": kind, "name": "", "type": _part(manifest, "type"), "data": _part(manifest, "data")}
        extra = "stringData"
    else:
        raise KustomizationError(
            f"names of kind {kind} cannot have a hash",
            hint="only a ConfigMap's or a Secret's depends on nothing but its content: leave the annotation out",
        )
    if isinstance(manifest.get(extra), dict):
        content[extra] = manifest[extra]
    return encode(go_json(content))


def encode(text: str) -> str:
    """The hash of a text, in letters and digits that spell no words."""
    return sha256(text.encode("utf-8", "surrogatepass"))[:10].translate(_READABLE)


def _part(manifest: dict[str, Any], name: str) -> Any:
    if name not in manifest:
        return ""
    value = manifest[name]
    if isinstance(value, dict):
        return value
    return None if isinstance(value, list) else text_of(value)
