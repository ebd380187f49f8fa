"""The comparison without a request against what a server does: never "unchanged" where an apply would write."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from reconciler.cluster import Cluster
from reconciler.diff import Verdict, diff, dry_run_diff

SPACE = "diff"
MANAGER = "siteshift"

Manifest = dict[str, Any]


@pytest.fixture(scope="module")
def site(api: Any) -> Iterator[Cluster]:
    cluster = Cluster.from_endpoint(api.server, api.token, api.ca)
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}}, manager="test")
    yield cluster
    cluster.close()


def manifest(api_version: str, kind: str, name: str, **rest: Any) -> Manifest:
    metadata = {"name": name, "namespace": SPACE, "labels": {"app": name}}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **rest}


def pod_template(**container: Any) -> Manifest:
    env = [
        {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
        {"name": "MODE", "value": "fast"},
    ]
    resources = {"requests": {"cpu": "1000m", "memory": "1024Mi"}, "limits": {"cpu": 2}}
    ports = [{"containerPort": 53}, {"containerPort": 53, "protocol": "UDP"}]
    first = {"name": "app", "image": "app:1", "env": env, "resources": resources, "ports": ports, **container}
    spec = {
        "containers": [first, {"name": "side", "image": "side:1", "args": ["--x", "1"]}],
        "volumes": [{"name": "tmp", "emptyDir": {}}, {"name": "conf", "configMap": {"name": "conf"}}],
        "tolerations": [{"key": "site", "operator": "Exists"}],
        "securityContext": {},
    }
    return {"metadata": {"labels": {"app": "x"}}, "spec": spec}


DEPLOYMENT = manifest(
    "apps/v1",
    "Deployment",
    "web",
    spec={"replicas": 2, "selector": {"matchLabels": {"app": "x"}}, "template": pod_template()},
)
STATEFUL = manifest(
    "apps/v1",
    "StatefulSet",
    "db",
    spec={
        "serviceName": "db",
        "selector": {"matchLabels": {"app": "x"}},
        "template": pod_template(),
        "volumeClaimTemplates": [
            {
                "metadata": {"name": "data"},
                "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1024Mi"}}},
            }
        ],
    },
)
SERVICE = manifest(
    "v1",
    "Service",
    "web",
    spec={
        "selector": {"app": "x"},
        "ports": [{"name": "dns", "port": 53, "protocol": "UDP"}, {"name": "web", "port": 80, "targetPort": "http"}],
    },
)
POLICY = manifest(
    "networking.k8s.io/v1",
    "NetworkPolicy",
    "web",
    spec={"podSelector": {"matchLabels": {"app": "x"}}, "ingress": [{"ports": [{"port": 80}]}]},
)
CONFIG = manifest("v1", "ConfigMap", "conf", data={"a": "1", "cpu": "1000m", "empty": ""})
SECRET = manifest("v1", "Secret", "keys", stringData={"password": "hunter22"}, data={"user": "YWRtaW4="})
CLAIM = manifest(
    "v1",
    "PersistentVolumeClaim",
    "data",
    spec={"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "0.5Gi"}}},
)
JOB = manifest(
    "batch/v1",
    "Job",
    "once",
    spec={
        "suspend": True,
        "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "job:1"}]}},
    },
)
ROLE = manifest(
    "rbac.authorization.k8s.io/v1",
    "Role",
    "reader",
    rules=[{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}],
)
INGRESS = manifest(
    "networking.k8s.io/v1",
    "Ingress",
    "web",
    spec={
        "rules": [
            {
                "host": "shop.example",
                "http": {
                    "paths": [
                        {
                            "path": "/",
                            "pathType": "Prefix",
                            "backend": {"service": {"name": "web", "port": {"number": 80}}},
                        }
                    ]
                },
            }
        ]
    },
)
BUDGET = manifest(
    "policy/v1",
    "PodDisruptionBudget",
    "web",
    spec={"minAvailable": "50%", "selector": {"matchLabels": {"app": "x"}}},
)

KINDS = [DEPLOYMENT, STATEFUL, SERVICE, POLICY, CONFIG, SECRET, CLAIM, JOB, ROLE, INGRESS, BUDGET]


def _named(given: Manifest, name: str) -> Manifest:
    made = copy.deepcopy(given)
    made["metadata"]["name"] = name
    return made


@pytest.mark.parametrize("given", KINDS, ids=[given["kind"] for given in KINDS])
def test_what_was_just_applied_is_unchanged(site: Cluster, given: Manifest) -> None:
    desired = _named(given, "settled")
    assert diff(desired, None, manager=MANAGER).verdict is Verdict.CREATED
    assert dry_run_diff(site, desired, manager=MANAGER).verdict is Verdict.CREATED

    live = site.apply(desired, manager=MANAGER)

    found = diff(desired, live, manager=MANAGER)
    assert (found.verdict, found.fields) == (Verdict.UNCHANGED, ())
    assert dry_run_diff(site, desired, manager=MANAGER).verdict is Verdict.UNCHANGED


def _set(*path: Any) -> Callable[[Manifest], None]:
    """Set the value at a path (the last argument); None takes the field out."""
    *way, last, value = path

    def edit(given: Manifest) -> None:
        place: Any = given
        for key in way:
            place = place[key]
        if value is None:
            del place[last]
        else:
            place[last] = value

    return edit


CONTAINER = ("spec", "template", "spec", "containers", 0)

EDITS = [
    pytest.param(DEPLOYMENT, _set("spec", "replicas", 3), id="value"),
    pytest.param(DEPLOYMENT, _set(*CONTAINER, "image", "app:2"), id="value-in-a-keyed-item"),
    pytest.param(DEPLOYMENT, _set(*CONTAINER, "resources", "limits", None), id="map-taken-out"),
    pytest.param(DEPLOYMENT, _set(*CONTAINER, "resources", "requests", "cpu", "1500m"), id="quantity"),
    pytest.param(DEPLOYMENT, _set(*CONTAINER, "env", 1, None), id="keyed-item-taken-out"),
    pytest.param(DEPLOYMENT, _set(*CONTAINER, "env", 1, "value", "slow"), id="value-of-an-environment-variable"),
    pytest.param(DEPLOYMENT, _set(*CONTAINER, "env", 0, "valueFrom", "fieldRef", "fieldPath", "spec.x"), id="invalid"),
    pytest.param(
        DEPLOYMENT,
        _set(*CONTAINER, "env", 0, "valueFrom", "fieldRef", "fieldPath", "metadata.name"),
        id="part-of-an-atomic-map",
    ),
    pytest.param(DEPLOYMENT, _set(*CONTAINER, "ports", 1, None), id="one-of-two-items-with-two-keys"),
    pytest.param(DEPLOYMENT, _set(*CONTAINER, "ports", 0, "protocol", "TCP"), id="default-written-out"),
    pytest.param(DEPLOYMENT, _set(*CONTAINER, "ports", 0, "name", "dns"), id="field-of-an-item-with-two-keys"),
    pytest.param(DEPLOYMENT, _set("spec", "template", "spec", "containers", 1, None), id="container-taken-out"),
    pytest.param(DEPLOYMENT, _set("spec", "template", "spec", "containers", 1, "args", ["--x"]), id="atomic-list"),
    pytest.param(DEPLOYMENT, _set("spec", "template", "spec", "tolerations", None), id="atomic-list-taken-out"),
    pytest.param(DEPLOYMENT, _set("spec", "template", "spec", "volumes", 0, None), id="volume-taken-out"),
    pytest.param(
        DEPLOYMENT,
        _set("spec", "template", "spec", "volumes", 0, {"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}}),
        id="empty-map-filled",
    ),
    pytest.param(DEPLOYMENT, _set("spec", "template", "spec", "hostNetwork", False), id="zero-value-added"),
    pytest.param(DEPLOYMENT, _set("spec", "strategy", {"type": "Recreate"}), id="default-overridden"),
    pytest.param(DEPLOYMENT, _set("spec", "progressDeadlineSeconds", 600), id="default-value-added"),
    pytest.param(DEPLOYMENT, _set("metadata", "labels", None), id="labels-taken-out"),
    pytest.param(DEPLOYMENT, _set("metadata", "annotations", {"a.b/c": "d"}), id="annotation-added"),
    pytest.param(DEPLOYMENT, _set("metadata", "finalizers", ["example.com/hold"]), id="member-of-a-set-added"),
    pytest.param(SERVICE, _set("spec", "ports", 0, None), id="port-taken-out"),
    pytest.param(SERVICE, _set("spec", "ports", 1, "targetPort", 8080), id="number-for-a-name"),
    pytest.param(SERVICE, _set("spec", "selector", "app", "y"), id="atomic-map"),
    pytest.param(POLICY, _set("spec", "podSelector", {}), id="atomic-map-emptied"),
    pytest.param(POLICY, _set("spec", "ingress", 0, "ports", 0, "port", 81), id="default-inside-an-atomic-list"),
    pytest.param(POLICY, _set("spec", "ingress", 0, {}), id="atomic-item-emptied"),
    pytest.param(CONFIG, _set("data", "a", None), id="key-taken-out"),
    pytest.param(CONFIG, _set("data", "cpu", "1"), id="looks-like-a-quantity"),
    pytest.param(CONFIG, _set("data", "empty", None), id="empty-text-taken-out"),
    pytest.param(CONFIG, _set("data", "new", ""), id="empty-text-added"),
    pytest.param(SECRET, _set("stringData", "password", "other"), id="secret-text"),
    pytest.param(SECRET, _set("stringData", None), id="secret-text-taken-out"),
    pytest.param(SECRET, _set("data", "password", "aHVudGVyMjI="), id="secret-text-wins-over-data"),
    pytest.param(ROLE, _set("rules", 0, "verbs", ["get", "list"]), id="rule"),
    pytest.param(
        INGRESS, _set("spec", "rules", 0, "http", "paths", 0, "backend", "service", "port", "number", 81), id="backend"
    ),
    pytest.param(BUDGET, _set("spec", "minAvailable", 1), id="number-for-a-percentage"),
    pytest.param(DEPLOYMENT, lambda given: given["spec"]["template"]["spec"]["containers"].reverse(), id="order"),
]


@pytest.mark.parametrize(("given", "edit"), EDITS)
def test_never_unchanged_where_an_apply_would_write(
    site: Cluster, request: pytest.FixtureRequest, given: Manifest, edit: Callable[[Manifest], None]
) -> None:
    desired = _named(given, request.node.callspec.id)
    live = site.apply(desired, manager=MANAGER)
    edit(desired)

    found = diff(desired, live, manager=MANAGER)
    try:
        asked = dry_run_diff(site, desired, manager=MANAGER)
    except Exception:
        assert found.verdict is Verdict.CHANGED
        return
    after = site.apply(desired, manager=MANAGER)

    written = after["metadata"]["resourceVersion"] != live["metadata"]["resourceVersion"]
    expected = Verdict.CHANGED if written else Verdict.UNCHANGED
    assert asked.verdict is expected
    if written:
        assert found.verdict is Verdict.CHANGED
    again = diff(desired, after, manager=MANAGER)
    assert (again.verdict, again.fields) == (Verdict.UNCHANGED, ())
    if "finalizers" in desired["metadata"]:
        del desired["metadata"]["finalizers"]
        site.apply(desired, manager=MANAGER)


@pytest.mark.parametrize(
    ("given", "edit"),
    [
        pytest.param(DEPLOYMENT, _set(*CONTAINER, "resources", "requests", "cpu", "1"), id="thousand-thousandths"),
        pytest.param(DEPLOYMENT, _set(*CONTAINER, "resources", "limits", "cpu", "2"), id="number-as-text"),
        pytest.param(CLAIM, _set("spec", "resources", "requests", "storage", "512Mi"), id="half-a-unit"),
    ],
)
def test_a_quantity_that_means_the_same_is_unchanged(
    site: Cluster, request: pytest.FixtureRequest, given: Manifest, edit: Callable[[Manifest], None]
) -> None:
    desired = _named(given, f"{request.node.callspec.id}-same")
    live = site.apply(desired, manager=MANAGER)
    edit(desired)

    assert diff(desired, live, manager=MANAGER).verdict is Verdict.UNCHANGED


def test_a_field_that_somebody_wrote_is_taken_back(site: Cluster) -> None:
    desired = _named(CONFIG, "drifted")
    site.apply(desired, manager=MANAGER)

    live = site.patch("v1", "ConfigMap", SPACE, "drifted", {"data": {"a": "2", "b": "theirs"}}, manager="person")

    found = diff(desired, live, manager=MANAGER)
    assert [(field.path, field.old, field.new) for field in found.fields] == [("data.a", "2", "1")]
    assert diff(desired, site.apply(desired, manager=MANAGER), manager=MANAGER).verdict is Verdict.UNCHANGED


def test_a_field_that_somebody_deleted_is_written_again(site: Cluster) -> None:
    desired = _named(CONFIG, "bared")
    site.apply(desired, manager=MANAGER)

    live = site.patch("v1", "ConfigMap", SPACE, "bared", {"data": {"a": None}}, manager="person")

    assert [field.path for field in diff(desired, live, manager=MANAGER).fields] == ["data.a"]


def test_what_others_own_is_none_of_our_business(site: Cluster) -> None:
    desired = _named(DEPLOYMENT, "scaled")
    del desired["spec"]["replicas"]
    site.apply(desired, manager=MANAGER)

    live = site.patch("apps/v1", "Deployment", SPACE, "scaled", {"spec": {"replicas": 7}}, manager="autoscaler")

    assert diff(desired, live, manager=MANAGER).verdict is Verdict.UNCHANGED
    assert dry_run_diff(site, desired, manager=MANAGER).verdict is Verdict.UNCHANGED


@pytest.mark.parametrize("given", KINDS, ids=[given["kind"] for given in KINDS])
def test_what_runs_already_is_taken_over_without_a_change_of_values(site: Cluster, given: Manifest) -> None:
    desired = _named(given, "adopted")
    live = site.create(desired, manager="person")

    found = diff(desired, live, manager=MANAGER)
    asked = dry_run_diff(site, desired, manager=MANAGER)
    taken = site.apply(desired, manager=MANAGER)

    assert (found.verdict, found.fields) == (Verdict.CHANGED, ())
    assert (asked.verdict, asked.fields) == (Verdict.CHANGED, ())
    assert taken["metadata"].get("generation") == live["metadata"].get("generation")
    assert diff(desired, taken, manager=MANAGER).verdict is Verdict.UNCHANGED
