"""How an API server's answers become errors: one table, looked up by reason first and by HTTP status second.

The message is the server's own, masked. What nobody can conclude anything from is Unreachable, whatever its status:
a gateway's 502 and an overloaded server's 503 say nothing about the object.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from reconciler.cluster.redaction import mask_refusal
from reconciler.errors import (
    AlreadyExists,
    ClusterError,
    Conflict,
    Expired,
    Invalid,
    NotFound,
    Refused,
    Unreachable,
)
from reconciler.objects import Manifest

BY_REASON: Mapping[str, type[ClusterError]] = {
    "AlreadyExists": AlreadyExists,
    "Conflict": Conflict,
    "Expired": Expired,
    "Gone": Expired,
    "NotFound": NotFound,
    "Unauthorized": Refused,
    "Forbidden": Refused,
    "Timeout": Unreachable,
    "ServerTimeout": Unreachable,
    "TooManyRequests": Unreachable,
    "ServiceUnavailable": Unreachable,
}

BY_STATUS: Mapping[int, type[ClusterError]] = {
    400: Invalid,
    401: Refused,
    403: Refused,
    404: NotFound,
    409: Conflict,
    410: Expired,
    413: Invalid,
    415: Invalid,
    422: Invalid,
    429: Unreachable,
    502: Unreachable,
    503: Unreachable,
    504: Unreachable,
}

_POLICY = "ValidatingAdmissionPolicy"
_WEBHOOK = "admission webhook"
_LONGEST_TEXT = 300


def error_for(status: int, body: bytes, *, what: str, manifest: Manifest | None = None) -> ClusterError:
    """The error that an answer is. `what` was asked for, such as "apply ConfigMap ns/name"."""
    answer = _status_object(body)
    reason = str(answer.get("reason") or "")
    message = str(answer.get("message") or "") or _plain_text(body) or f"HTTP {status}"
    status = int(answer.get("code") or status)
    return error_of(status, reason, f"{what}: {mask_refusal(message, manifest)}")


def error_of(status: int, reason: str, message: str) -> ClusterError:
    """The error of a status and reason, with a message that is already masked."""
    if status == 422 and (_POLICY in message or _WEBHOOK in message):
        kind: type[ClusterError] = Refused
    elif "field not declared in schema" in message:
        kind = Invalid
    else:
        kind = BY_REASON.get(reason) or BY_STATUS.get(status, ClusterError)
    return kind(message, status=status, reason=reason)


def _status_object(body: bytes) -> Mapping[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) and answer.get("kind") == "Status" else {}


def _plain_text(body: bytes) -> str:
    """The first line of an answer that is no Status; a page of HTML says nothing worth showing."""
    text = body.decode("utf-8", "replace").strip()
    return "" if text.startswith(("<", "{")) else text.partition("\n")[0][:_LONGEST_TEXT]
