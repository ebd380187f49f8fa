"""What must never be shown, masked where it enters: an error or a diff is built from masked text only.

Secrets reach us in three shapes: the data of a Secret, credentials in a URL, and bearer tokens. API servers also
quote the offending value of a Secret in their error messages.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from typing import Any

from reconciler.objects import Manifest

MASK = "*****"
"""Stands for a secret value, whatever its length."""

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
"""kubectl keeps the whole manifest here, a Secret's values included."""

_URL_CREDENTIALS = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*://)[^/\s@]+@")
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}")
_QUOTED_VALUE = re.compile(r'(Invalid value: )("(?:[^"\\]|\\.)*"|[^:]*)')
_DECODER_CONTEXT = re.compile(r"\|[^|]*\|")
_SHORTEST_SECRET = 4


def is_secret(manifest: Manifest) -> bool:
    """Whether the manifest is a core Secret."""
    return manifest.get("kind") == "Secret" and manifest.get("apiVersion") == "v1"


def mask_text(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without credentials in URLs, without authorisation values and without the given secrets."""
    text = _URL_CREDENTIALS.sub(rf"\1{MASK}@", text)
    text = _BEARER.sub(rf"\1 {MASK}", text)
    for secret in sorted({s for s in secrets if len(s) >= _SHORTEST_SECRET}, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


def mask_refusal(text: str, manifest: Manifest | None) -> str:
    """An API server's message about a manifest, without what it quotes of a Secret."""
    if manifest is None or not is_secret(manifest):
        return mask_text(text)
    text = mask_text(text, secret_values(manifest))
    text = _QUOTED_VALUE.sub(rf"\1{MASK}", text)
    return _DECODER_CONTEXT.sub(f"|{MASK}|", text)


def secret_values(manifest: Manifest) -> Iterator[str]:
    """Every value of a Secret as text: as it is written and, for `data`, decoded too."""
    for value in (manifest.get("stringData") or {}).values():
        yield str(value)
    for value in (manifest.get("data") or {}).values():
        yield str(value)
        try:
            yield base64.b64decode(str(value)).decode()
        except (binascii.Error, ValueError):
            continue


def mask_manifest(manifest: Manifest) -> Manifest:
    """A copy in which a Secret's values are masked; any other manifest is returned as it is."""
    if not is_secret(manifest):
        return manifest
    masked: dict[str, Any] = dict(manifest)
    for field in ("data", "stringData"):
        if isinstance(masked.get(field), dict):
            masked[field] = dict.fromkeys(masked[field], MASK)
    annotations = (masked.get("metadata") or {}).get("annotations") or {}
    if LAST_APPLIED in annotations:
        masked["metadata"] = {**masked["metadata"], "annotations": {**annotations, LAST_APPLIED: MASK}}
    return masked
