"""What the API server refuses, as the Status object that Kubernetes answers with."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from reconciler.errors import SiteshiftError

CODES = {
    "BadRequest": 400,
    "Unauthorized": 401,
    "Forbidden": 403,
    "NotFound": 404,
    "MethodNotAllowed": 405,
    "NotAcceptable": 406,
    "AlreadyExists": 409,
    "Conflict": 409,
    "Expired": 410,
    "RequestEntityTooLarge": 413,
    "UnsupportedMediaType": 415,
    "Invalid": 422,
    "TooManyRequests": 429,
    "InternalError": 500,
    "NotImplemented": 501,
    "ServiceUnavailable": 503,
    "Timeout": 504,
}
"""HTTP status of each reason."""


class Problem(SiteshiftError):
    """A request that is refused; becomes a `Status` of the given reason ("" is an error that Kubernetes gives none)."""

    def __init__(self, reason: str, message: str, details: dict[str, Any] | None = None, code: int = 0) -> None:
        super().__init__(message)
        self.reason, self.message, self.details = reason, message, details
        self.code = code or CODES.get(reason, 500)

    def status(self) -> dict[str, Any]:
        """The Status object, as JSON."""
        body: dict[str, Any] = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
        body["message"] = self.message
        if self.reason:
            body["reason"] = self.reason
        if self.details is not None:
            body["details"] = self.details
        return body | {"code": self.code}


def shown(value: Any) -> str:
    """A value as messages show it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def cause(reason: str, message: str, field: str = "") -> dict[str, str]:
    """One entry of `details.causes`; `reason` is Kubernetes' FieldValueInvalid, FieldManagerConflict, …"""
    found = {"reason": reason, "message": message}
    return found | {"field": field} if field else found


def details(resource: str, group: str, name: str, **more: Any) -> dict[str, Any]:
    """The `details` of a Status, without what is empty."""
    return {key: value for key, value in {"name": name, "group": group, "kind": resource, **more}.items() if value}


def qualified(resource: str, group: str) -> str:
    """`deployments.apps`, as messages name a resource."""
    return f"{resource}.{group}" if group else resource


def not_found(resource: str, group: str, name: str) -> Problem:
    """There is no such object."""
    message = f'{qualified(resource, group)} "{name}" not found'
    return Problem("NotFound", message, details(resource, group, name))


def already_exists(resource: str, group: str, name: str) -> Problem:
    """A create found the object there."""
    message = f'{qualified(resource, group)} "{name}" already exists'
    return Problem("AlreadyExists", message, details(resource, group, name))


def conflict(resource: str, group: str, name: str, why: str) -> Problem:
    """An optimistic lock or a precondition failed."""
    message = f'Operation cannot be fulfilled on {qualified(resource, group)} "{name}": {why}'
    return Problem("Conflict", message, details(resource, group, name))


def unsupported(kind: str, field: str, shown: str, supported: str) -> Problem:
    """A parameter whose value is none of the supported ones; `kind` is PatchOptions, DeleteOptions, …"""
    text = f"Unsupported value: {shown}: supported values: {supported}"
    return invalid(kind, "meta.k8s.io", "", [cause("FieldValueNotSupported", text, field)])


def no_resource() -> Problem:
    """The path names nothing that is served."""
    return Problem("NotFound", "the server could not find the requested resource", {})


def no_method() -> Problem:
    """The path is served, but not so."""
    return Problem("MethodNotAllowed", "the server does not allow this method on the requested resource", {})


MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


def forbidden(resource: str, group: str, name: str, why: str) -> Problem:
    """Admission or authorisation says no."""
    message = f'{qualified(resource, group)} "{name}" is forbidden: {why}'
    return Problem("Forbidden", message, details(resource, group, name))


def invalid(kind: str, group: str, name: str, causes: Sequence[dict[str, str]]) -> Problem:
    """The object is not valid; each cause names a field."""
    texts = [f"{one['field']}: {one['message']}" if "field" in one else one["message"] for one in causes]
    listed = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    message = f'{qualified(kind, group)} "{name}" is invalid: {listed}'
    return Problem("Invalid", message, details(kind, group, name, causes=list(causes)))


def not_implemented(what: str) -> Problem:
    """A feature of Kubernetes that the sandbox does not have; said by name rather than answered wrongly."""
    return Problem("NotImplemented", f"the sandbox's API server does not implement {what}")
