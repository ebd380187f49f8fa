"""A request as the API means it: verb, resource, object, parameters. Parsed once from method, path and query."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from sandbox.apiserver.kinds import Kind
from sandbox.apiserver.problems import Problem, not_implemented, unsupported

NAMESPACE_SUBRESOURCES = ("status", "finalize")
TRUE = ("true", "1", "True")


@dataclass(frozen=True, slots=True)
class User:
    """Who asks."""

    name: str
    groups: tuple[str, ...] = ("system:authenticated",)


@dataclass(slots=True)
class Request:
    """One HTTP request. Fields after `body` are empty for paths that name no resource."""

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]  # names in lower case
    body: bytes
    user: User
    target: str = ""
    verb: str = ""
    group: str = ""
    version: str = ""
    plural: str = ""
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    warnings: list[str] = field(default_factory=list)
    uid: str = field(default_factory=lambda: str(uuid.uuid4()))
    """The uid of what the request creates, the same in each try."""
    answers: dict[str, Any] = field(default_factory=dict)
    """What admission webhooks answered, by their question."""

    @property
    def dry_run(self) -> bool:
        """Whether nothing is to be stored; an unknown directive is refused."""
        value = self.query.get("dryRun", "")
        if value not in ("", "All"):
            options = {"create": "Create", "update": "Update", "patch": "Patch"}.get(self.verb, "Delete") + "Options"
            raise unsupported(options, "dryRun", f'["{value}"]', '"All"')
        return value == "All"

    def flag(self, name: str) -> bool:
        """A boolean parameter."""
        return self.query.get(name, "") in TRUE

    def number(self, name: str) -> int:
        """A whole number among the parameters; 0 if absent."""
        text = self.query.get(name, "")
        if not text:
            return 0
        try:
            return int(text)
        except ValueError:
            words = f'{name}: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": invalid syntax'
            raise Problem("BadRequest", words) from None

    @property
    def manager(self) -> str:
        """The field manager: the parameter, or what the client calls itself."""
        return self.query.get("fieldManager") or self.headers.get("user-agent", "unknown").split("/")[0][:128]


def parse(method: str, target: str, headers: Mapping[str, str], body: bytes, user: User) -> Request:
    """Read method, path and query; verbs as Kubernetes' audit log names them."""
    parts = urlsplit(target)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    request = Request(method, parts.path, query, headers, body, user, target)
    steps = [unquote(step) for step in parts.path.split("/") if step]
    if len(steps) >= 3 and steps[0] == "api":
        request.version, rest = steps[1], steps[2:]
    elif len(steps) >= 4 and steps[0] == "apis":
        request.group, request.version, rest = steps[1], steps[2], steps[3:]
    else:
        request.verb = method.lower()
        return request
    if rest[0] == "namespaces" and len(rest) >= 3 and not (len(rest) == 3 and rest[2] in NAMESPACE_SUBRESOURCES):
        request.namespace, rest = rest[1], rest[2:]
    request.plural = rest[0]
    request.name = rest[1] if len(rest) > 1 else ""
    request.subresource = "/".join(rest[2:])
    if request.plural == "namespaces" and not request.group:
        request.namespace = request.name
    request.verb = _verb(request)
    return request


def _verb(request: Request) -> str:
    match request.method:
        case "GET" | "HEAD":
            if request.flag("watch"):
                return "watch"
            return "get" if request.name else "list"
        case "POST":
            return "create"
        case "PUT":
            return "update"
        case "PATCH":
            return "patch"
        case "DELETE":
            return "delete" if request.name else "deletecollection"
    return request.method.lower()


def decode(data: bytes, content_type: str) -> dict[str, Any]:
    """A body as an object; JSON, or YAML where the client says so."""
    try:
        if "yaml" in content_type and not data.lstrip().startswith(b"{"):
            import yaml

            found = yaml.load(data, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        elif "protobuf" in content_type or "cbor" in content_type:
            raise not_implemented("protobuf and CBOR bodies (send JSON or YAML)")
        else:
            found = json.loads(data)
    except (ValueError, UnicodeDecodeError) as error:
        raise Problem("BadRequest", f"error decoding the request body: {error}") from None
    except Exception as error:
        if isinstance(error, Problem):
            raise
        raise Problem("BadRequest", f"error decoding YAML: {error}") from None
    if not isinstance(found, dict):
        raise Problem("BadRequest", "the request body is not an object")
    return found


def expect(kind: Kind, manifest: dict[str, Any]) -> dict[str, Any]:
    """The body is of the kind that the path names; absent apiVersion and kind are filled in for built-in kinds."""
    stated = manifest.get("apiVersion"), manifest.get("kind")
    if stated[1] in (None, "") and not kind.custom:
        return {"apiVersion": kind.api_version, "kind": kind.kind, **manifest}
    if stated != (kind.api_version, kind.kind):
        message = f"the API version or kind in the data ({stated[0]}, Kind={stated[1]}) does not match the expected"
        raise Problem("BadRequest", f"{message} ({kind.api_version}, Kind={kind.kind})")
    if not isinstance(manifest.get("metadata", {}), dict):
        raise Problem("BadRequest", "metadata is not an object")
    return manifest
