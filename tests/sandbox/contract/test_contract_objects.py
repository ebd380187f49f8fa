"""Objects: creating, reading, replacing, patching and deleting, and how each is refused."""

from __future__ import annotations

from typing import Any

import pytest

Manifest = dict[str, Any]


def config_map(name: str = "a", **data: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def deployment(name: str = "web", **spec: Any) -> Manifest:
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [{"name": "main", "image": "registry.example/web:1", "ports": [{"containerPort": 80}]}]},
    }
    selector = {"matchLabels": {"app": name}}
    spec = {"selector": selector, "template": template, **spec}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def pod(name: str = "p", **spec: Any) -> Manifest:
    spec = {"containers": [{"name": "main", "image": "registry.example/web:1"}], **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def test_a_created_object_has_what_only_the_server_writes(api, core) -> None:
    answer = api.create(f"{core}/configmaps", config_map(k="v"))
    assert answer.code == 201
    metadata = answer.body["metadata"]
    assert {"uid", "resourceVersion", "creationTimestamp"} <= metadata.keys()
    assert "generation" not in metadata
    assert api.get(f"{core}/configmaps/a").body == answer.body


def test_a_creator_owns_every_field_that_it_stated_and_those_filled_in_for_it(api, apps) -> None:
    created = api.create(f"{apps}/deployments", deployment()).body
    (entry,) = created["metadata"]["managedFields"]
    assert {key: entry[key] for key in ("manager", "operation", "apiVersion")} == {
        "manager": "contract",
        "operation": "Update",
        "apiVersion": "apps/v1",
    }
    assert entry["fieldsV1"]["f:spec"] == {
        "f:progressDeadlineSeconds": {},
        "f:replicas": {},
        "f:revisionHistoryLimit": {},
        "f:selector": {},
        "f:strategy": {"f:rollingUpdate": {".": {}, "f:maxSurge": {}, "f:maxUnavailable": {}}, "f:type": {}},
        "f:template": {
            "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
            "f:spec": {
                "f:containers": {
                    'k:{"name":"main"}': {
                        ".": {},
                        "f:image": {},
                        "f:imagePullPolicy": {},
                        "f:name": {},
                        "f:ports": {
                            ".": {},
                            'k:{"containerPort":80,"protocol":"TCP"}': {
                                ".": {},
                                "f:containerPort": {},
                                "f:protocol": {},
                            },
                        },
                        "f:resources": {},
                        "f:terminationMessagePath": {},
                        "f:terminationMessagePolicy": {},
                    }
                },
                "f:dnsPolicy": {},
                "f:restartPolicy": {},
                "f:schedulerName": {},
                "f:securityContext": {},
                "f:terminationGracePeriodSeconds": {},
            },
        },
    }


REFUSED_CREATES = [
    pytest.param("configmaps", config_map("Not_A_Name"), 422, "Invalid", id="a name with a capital and an underscore"),
    pytest.param("configmaps", config_map(""), 422, "Invalid", id="no name"),
    pytest.param("configmaps", {**config_map(), "data": {"k": 1}}, 400, "BadRequest", id="a number for a string"),
    pytest.param("services", {**config_map(), "kind": "Service"}, 422, "Invalid", id="a service without ports"),
    pytest.param("pods", {**pod(), "spec": {}}, 422, "Invalid", id="a pod without containers"),
    pytest.param("pods", {**config_map(), "kind": "Deployment"}, 400, "BadRequest", id="another kind than the path's"),
    pytest.param(
        "configmaps",
        {**config_map(), "metadata": {"name": "a", "labels": {"k": "not a value"}}},
        422,
        "Invalid",
        id="a label that is none",
    ),
]


@pytest.mark.parametrize(("plural", "manifest", "code", "reason"), REFUSED_CREATES)
def test_a_create_is_refused_with_its_reason(api, core, plural, manifest, code, reason) -> None:
    answer = api.create(f"{core}/{plural}", manifest)
    assert (answer.code, answer.body["reason"], answer.body["kind"]) == (code, reason, "Status")
    assert answer.code == answer.body["code"]


def test_an_object_is_created_once(api, core) -> None:
    api.create(f"{core}/configmaps", config_map())
    answer = api.create(f"{core}/configmaps", config_map())
    assert (answer.code, answer.body["reason"]) == (409, "AlreadyExists")
    assert answer.body["message"] == 'configmaps "a" already exists'


def test_nothing_is_created_in_a_namespace_that_is_not_there(api) -> None:
    answer = api.create("/api/v1/namespaces/never-made/configmaps", config_map())
    assert (answer.code, answer.body["message"]) == (404, 'namespaces "never-made" not found')


def test_a_name_is_made_from_its_start(api, core) -> None:
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "made-"}}
    names = {api.create(f"{core}/configmaps", manifest).body["metadata"]["name"] for _ in range(3)}
    assert len(names) == 3
    assert all(name.startswith("made-") and len(name) == 10 for name in names)


