"""One call of an admission webhook: an AdmissionReview over HTTPS, trusted by the webhook's caBundle."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from reconciler.errors import SiteshiftError

VOLATILE = ("creationTimestamp", "managedFields")
"""Metadata that differs between two tries of one write, and makes no other question of it."""

LONGEST_ANSWER = 1 << 20
Manifest = dict[str, Any]
Resolve = Callable[[Mapping[str, Any]], str]
"""The `host:port` of a `clientConfig.service`. Raises `CallError`."""


class CallError(SiteshiftError):
    """A webhook could not be called, or its answer cannot be used."""


class Question:
    """What one webhook is asked about one write; `key` is the same for the same question."""

    def __init__(self, webhook: Mapping[str, Any], asked: Manifest) -> None:
        self.webhook, self.asked = webhook, asked
        plain = {name: _settled(asked[name]) for name in ("object", "oldObject")}
        self.key = json.dumps([webhook["name"], webhook["clientConfig"], {**asked, **plain}], sort_keys=True)


class AnswerNeeded(Exception):
    """A write cannot go on before a webhook has answered."""

    def __init__(self, question: Question) -> None:
        super().__init__(question.webhook["name"])
        self.question = question


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a webhook listens: what is connected to, the name in its certificate, and the address for messages."""

    host: str
    port: int
    server_name: str
    path: str
    shown: str


def _settled(manifest: Manifest | None) -> Manifest | None:
    if manifest is None:
        return None
    metadata = {key: value for key, value in manifest["metadata"].items() if key not in VOLATILE}
    return {**manifest, "metadata": metadata}


def ask(question: Question, resolve: Resolve) -> Mapping[str, Any] | CallError:
    """A webhook's answer: `response` of its AdmissionReview, or why there is none."""
    webhook = question.webhook
    try:
        if "v1" not in webhook["admissionReviewVersions"]:
            raise CallError("no v1 among its admissionReviewVersions: the sandbox speaks no other")
        endpoint = endpoint_of(webhook, resolve)
        uid = str(uuid.uuid4())
        review = {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1"}
        body = json.dumps({**review, "request": {"uid": uid, **question.asked}}).encode()
        return _checked(_posted(webhook, endpoint, body), uid)
    except CallError as error:
        return error


def endpoint_of(webhook: Mapping[str, Any], resolve: Resolve) -> Endpoint:
    """Where to call a webhook, by its `clientConfig`."""
    config = webhook["clientConfig"]
    query = f"timeout={webhook.get('timeoutSeconds', 10)}s"
    if config.get("url"):
        parts = urlsplit(config["url"])
        path = f"{parts.path or '/'}?{f'{parts.query}&' if parts.query else ''}{query}"
        host = parts.hostname or ""
        return Endpoint(host, parts.port or 443, host, path, f"https://{parts.netloc}{path}")
    service = config["service"]
    name = f"{service['name']}.{service['namespace']}.svc"
    path = f"/{(service.get('path') or '').lstrip('/')}?{query}"
    host, _, port = resolve(service).rpartition(":")
    return Endpoint(host, int(port), name, path, f"https://{name}:{service.get('port', 443)}{path}")


def _posted(webhook: Mapping[str, Any], endpoint: Endpoint, body: bytes) -> bytes:
    timeout = float(webhook.get("timeoutSeconds", 10))
    try:
        bundle = webhook["clientConfig"].get("caBundle")
        context = ssl.create_default_context(cadata=base64.b64decode(bundle).decode() if bundle else None)
        connection = _Connection(endpoint, context, timeout)
        try:
            connection.request("POST", endpoint.path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            data = answer.read(LONGEST_ANSWER + 1)
        finally:
            connection.close()
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise CallError(f'failed to call webhook: Post "{endpoint.shown}": {error}') from None
    if answer.status != 200:
        words = data[:200].decode(errors="replace").strip()
        raise CallError(f"failed to call webhook: the server answered {answer.status}: {words}")
    if len(data) > LONGEST_ANSWER:
        raise CallError(f"failed to call webhook: its answer is longer than {LONGEST_ANSWER} bytes")
    return data


class _Connection(http.client.HTTPSConnection):
    """HTTPS to an address whose certificate is for another name, as a Service's is."""

    def __init__(self, endpoint: Endpoint, context: ssl.SSLContext, timeout: float) -> None:
        super().__init__(endpoint.host, endpoint.port, timeout=timeout, context=context)
        self._endpoint, self._trust = endpoint, context

    def connect(self) -> None:
        """Connect, and check the certificate against the webhook's own name."""
        http.client.HTTPConnection.connect(self)
        self.sock = self._trust.wrap_socket(self.sock, server_hostname=self._endpoint.server_name)


def _checked(data: bytes, uid: str) -> Mapping[str, Any]:
    try:
        review = json.loads(data)
        response = review["response"]
        stated = review.get("apiVersion"), review.get("kind")
    except (ValueError, TypeError, KeyError, AttributeError):
        raise CallError("received invalid webhook response: no AdmissionReview with a response") from None
    if stated != ("admission.k8s.io/v1", "AdmissionReview"):
        wanted = "admission.k8s.io/v1, Kind=AdmissionReview"
        raise CallError(f"received invalid webhook response: expected webhook response of {wanted}, got {stated}")
    if not isinstance(response, dict) or response.get("uid") != uid:
        raise CallError(f'received invalid webhook response: expected response.uid="{uid}"')
    return response
