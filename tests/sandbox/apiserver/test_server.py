"""The server itself: tokens, audit, clock, faults, watches that end, and what it says that it does not do."""

from __future__ import annotations

import json

import pytest

from sandbox.apiserver import ApiServer
from sandbox.apiserver.faults import Fault

MAPS = "/api/v1/namespaces/default/configmaps"
CONFIG_MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}


def test_the_audit_log_tells_who_did_what_and_how_it_ended(tmp_path, connect) -> None:
    log = tmp_path / "audit.jsonl"
    with ApiServer(audit=log, clock=lambda: 1_800_000_000.25) as server:
        controller = connect(server, "controller")
        controller("POST", MAPS, CONFIG_MAP)
        controller("POST", MAPS, CONFIG_MAP)
    events = [json.loads(line) for line in log.read_text().splitlines()]
    mine = [event for event in events if event["user"]["username"] == "controller"]
    assert [event["responseStatus"]["code"] for event in mine] == [201, 409]
    reference = {"resource": "configmaps", "namespace": "default", "name": "a", "apiVersion": "v1"}
    assert mine[0]["objectRef"] == reference
    assert (mine[0]["verb"], mine[0]["stage"], mine[1]["responseStatus"]["reason"]) == (
        "create",
        "ResponseComplete",
        "AlreadyExists",
    )
    assert mine[0]["requestReceivedTimestamp"] == "2027-01-15T08:00:00.250000Z"


def test_objects_and_answers_carry_the_clock_that_was_passed_in(connect) -> None:
    with ApiServer(clock=lambda: 1_800_000_000.0) as server:
        client = connect(server)
        made = client("POST", MAPS, CONFIG_MAP)[1]
        assert made["metadata"]["creationTimestamp"] == "2027-01-15T08:00:00Z"
        assert client.headers["Date"] == "Fri, 15 Jan 2027 08:00:00 GMT"


FAULTS = [
    pytest.param(Fault(verb="get", code=503), 503, "ServiceUnavailable", id="a 503"),
    pytest.param(Fault(resource="configmaps", code=429), 429, "TooManyRequests", id="a 429"),
    pytest.param(Fault(user="admin", name="a", code=403), 403, "Forbidden", id="rights revoked"),
]


@pytest.mark.parametrize(("fault", "code", "reason"), FAULTS)
def test_a_fault_hits_whom_it_is_meant_for(server, client, connect, fault, code, reason) -> None:
    server.faults.add(fault)
    got, body = client("GET", f"{MAPS}/a")
    assert (got, body["reason"]) == (code, reason)
    server.faults.remove(fault)
    assert client("GET", f"{MAPS}/a")[0] == 404


def test_a_fault_may_happen_once_and_after_the_work_is_done(server, client) -> None:
    server.faults.add(Fault(verb="create", code=500, after=True, times=1))
    assert client("POST", MAPS, CONFIG_MAP)[0] == 500
    assert client("POST", MAPS, CONFIG_MAP)[0] == 409


def test_too_many_requests_say_when_to_come_back(server, client) -> None:
    server.faults.add(Fault(code=429))
    client("GET", MAPS)
    assert client.headers["Retry-After"] == "1"


def test_a_fault_may_hang_up(server, connect) -> None:
    server.faults.add(Fault(verb="get", hang_up=True))
    with pytest.raises(ConnectionError):
        connect(server)("GET", f"{MAPS}/a")


NOT_IMPLEMENTED = [
    pytest.param("GET", "/apis/authorization.k8s.io/v1/x", "access reviews", id="access reviews"),
    pytest.param("GET", "/apis/metrics.k8s.io/v1beta1/nodes", "metrics", id="metrics"),
    pytest.param("GET", "/api/v1/namespaces/default/pods/p/log", "pods/log", id="logs"),
    pytest.param("POST", "/api/v1/namespaces/default/pods/p/eviction", "pods/eviction", id="evictions"),
    pytest.param("GET", "/openapi/v2", "/openapi/v2", id="the second OpenAPI"),
    pytest.param("GET", "/metrics", "/metrics", id="its own metrics"),
]