def test_unknown_fields_are_dropped_with_a_warning_or_refused(api, core) -> None:
    dropped = api.create(f"{core}/configmaps", {**config_map(), "dato": {}})
    assert (dropped.code, dropped.warnings) == (201, ['299 - "unknown field \\"dato\\""'])
    assert "dato" not in dropped.body
    refused = api.create(f"{core}/configmaps", {**config_map("b"), "dato": {}}, fieldValidation="Strict")
    assert refused.code == 400
    assert refused.body["message"].endswith('strict decoding error: unknown field "dato"')


def test_a_dry_run_answers_as_if_and_stores_nothing(api, core) -> None:
    answer = api.create(f"{core}/configmaps", config_map(), dryRun="All")
    assert answer.code == 201
    assert answer.body["metadata"]["uid"]
    assert "resourceVersion" not in answer.body["metadata"]
    assert api.get(f"{core}/configmaps/a").code == 404
    api.create(f"{core}/configmaps", config_map(k="1"))
    assert api.patch(f"{core}/configmaps/a", {"data": {"k": "2"}}, dryRun="All").body["data"] == {"k": "2"}
    assert api.delete(f"{core}/configmaps/a", dryRun="All").code == 200
    assert api.get(f"{core}/configmaps/a").body["data"] == {"k": "1"}
    assert api.delete(f"{core}/configmaps/a", dryRun="Some").code == 422


def test_a_replacement_with_an_old_resource_version_is_a_conflict(api, core) -> None:
    first = api.create(f"{core}/configmaps", config_map(k="1")).body
    second = api.send("PUT", f"{core}/configmaps/a", {**first, "data": {"k": "2"}})
    assert second.code == 200
    third = api.send("PUT", f"{core}/configmaps/a", {**first, "data": {"k": "3"}})
    assert (third.code, third.body["reason"]) == (409, "Conflict")
    assert api.get(f"{core}/configmaps/a").body["data"] == {"k": "2"}


def test_a_write_that_changes_nothing_keeps_the_resource_version(api, core) -> None:
    first = api.create(f"{core}/configmaps", config_map(k="1")).body
    assert api.send("PUT", f"{core}/configmaps/a", first).body == first
    assert api.patch(f"{core}/configmaps/a", {"data": {"k": "1"}}).body == first


def test_generations_count_changes_of_the_spec_alone(api, apps) -> None:
    path = f"{apps}/deployments/web"
    generations = [
        answer.body["metadata"]["generation"]
        for answer in (
            api.create(f"{apps}/deployments", deployment()),
            api.patch(path, {"metadata": {"labels": {"a": "b"}}}),
            api.patch(f"{path}/status", {"status": {"replicas": 1}}),
            api.patch(path, {"spec": {"replicas": 5}}),
            api.patch(path, {"spec": {"replicas": 5}}),
        )
    ]
    assert generations == [1, 1, 1, 2, 2]


def test_status_and_the_rest_are_written_through_different_doors(api, apps) -> None:
    path = f"{apps}/deployments/web"
    api.create(f"{apps}/deployments", {**deployment(), "status": {"replicas": 7}})
    assert "replicas" not in api.get(path).body["status"]
    api.patch(path, {"status": {"replicas": 7}})
    assert "replicas" not in api.get(path).body["status"]
    both = {"status": {"replicas": 3, "readyReplicas": 2}, "spec": {"replicas": 9}, "metadata": {"labels": {"a": "b"}}}
    changed = api.patch(f"{path}/status", both).body
    assert changed["status"] == {"replicas": 3, "readyReplicas": 2}
    assert changed["spec"]["replicas"] == 1
    assert "labels" not in changed["metadata"]


IMMUTABLE = [
    pytest.param("spec.selector", {"spec": {"selector": {"matchLabels": {"app": "other"}}}}, id="a selector"),
]


@pytest.mark.parametrize(("field", "patch"), IMMUTABLE)
def test_what_may_not_change_does_not(api, apps, field, patch) -> None:
    api.create(f"{apps}/deployments", deployment())
    answer = api.patch(f"{apps}/deployments/web", patch)
    assert answer.code == 422
    assert (field, "FieldValueInvalid") in answer.causes


def test_a_pod_is_not_moved_to_another_node(api, core) -> None:
    api.create(f"{core}/pods", pod(nodeName="one"))
    answer = api.patch(f"{core}/pods/p", {"spec": {"nodeName": "two"}})
    assert (answer.code, answer.causes) == (422, {("spec", "FieldValueForbidden")})


def test_json_patches_test_before_they_change(api, core) -> None:
    api.create(f"{core}/configmaps", config_map(k="1"))
    path = f"{core}/configmaps/a"
    change = {"op": "replace", "path": "/data/k", "value": "2"}
    assert api.patch(path, [{"op": "test", "path": "/data/k", "value": "0"}, change], "json").code == 422
    assert api.patch(path, [{"op": "test", "path": "/data/k", "value": "1"}, change], "json").body["data"] == {"k": "2"}
    assert api.patch(path, [{"op": "remove", "path": "/data/none"}], "json").code == 422


