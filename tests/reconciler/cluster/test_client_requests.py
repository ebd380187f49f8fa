"""Every request as the server sees it, and every answer as the caller gets it."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from reconciler.cluster import Cluster
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

ONE = "/api/v1/namespaces/shop/configmaps/one"
MANIFEST = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "shop", "name": "one"}, "data": {}}


def test_apply_sends_json_as_server_side_apply_with_its_manager(cluster: Cluster, script: Any, say: Any) -> None:
    script.on("PATCH", ONE, say.Answer(body=say.config_map("one", "7")))
    with_fields = {**MANIFEST, "metadata": {**MANIFEST["metadata"], "managedFields": [{"manager": "x"}]}}

    answer = cluster.apply(with_fields, manager="siteshift", dry_run=True)

    (asked,) = script.requests(ONE)
    assert answer["metadata"]["resourceVersion"] == "7"
    assert asked.content_type == "application/apply-patch+yaml"
    assert asked.query == {"fieldManager": "siteshift", "force": "true", "dryRun": "All"}
    assert asked.body == MANIFEST


def test_delete_names_the_very_object_that_is_meant(cluster: Cluster, script: Any, say: Any) -> None:
    script.on("DELETE", ONE, say.Answer(body={"kind": "Status", "status": "Success"}))

    cluster.delete("v1", "ConfigMap", "shop", "one", uid="u-1", resource_version="7")

    (asked,) = script.requests(ONE)
    assert asked.body["preconditions"] == {"uid": "u-1", "resourceVersion": "7"}
    assert asked.body["propagationPolicy"] == "Background"


@pytest.mark.parametrize(
    ("method", "call", "path", "expected"),
    [
        pytest.param(
            "POST",
            lambda c: c.create(MANIFEST, manager="m"),
            "/api/v1/namespaces/shop/configmaps",
            {"fieldManager": "m"},
            id="create",
        ),
        pytest.param("PUT", lambda c: c.replace(MANIFEST, manager="m"), ONE, {"fieldManager": "m"}, id="replace"),
        pytest.param(
            "PUT",
            lambda c: c.replace_status(MANIFEST, manager="m"),
            f"{ONE}/status",
            {"fieldManager": "m"},
            id="replace-status",
        ),
        pytest.param(
            "PATCH",
            lambda c: c.patch("v1", "ConfigMap", "shop", "one", {"data": None}, manager="m"),
            ONE,
            {"fieldManager": "m"},
            id="merge-patch",
        ),
        pytest.param(
            "GET",
            lambda c: c.get("v1", "Namespace", None, "shop"),
            "/api/v1/namespaces/shop",
            {},
            id="get-cluster-scoped",
        ),
    ],
)
def test_verbs_and_paths(
    cluster: Cluster, script: Any, say: Any, method: str, call: Any, path: str, expected: dict[str, str]
) -> None:
    script.on(method, path, say.Answer(body=say.config_map("one", "1")))

    call(cluster)

    (asked,) = script.requests(path)
    assert (asked.method, asked.query) == (method, expected)


def test_a_list_is_read_in_pages_and_says_the_kind_of_each_item(cluster: Cluster, script: Any, say: Any) -> None:
    first = say.Answer(body={"metadata": {"continue": "more"}, "items": [{"metadata": {"name": "a"}}]})
    script.on("GET", "/api/v1/configmaps", first, say.listing("9", {"metadata": {"name": "b"}}))

    listing = cluster.list("v1", "ConfigMap", label_selector="app=shop")

    assert [(item["kind"], item["metadata"]["name"]) for item in listing.items] == [
        ("ConfigMap", "a"),
        ("ConfigMap", "b"),
    ]
    assert listing.resource_version == "9"
    assert [asked.query.get("continue") for asked in script.requests("/api/v1/configmaps")] == [None, "more"]
    assert "resourceVersion" not in script.requests("/api/v1/configmaps")[0].query


def test_a_list_whose_pages_expire_is_read_at_once(cluster: Cluster, script: Any, say: Any) -> None:
    first = say.Answer(body={"metadata": {"continue": "more"}, "items": [{"metadata": {"name": "a"}}]})
    whole = say.listing("9", {"metadata": {"name": "a"}}, {"metadata": {"name": "b"}})
    script.on("GET", "/api/v1/configmaps", first, say.status(410, "Expired", "too old"), whole)

    assert len(cluster.list("v1", "ConfigMap").items) == 2


@pytest.mark.parametrize(
    ("code", "reason", "message", "expected"),
    [
        pytest.param(404, "NotFound", "not found", NotFound, id="not-found"),
        pytest.param(409, "AlreadyExists", "already exists", AlreadyExists, id="already-exists"),
        pytest.param(409, "Conflict", "was modified", Conflict, id="conflict"),
        pytest.param(410, "Expired", "too old", Expired, id="expired"),
        pytest.param(410, "Gone", "too old", Expired, id="gone"),
        pytest.param(403, "Forbidden", "may not", Refused, id="forbidden"),
        pytest.param(422, "Invalid", "spec.x: Required value", Invalid, id="invalid"),
        pytest.param(
            422, "Invalid", "ValidatingAdmissionPolicy 'gate' denied request: no permit", Refused, id="policy-says-no"
        ),
        pytest.param(500, "", "failed: .spec.x: field not declared in schema", Invalid, id="unknown-field"),
        pytest.param(504, "Timeout", "took too long", Unreachable, id="gateway-timeout"),
        pytest.param(500, "InternalError", "oops", ClusterError, id="internal-error"),
        pytest.param(501, "NotImplemented", "not here", ClusterError, id="not-implemented"),
    ],
)
def test_refusals_are_typed(
    cluster: Cluster, script: Any, say: Any, code: int, reason: str, message: str, expected: type[ClusterError]
) -> None:
    script.on("PATCH", ONE, say.status(code, reason, message))

    with pytest.raises(ClusterError) as caught:
        cluster.apply(MANIFEST, manager="m")

    assert type(caught.value) is expected
    assert (caught.value.status, caught.value.reason) == (code, reason)
    assert str(caught.value) == f"apply ConfigMap shop/one: {message}"


def test_a_page_of_html_is_not_shown(cluster: Cluster, script: Any, say: Any) -> None:
    script.on("GET", ONE, say.Answer(502, text="<html>bad gateway</html>"))

    with pytest.raises(Unreachable, match="HTTP 502"):
        cluster.get("v1", "ConfigMap", "shop", "one")


def test_patience_is_kept_as_the_server_asks(cluster: Cluster, script: Any, say: Any, clock: Any) -> None:
    busy = say.status(429, "TooManyRequests", "slow down", Retry_After="3")
    script.on("GET", ONE, busy, busy, say.Answer(body=say.config_map("one", "1")))

    cluster.get("v1", "ConfigMap", "shop", "one")

    assert len(clock.waits) == 2
    assert all(3.0 <= wait <= 3.75 for wait in clock.waits)


def test_patience_has_an_end(cluster: Cluster, script: Any, say: Any) -> None:
    script.on("GET", ONE, say.status(503, "ServiceUnavailable", "starting", Retry_After="3600"))

    with pytest.raises(Unreachable, match="starting"):
        cluster.get("v1", "ConfigMap", "shop", "one")

    assert len(script.requests(ONE)) == 4


def test_a_create_is_sent_once_only(cluster: Cluster, script: Any, say: Any) -> None:
    path = "/api/v1/namespaces/shop/configmaps"
    script.on("POST", path, say.status(503, "ServiceUnavailable", "starting", Retry_After="1"))

    with pytest.raises(Unreachable):
        cluster.create(MANIFEST, manager="m")

    assert len(script.requests(path)) == 1


def test_credentials_are_read_again_when_the_server_no_longer_takes_them(
    cluster: Cluster, script: Any, say: Any
) -> None:
    expired = say.status(401, "Unauthorized", "Unauthorized")
    script.on("GET", ONE, expired, say.Answer(body=say.config_map("one", "1")))

    cluster.get("v1", "ConfigMap", "shop", "one")

    assert [asked.authorization for asked in script.requests(ONE)] == ["Bearer first-token", "Bearer second-token"]


def test_a_server_that_is_not_there_is_unreachable() -> None:
    cluster = Cluster.from_endpoint("http://127.0.0.1:1", "a-secret-token", None)

    with pytest.raises(Unreachable, match="connection refused") as caught:
        cluster.get("v1", "ConfigMap", "shop", "one")

    assert caught.value.__cause__ is not None
    assert "a-secret-token" not in str(caught.value)


def test_values_of_a_secret_stay_out_of_errors(cluster: Cluster, script: Any, say: Any) -> None:
    encoded = base64.b64encode(b"hunter22").decode()
    secret = {**MANIFEST, "kind": "Secret", "data": {"p": encoded}, "stringData": {"q": "open sesame"}}
    message = f'data[p]: Invalid value: "hunter22": no; error found in |"p":"{encoded}"|; got open sesame'
    script.on("PATCH", "/api/v1/namespaces/shop/secrets/one", say.status(422, "Invalid", message))

    with pytest.raises(Invalid) as caught:
        cluster.apply(secret, manager="m")

    assert "data[p]: Invalid value: *****" in str(caught.value)
    for value in (encoded, "hunter22", "open sesame"):
        assert value not in str(caught.value)


def test_server_time_is_the_servers_date_plus_what_passed(cluster: Cluster, script: Any, say: Any, clock: Any) -> None:
    script.on("GET", "/version", say.Answer(body={"gitVersion": "v1.34.4"}))

    before = cluster.server_time()
    clock.now += 12.5

    assert before == say.date_seconds
    assert cluster.server_time() == say.date_seconds + 12.5
    assert len(script.requests("/version")) == 1


def test_each_api_server_is_listed_after_the_one_in_use(cluster: Cluster, script: Any, say: Any) -> None:
    resources = [{"name": "endpoints", "kind": "Endpoints", "namespaced": True}]
    script.on("GET", "/api/v1", say.Answer(body={"resources": resources}))
    subset = {"addresses": [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}], "ports": [{"name": "https", "port": 6443}]}
    script.on("GET", "/api/v1/namespaces/default/endpoints/kubernetes", say.Answer(body={"subsets": [subset]}))

    assert cluster.server_addresses() == (script.server, "https://10.0.0.1:6443", "https://[fd00::1]:6443")


def test_without_endpoints_the_server_in_use_is_the_only_one(cluster: Cluster, script: Any) -> None:
    assert cluster.server_addresses() == (script.server,)


@pytest.mark.parametrize(
    ("kind", "namespace", "expected"),
    [
        pytest.param("ConfigMap", None, "default", id="namespaced-without"),
        pytest.param("ConfigMap", "shop", "shop", id="namespaced-with"),
        pytest.param("Namespace", "shop", None, id="cluster-scoped-with"),
        pytest.param("Namespace", None, None, id="cluster-scoped-without"),
    ],
)
def test_located_gives_each_manifest_the_namespace_that_it_will_have(
    cluster: Cluster, kind: str, namespace: str | None, expected: str | None
) -> None:
    metadata = {"name": "one", **({"namespace": namespace} if namespace else {})}

    located = cluster.located({"apiVersion": "v1", "kind": kind, "metadata": metadata})

    assert located["metadata"].get("namespace") == expected