@pytest.mark.parametrize(("method", "path", "what"), NOT_IMPLEMENTED)
def test_what_is_not_done_is_refused_by_name(client, method, path, what) -> None:
    code, body = client(method, path)
    assert (code, body["reason"]) == (501, "NotImplemented")
    assert what in body["message"]


def test_bodies_in_protobuf_are_refused_by_name(client) -> None:
    code, body = client("POST", MAPS, b"k8s\x00", "application/vnd.kubernetes.protobuf")
    assert (code, "protobuf" in body["message"]) == (501, True)


UNSUPPORTED_CEL = [
    pytest.param("object.metadata.?labels.hasValue()", id="optional fields"),
    pytest.param("quantity('1Gi').isGreaterThan(quantity('1Mi'))", id="quantities"),
    pytest.param("authorizer.path('/x').check('get').allowed()", id="the authorizer of paths"),
]


@pytest.mark.parametrize("expression", UNSUPPORTED_CEL)
def test_an_expression_beyond_the_library_is_refused_when_the_policy_is_made(client, expression) -> None:
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    spec = {"matchConstraints": {"resourceRules": [rule]}, "validations": [{"expression": expression}]}
    kind = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy"}
    path = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
    code, body = client("POST", path, {**kind, "metadata": {"name": "p"}, "spec": spec})
    assert (code, body["reason"]) == (501, "NotImplemented")


def test_a_watch_from_before_the_history_is_told_so(connect) -> None:
    with ApiServer(history=5) as server:
        client = connect(server)
        start = client("POST", MAPS, CONFIG_MAP)[1]["metadata"]["resourceVersion"]
        for number in range(12):
            client("PATCH", f"{MAPS}/a", {"data": {"n": str(number)}}, "application/merge-patch+json")
        code, body = client("GET", f"{MAPS}?watch=1&resourceVersion={start}")
    assert (code, body["reason"]) == (410, "Expired")


def test_a_watch_that_falls_behind_the_history_ends_with_the_same(server, client) -> None:
    client("POST", MAPS, CONFIG_MAP)
    kind = server.api.registry.find("", "v1", "configmaps")
    bucket = server.store.bucket(kind.storage)
    position = bucket.first + len(bucket.events) - 1
    server.store.forget_history()
    events, _, version, lost = server.api.watcher._next(bucket, position, 0.0)
    assert (events, version, lost) == ([], server.store.version, True)


def test_a_page_that_is_forgotten_is_told_so(client) -> None:
    code, body = client("GET", f"{MAPS}?continue=eyJwYWdlIjogIjk5In0=")
    assert (code, body["reason"]) == (410, "Expired")


def test_stopping_ends_the_watches_as_their_limit_does(connect) -> None:
    server = ApiServer().start()
    client = connect(server)
    made = client("POST", MAPS, CONFIG_MAP)[1]
    client.connection.request("GET", f"{MAPS}?watch=1", headers=client._headers)
    response = client.connection.getresponse()
    server.stop()
    assert [json.loads(line) for line in response.read().splitlines()] == [{"type": "ADDED", "object": made}]


@pytest.mark.parametrize("path", ["/readyz", "/healthz", "/livez"])
def test_anybody_may_ask_whether_it_is_well(client, path) -> None:
    client._headers.clear()
    assert client("GET", path) == (200, "ok")


def test_the_api_says_where_it_is(server, client) -> None:
    (subset,) = client("GET", "/api/v1/namespaces/default/endpoints/kubernetes")[1]["subsets"]
    port = int(server.url.rsplit(":", 1)[1])
    assert (subset["addresses"], subset["ports"][0]["port"]) == ([{"ip": "127.0.0.1"}], port)


def test_a_whole_object_comes_back_in_yaml_bodies(client) -> None:
    body = b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: y\ndata:\n  k: 'on'\n"
    code, made = client("PATCH", f"{MAPS}/y?fieldManager=m", body, "application/apply-patch+yaml")
    assert (code, made["data"]) == (201, {"k": "on"})


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"'], ids=["broken", "a list", "a string"])
def test_a_body_that_is_no_object_is_refused(client, body) -> None:
    assert client("POST", MAPS, body)[0] == 400