def test_strategic_patches_merge_lists_by_their_key(api, apps) -> None:
    api.create(f"{apps}/deployments", deployment())
    path = f"{apps}/deployments/web"

    def containers(patch: list[Manifest]) -> list[tuple[str, str]]:
        answer = api.patch(path, {"spec": {"template": {"spec": {"containers": patch}}}}, "strategic")
        return [(one["name"], one["image"]) for one in answer.body["spec"]["template"]["spec"]["containers"]]

    assert containers([{"name": "side", "image": "s:1"}]) == [("side", "s:1"), ("main", "registry.example/web:1")]
    assert containers([{"name": "main", "image": "m:2"}]) == [("side", "s:1"), ("main", "m:2")]
    assert containers([{"name": "side", "$patch": "delete"}]) == [("main", "m:2")]


def test_deletion_asks_for_the_right_uid_and_version(api, core) -> None:
    made = api.create(f"{core}/configmaps", config_map()).body["metadata"]
    path = f"{core}/configmaps/a"
    assert api.delete(path, {"preconditions": {"uid": "another"}}).code == 409
    assert api.delete(path, {"preconditions": {"resourceVersion": "1"}}).code == 409
    done = api.delete(path, {"preconditions": {"uid": made["uid"], "resourceVersion": made["resourceVersion"]}})
    assert (done.code, done.body["status"]) == (200, "Success")
    assert done.body["details"]["uid"] == made["uid"]
    assert api.delete(path).code == 404


def test_a_finalizer_holds_an_object_until_it_is_taken_away(api, core) -> None:
    path = f"{core}/configmaps/a"
    held = config_map()
    held["metadata"]["finalizers"] = ["example.com/hold"]
    api.create(f"{core}/configmaps", held)
    marked = api.delete(path)
    assert (marked.code, marked.body["kind"]) == (200, "ConfigMap")
    assert marked.body["metadata"]["deletionTimestamp"]
    added = api.patch(path, {"metadata": {"finalizers": ["example.com/hold", "example.com/more"]}})
    assert added.code == 422
    assert api.patch(path, {"metadata": {"finalizers": None}}).code == 200
    assert api.get(path).code == 404


def test_a_pod_on_a_node_is_given_time(api, core) -> None:
    api.create(f"{core}/pods", pod(nodeName="one", terminationGracePeriodSeconds=9))
    asked = api.delete(f"{core}/pods/p").body["metadata"]
    assert asked["deletionGracePeriodSeconds"] == 9
    assert api.get(f"{core}/pods/p").code == 200
    assert api.delete(f"{core}/pods/p", {"gracePeriodSeconds": 0}).code == 200
    assert api.get(f"{core}/pods/p").code == 404


def test_a_pod_without_a_node_goes_at_once(api, core) -> None:
    api.create(f"{core}/pods", pod())
    api.delete(f"{core}/pods/p")
    assert api.get(f"{core}/pods/p").code == 404


def test_a_binding_puts_a_pod_on_a_node_once(api, core) -> None:
    api.create(f"{core}/pods", pod())
    binding = {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": "p"},
        "target": {"kind": "Node", "name": "one"},
    }
    assert api.create(f"{core}/pods/p/binding", binding).code == 201
    assert api.get(f"{core}/pods/p").body["spec"]["nodeName"] == "one"
    assert api.create(f"{core}/pods/p/binding", binding).code == 409


def test_a_claim_is_protected_from_deletion_by_a_finalizer(api, core) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "c"}, "spec": spec}
    made = api.create(f"{core}/persistentvolumeclaims", claim).body
    assert made["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]
    assert made["status"] == {"phase": "Pending"}


def test_a_job_is_given_the_selector_of_its_own_pods(api, namespace) -> None:
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i:1"}]}}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"}, "spec": {"template": template}}
    made = api.create(f"/apis/batch/v1/namespaces/{namespace}/jobs", job).body
    own = {"batch.kubernetes.io/controller-uid": made["metadata"]["uid"]}
    assert made["spec"]["selector"] == {"matchLabels": own}
    assert own.items() <= made["spec"]["template"]["metadata"]["labels"].items()


@pytest.mark.parametrize(
    ("path", "code"),
    [
        pytest.param("/api/v1/configmaps/a", 404, id="a namespaced kind without a namespace"),
        pytest.param("/apis/nothing.example.com/v1/things", 404, id="a group that is not there"),
        pytest.param("/api/v1/namespaces/default/things", 404, id="a resource that is not there"),
        pytest.param("/api/v1/namespaces/default/configmaps/a/status", 404, id="a status where there is none"),
    ],
)
def test_what_is_not_served_is_not_found(api, path, code) -> None:
    assert api.get(path).code == code


def test_without_a_known_token_nothing_is_answered(api) -> None:
    api.token = "a-guess"
    answer = api.get("/api/v1/namespaces")
    assert (answer.code, answer.body["reason"]) == (401, "Unauthorized")
