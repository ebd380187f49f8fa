"""Admission webhooks are called over HTTPS with the caBundle, and change, refuse, warn or fail as in Kubernetes."""

from __future__ import annotations

import base64
import json
import threading
import uuid
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from sandbox.apiserver import certificates

Manifest = dict[str, Any]
GROUP = "/apis/admissionregistration.k8s.io/v1"
MAPS = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["configmaps"]}
SCALES = {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["deployments/scale"]}
ALLOWED = {"allowed": True}


class Webhook:
    """A webhook's server: `answer` makes the response of each review; `asked` are the requests so far."""

    def __init__(self, folder: Path) -> None:
        certificates.ensure(folder)
        self.asked: list[Manifest] = []
        self.answer: Callable[[Manifest], Manifest] = lambda _request: ALLOWED
        self.raw: bytes | None = None
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                owner.asked.append(review["request"])
                response = {"uid": review["request"]["uid"], **owner.answer(review["request"])}
                body = owner.raw or json.dumps({**review, "request": None, "response": response}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """The tests read what was asked, not a log."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.socket = certificates.context(folder).wrap_socket(self._server.socket, server_side=True)
        self.config = {
            "url": f"https://127.0.0.1:{self._server.server_address[1]}/review",
            "caBundle": base64.b64encode((folder / certificates.CA_FILE).read_bytes()).decode(),
        }
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def webhook(tmp_path: Path) -> Iterator[Webhook]:
    made = Webhook(tmp_path)
    yield made
    made.stop()


class Installed:
    """Webhook configurations for one namespace, each in force before the test goes on, and removed after it."""

    def __init__(self, api: Any, namespace: str) -> None:
        self._api, self._namespace, self._paths = api, namespace, list[str]()
        self.probe = f"/api/v1/namespaces/{namespace}/configmaps"

    def install(self, kind: str, config: Manifest, *, rule: Manifest = MAPS, **more: Any) -> str:
        name = f"w{uuid.uuid4().hex[:8]}.example.com"
        own = {
            "name": name,
            "clientConfig": config,
            "rules": [rule],
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
            "timeoutSeconds": 5,
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": self._namespace}},
            **more,
        }
        path = f"{GROUP}/{kind.lower()}webhookconfigurations"
        manifest = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": f"{kind}WebhookConfiguration"}
        made = self._api.create(path, {**manifest, "metadata": {"name": name}, "webhooks": [own]})
        assert made.code == 201, made.body
        self._paths.append(f"{path}/{name}")
        return name

    def remove(self) -> None:
        for path in self._paths:
            self._api.delete(path)


@pytest.fixture
def installed(api, namespace) -> Iterator[Installed]:
    made = Installed(api, namespace)
    yield made
    made.remove()


def config_map(name: str = "m", **data: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def patch(*operations: Manifest) -> Manifest:
    coded = base64.b64encode(json.dumps(operations).encode()).decode()
    return {"allowed": True, "patchType": "JSONPatch", "patch": coded}


def wait_asked(api: Any, webhook: Webhook, maps: str) -> None:
    """Until the server knows of the webhook: a dry run asks it."""
    api.eventually(
        lambda: api.create(maps, config_map("probe", colour="blue"), dryRun="All"), lambda _answer: bool(webhook.asked)
    )
    webhook.asked.clear()


def test_a_validating_webhook_denies_in_its_own_words(api, core, webhook, installed) -> None:
    name = installed.install("Validating", webhook.config)
    wait_asked(api, webhook, f"{core}/configmaps")
    webhook.answer = lambda _request: {
        "allowed": False,
        "status": {"code": 403, "reason": "Forbidden", "message": "no"},
    }
    answer = api.create(f"{core}/configmaps", config_map(colour="blue"))
    assert (answer.code, answer.body["reason"]) == (403, "Forbidden")
    assert answer.body["message"] == f'admission webhook "{name}" denied the request: no'
    assert api.get(f"{core}/configmaps/m").code == 404


def test_a_denial_without_words_says_so(api, core, webhook, installed) -> None:
    name = installed.install("Validating", webhook.config)
    wait_asked(api, webhook, f"{core}/configmaps")
    webhook.answer = lambda _request: {"allowed": False}
    answer = api.create(f"{core}/configmaps", config_map())
    assert answer.code == 400
    assert answer.body["message"] == f'admission webhook "{name}" denied the request without explanation'


def test_what_a_webhook_is_asked(api, core, namespace, webhook, installed) -> None:
    installed.install("Validating", webhook.config)
    wait_asked(api, webhook, f"{core}/configmaps")
    made = api.create(f"{core}/configmaps", config_map(colour="blue"))
    assert made.code == 201
    (asked,) = webhook.asked
    core_v1 = {"group": "", "version": "v1"}
    assert asked["kind"] == asked["requestKind"] == {**core_v1, "kind": "ConfigMap"}
    assert asked["resource"] == asked["requestResource"] == {**core_v1, "resource": "configmaps"}
    assert (asked["name"], asked["namespace"], asked["operation"]) == ("m", namespace, "CREATE")
    assert asked["userInfo"]["username"]
    assert (asked["dryRun"], asked["oldObject"]) == (False, None)
    assert asked["options"]["kind"] == "CreateOptions"
    assert asked["object"]["data"] == {"colour": "blue"}
    assert asked["object"]["metadata"]["uid"] == made.body["metadata"]["uid"]


def test_updates_and_deletions_show_the_old_object(api, core, webhook, installed) -> None:
    installed.install("Validating", webhook.config)
    wait_asked(api, webhook, f"{core}/configmaps")
    api.create(f"{core}/configmaps", config_map(colour="blue"))
    webhook.asked.clear()
    assert api.patch(f"{core}/configmaps/m", {"data": {"colour": "red"}}).code == 200
    assert api.delete(f"{core}/configmaps/m").code == 200
    update, deletion = webhook.asked
    assert (update["operation"], update["object"]["data"]) == ("UPDATE", {"colour": "red"})
    assert update["oldObject"]["data"] == {"colour": "blue"}
    assert (deletion["operation"], deletion["object"]) == ("DELETE", None)
    assert deletion["oldObject"]["data"] == {"colour": "red"}


def test_a_mutating_webhook_changes_what_is_stored(api, core, webhook, installed) -> None:
    installed.install("Mutating", webhook.config)
    wait_asked(api, webhook, f"{core}/configmaps")
    webhook.answer = lambda _request: patch({"op": "add", "path": "/data/added", "value": "by-webhook"})
    assert api.create(f"{core}/configmaps", config_map(colour="blue")).code == 201
    assert api.get(f"{core}/configmaps/m").body["data"] == {"colour": "blue", "added": "by-webhook"}
    webhook.answer = lambda _request: patch({"op": "replace", "path": "/data/colour", "value": "green"})
    body = config_map(colour="red", added="x")
    assert api.apply(f"{core}/configmaps/m", body, manager="t", force=True).code == 200
    assert api.get(f"{core}/configmaps/m").body["data"] == {"colour": "green", "added": "x"}


def test_what_a_mutating_webhook_makes_is_validated(api, core, webhook, installed) -> None:
    installed.install("Mutating", webhook.config)
    wait_asked(api, webhook, f"{core}/configmaps")
    webhook.answer = lambda _request: patch({"op": "add", "path": "/metadata/labels", "value": {"a b": "c"}})
    answer = api.create(f"{core}/configmaps", config_map())
    assert answer.code == 422
    assert ("metadata.labels", "FieldValueInvalid") in answer.causes


def test_a_warning_reaches_the_client(api, core, webhook, installed) -> None:
    installed.install("Validating", webhook.config)
    wait_asked(api, webhook, f"{core}/configmaps")
    webhook.answer = lambda _request: {"allowed": True, "warnings": ["mind the gap"]}
    answer = api.create(f"{core}/configmaps", config_map())
    assert answer.code == 201
    assert answer.warnings == ['299 - "mind the gap"']


def test_a_webhook_may_read_and_write_through_the_server(api, core, webhook, installed, request) -> None:
    """It is not called while the server holds a lock: webhooks of operators are clients of the server."""
    installed.install("Validating", webhook.config, rule={**MAPS, "operations": ["CREATE"]})
    wait_asked(api, webhook, f"{core}/configmaps")
    other = type(api)(api.name, api.address, api.ca_file, api.token)
    request.addfinalizer(other.close)

    def answer(_request: Manifest) -> Manifest:
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "seen"}}
        return {"allowed": other.create(f"{core}/secrets", secret).code == 201}

    webhook.answer = answer
    assert api.create(f"{core}/configmaps", config_map()).code == 201
    assert api.get(f"{core}/secrets/seen").code == 200


NOWHERE = "https://127.0.0.1:9/review"


def test_a_webhook_that_cannot_be_called_fails_the_write(api, core, webhook, installed) -> None:
    name = installed.install("Validating", {**webhook.config, "url": NOWHERE})
    maps = f"{core}/configmaps"
    answer = api.eventually(lambda: api.create(maps, config_map(), dryRun="All"), lambda a: a.code != 201)
    assert (answer.code, answer.body["reason"]) == (500, "InternalError")
    start = f'Internal error occurred: failed calling webhook "{name}": failed to call webhook: Post '
    assert answer.body["message"].startswith(f'{start}"{NOWHERE}?timeout=5s": ')


def test_its_failure_may_be_ignored(api, core, webhook, installed) -> None:
    installed.install("Validating", {**webhook.config, "url": NOWHERE}, failurePolicy="Ignore")
    installed.install("Validating", webhook.config)
    wait_asked(api, webhook, f"{core}/configmaps")
    assert api.create(f"{core}/configmaps", config_map()).code == 201


def test_another_authority_is_not_trusted(api, core, webhook, installed, tmp_path) -> None:
    certificates.ensure(tmp_path / "other")
    bundle = base64.b64encode((tmp_path / "other" / certificates.CA_FILE).read_bytes()).decode()
    installed.install("Validating", {**webhook.config, "caBundle": bundle})
    maps = f"{core}/configmaps"
    answer = api.eventually(lambda: api.create(maps, config_map(), dryRun="All"), lambda a: a.code != 201)
    assert answer.code == 500
    assert "certificate" in answer.body["message"]
    assert webhook.asked == []


def test_an_answer_that_is_none_fails_the_write(api, core, webhook, installed) -> None:
    installed.install("Validating", webhook.config)
    wait_asked(api, webhook, f"{core}/configmaps")
    webhook.answer = lambda _request: {"allowed": True, "uid": "of-another-review"}
    answer = api.create(f"{core}/configmaps", config_map())
    assert answer.code == 500
    assert "received invalid webhook response" in answer.body["message"]


@pytest.mark.parametrize(
    ("more", "asked"),
    [
        pytest.param({"objectSelector": {"matchLabels": {"watched": "yes"}}}, False, id="object-selector"),
        pytest.param({"matchConditions": [{"name": "c", "expression": "object.data.colour == 'red'"}]}, False, id="no"),
        pytest.param(
            {"matchConditions": [{"name": "c", "expression": "object.data.colour == 'blue'"}]}, True, id="yes"
        ),
    ],
)
def test_whom_a_webhook_is_not_about_it_does_not_see(
    api, core, webhook, installed, more: Manifest, asked: bool
) -> None:
    selected = installed.install("Validating", {**webhook.config, "url": NOWHERE}, **more)
    installed.install("Validating", webhook.config)
    if not asked:
        wait_asked(api, webhook, f"{core}/configmaps")
    answer = api.eventually(
        lambda: api.create(f"{core}/configmaps", config_map(colour="blue"), dryRun="All"),
        lambda a: (a.code == 500) is asked,
    )
    assert (selected in answer.body.get("message", "")) is asked


def test_a_scale_is_shown_as_a_scale(api, core, apps, webhook, installed) -> None:
    installed.install("Validating", webhook.config, rule=SCALES)
    template = {"metadata": {"labels": {"app": "w"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "w"}}, "template": template}
    manifest = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "w"}, "spec": spec}
    assert api.create(f"{apps}/deployments", manifest).code == 201
    scale = {"spec": {"replicas": 4}}
    api.eventually(
        lambda: api.patch(f"{apps}/deployments/w/scale", scale, dryRun="All"), lambda _answer: bool(webhook.asked)
    )
    asked = webhook.asked[-1]
    assert asked["kind"] == {"group": "autoscaling", "version": "v1", "kind": "Scale"}
    assert (asked["resource"]["resource"], asked["subResource"]) == ("deployments", "scale")
    assert (asked["object"]["spec"], asked["oldObject"]["spec"]) == ({"replicas": 4}, {"replicas": 1})
    webhook.answer = lambda _request: {"allowed": False}
    assert api.patch(f"{apps}/deployments/w/scale", scale).code == 400
    assert api.get(f"{apps}/deployments/w").body["spec"]["replicas"] == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        pytest.param({"sideEffects": "Some"}, "webhooks[0].sideEffects", id="side-effects"),
        pytest.param({"name": "short"}, "webhooks[0].name", id="name"),
        pytest.param({"admissionReviewVersions": ["v9"]}, "webhooks[0].admissionReviewVersions", id="versions"),
        pytest.param({"clientConfig": {}}, "webhooks[0].clientConfig", id="nowhere"),
    ],
)
def test_a_webhook_that_cannot_work_is_refused(api, change: Manifest, field: str) -> None:
    good = {
        "name": "a.example.com",
        "clientConfig": {"url": "https://127.0.0.1:1/"},
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    kind = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration"}
    manifest = {**kind, "metadata": {"name": "never"}, "webhooks": [{**good, **change}]}
    answer = api.create(f"{GROUP}/validatingwebhookconfigurations", manifest)
    assert answer.code == 422, answer.body
    assert field in {place for place, _ in answer.causes}
