"""Server-side apply: who owns what, who is in whose way, and what goes when it is no longer stated."""

from __future__ import annotations

from typing import Any

import pytest

Manifest = dict[str, Any]


def config_map(data: Manifest, **metadata: Any) -> Manifest:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", **metadata}, "data": data}


def workload(containers: list[Manifest], **spec: Any) -> Manifest:
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": containers}}
    spec = {"selector": {"matchLabels": labels}, "template": template, **spec}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


def container(name: str = "main", **more: Any) -> Manifest:
    return {"name": name, "image": f"registry.example/{name}:1", **more}


def owned(answer: Any) -> dict[tuple[str, str, str], Manifest]:
    """The fields of each (manager, operation, subresource)."""
    entries = answer.body["metadata"].get("managedFields", ())
    return {(one["manager"], one["operation"], one.get("subresource", "")): one["fieldsV1"] for one in entries}


def test_an_apply_creates_and_owns_what_it_states(api, core) -> None:
    made = api.apply(f"{core}/configmaps/a", config_map({"k": "v"}, labels={"l": "1"}), manager="one")
    assert made.code == 201
    fields = {"f:data": {"f:k": {}}, "f:metadata": {"f:labels": {"f:l": {}}}}
    assert owned(made) == {("one", "Apply", ""): fields}


def test_an_apply_of_the_same_changes_nothing(api, core) -> None:
    path = f"{core}/configmaps/a"
    first = api.apply(path, config_map({"k": "v"}), manager="one")
    again = api.apply(path, config_map({"k": "v"}), manager="one")
    assert (again.code, again.body) == (200, first.body)


def test_a_field_that_others_own_is_a_conflict_that_names_them(api, core) -> None:
    path = f"{core}/configmaps/a"
    api.apply(path, config_map({"k": "1", "m": "1"}), manager="one")
    api.patch(path, {"data": {"m": "2"}}, fieldManager="editor")
    refused = api.apply(path, config_map({"k": "2", "m": "3"}), manager="two")
    assert (refused.code, refused.body["reason"]) == (409, "Conflict")
    causes = {(one["field"], one["message"]) for one in refused.body["details"]["causes"]}
    assert causes == {(".data.k", 'conflict with "one"'), (".data.m", 'conflict with "editor" using v1')} or {
        (field, message.split(" using")[0]) for field, message in causes
    } == {(".data.k", 'conflict with "one"'), (".data.m", 'conflict with "editor"')}
    assert api.get(path).body["data"] == {"k": "1", "m": "2"}


def test_force_takes_the_field_from_its_owner(api, core) -> None:
    path = f"{core}/configmaps/a"
    api.apply(path, config_map({"k": "1", "m": "1"}), manager="one")
    taken = api.apply(path, config_map({"k": "2"}), manager="two", force=True)
    assert taken.body["data"] == {"k": "2", "m": "1"}
    assert owned(taken) == {
        ("one", "Apply", ""): {"f:data": {"f:m": {}}},
        ("two", "Apply", ""): {"f:data": {"f:k": {}}},
    }


def test_equal_values_are_owned_together_and_outlive_one_owner(api, core) -> None:
    path = f"{core}/configmaps/a"
    api.apply(path, config_map({"k": "1"}), manager="one")
    shared = api.apply(path, config_map({"k": "1"}), manager="two")
    assert shared.code == 200
    assert owned(shared).keys() == {("one", "Apply", ""), ("two", "Apply", "")}
    assert api.apply(path, config_map({}), manager="one").body["data"] == {"k": "1"}
    assert "data" not in api.apply(path, config_map({}), manager="two").body


def test_a_field_no_longer_stated_goes_unless_somebody_else_owns_it(api, core) -> None:
    path = f"{core}/configmaps/a"
    api.apply(path, config_map({"mine": "1", "ours": "1"}), manager="one")
    api.apply(path, config_map({"ours": "1"}), manager="two")
    api.patch(path, {"data": {"theirs": "1"}}, fieldManager="editor")
    assert api.apply(path, config_map({}), manager="one").body["data"] == {"ours": "1", "theirs": "1"}


def test_a_plain_write_takes_ownership_of_what_it_changes(api, core) -> None:
    path = f"{core}/configmaps/a"
    api.apply(path, config_map({"k": "1", "m": "1"}), manager="one")
    changed = api.patch(path, {"data": {"k": "2"}}, fieldManager="editor")
    assert owned(changed) == {
        ("one", "Apply", ""): {"f:data": {"f:m": {}}},
        ("editor", "Update", ""): {"f:data": {"f:k": {}}},
    }


def test_one_manager_may_own_by_apply_and_by_update(api, core) -> None:
    path = f"{core}/configmaps/a"
    api.apply(path, config_map({"k": "1"}), manager="one")
    both = api.patch(path, {"data": {"n": "1"}}, fieldManager="one")
    assert owned(both) == {
        ("one", "Apply", ""): {"f:data": {"f:k": {}}},
        ("one", "Update", ""): {"f:data": {"f:n": {}}},
    }


def test_status_is_owned_through_its_own_door(api, apps) -> None:
    path = f"{apps}/deployments/web"
    api.apply(path, workload([container()]), manager="one")
    status = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "status": {"replicas": 2}}
    applied = api.apply(f"{path}/status", status, manager="controller")
    assert applied.body["status"]["replicas"] == 2
    assert owned(applied)["controller", "Apply", "status"] == {"f:status": {"f:replicas": {}}}
    again = api.apply(path, {**workload([container()]), "status": {"replicas": 9}}, manager="one")
    assert again.body["status"]["replicas"] == 2


def test_list_items_are_merged_by_their_keys(api, apps) -> None:
    path = f"{apps}/deployments/web"
    first = [container(env=[{"name": "A", "value": "1"}], ports=[{"containerPort": 80}, {"containerPort": 81}])]
    api.apply(path, workload(first), manager="one")
    second = [container("side"), {"name": "main", "env": [{"name": "B", "value": "2"}]}]
    merged = api.apply(path, workload(second), manager="two").body["spec"]["template"]["spec"]["containers"]
    assert [one["name"] for one in merged] == ["side", "main"]
    assert [one["name"] for one in merged[1]["env"]] == ["A", "B"]
    assert [one["containerPort"] for one in merged[1]["ports"]] == [80, 81]
    only_one_port = [container(env=[{"name": "A", "value": "1"}], ports=[{"containerPort": 81}])]
    last = api.apply(path, workload(only_one_port), manager="one").body["spec"]["template"]["spec"]["containers"]
    assert [one["containerPort"] for one in last[1]["ports"]] == [81]


def test_a_default_comes_back_when_the_field_is_given_up(api, apps) -> None:
    path = f"{apps}/deployments/web"
    api.apply(path, workload([container()], replicas=5), manager="one")
    given_up = api.apply(path, workload([container()]), manager="one")
    assert given_up.body["spec"]["replicas"] == 1
    assert "f:replicas" not in owned(given_up)["one", "Apply", ""]["f:spec"]


def test_an_atomic_field_is_owned_whole(api, apps) -> None:
    path = f"{apps}/deployments/web"
    api.apply(path, workload([container(command=["a", "b"])]), manager="one")
    more = workload([{"name": "main", "command": ["a", "b", "c"]}])
    refused = api.apply(path, more, manager="two")
    assert [one["field"] for one in refused.body["details"]["causes"]] == [
        '.spec.template.spec.containers[name="main"].command'
    ]
    forced = api.apply(path, more, manager="two", force=True)
    assert forced.body["spec"]["template"]["spec"]["containers"][0]["command"] == ["a", "b", "c"]


REFUSED = [
    pytest.param({**config_map({}), "dato": {}}, 500, ".dato: field not declared in schema", id="an unknown field"),
    pytest.param(config_map({"k": 1}), 500, ".data.k: expected string", id="another type"),
    pytest.param(config_map({}, managedFields=[]), 400, "metadata.managedFields must be nil", id="managed fields"),
    pytest.param(config_map({}, uid="a-guess"), 409, "uid mismatch", id="a uid of nothing"),
    pytest.param(config_map({}, name="b"), 400, "does not match the name on the URL", id="another name"),
]


@pytest.mark.parametrize(("manifest", "code", "words"), REFUSED)
def test_an_apply_is_refused_with_its_reason(api, core, manifest, code, words) -> None:
    answer = api.apply(f"{core}/configmaps/a", manifest, manager="one")
    assert answer.code == code
    assert words in answer.body["message"]


def test_two_items_with_one_key_cannot_be_applied(api, apps) -> None:
    answer = api.apply(f"{apps}/deployments/web", workload([container(), container()]), manager="one")
    assert answer.code == 500
    assert '.spec.template.spec.containers: duplicate entries for key [name="main"]' in answer.body["message"]


def test_an_apply_names_its_manager(api, core) -> None:
    answer = api.send("PATCH", f"{core}/configmaps/a", config_map({}), content="apply")
    assert (answer.code, answer.causes) == (422, {("fieldManager", "FieldValueRequired")})


def test_a_resource_version_guards_an_apply(api, core) -> None:
    path = f"{core}/configmaps/a"
    read = api.apply(path, config_map({"k": "1"}), manager="one").body["metadata"]["resourceVersion"]
    assert api.apply(path, config_map({"k": "2"}, resourceVersion=read), manager="one").code == 200
    late = api.apply(path, config_map({"k": "3"}, resourceVersion=read), manager="one")
    assert (late.code, late.body["reason"]) == (409, "Conflict")
    assert api.get(path).body["data"] == {"k": "2"}


def test_a_resource_version_does_not_keep_an_apply_from_creating(api, core) -> None:
    """Whoever must not bring back what was deleted states the uid."""
    answer = api.apply(f"{core}/configmaps/a", config_map({}, resourceVersion="1"), manager="one")
    assert answer.code == 201


def test_who_owned_before_the_first_apply_is_remembered(api, core) -> None:
    path = f"{core}/configmaps/a"
    api.create(f"{core}/configmaps", config_map({"k": "1"}))
    cleared = api.patch(path, [{"op": "replace", "path": "/metadata/managedFields", "value": [{}]}], "json")
    assert owned(cleared) == {}
    assert owned(api.patch(path, {"data": {"n": "1"}})) == {}
    refused = api.apply(path, config_map({"k": "2"}), manager="one")
    assert refused.code == 409
    assert refused.body["details"]["causes"][0]["message"].startswith('conflict with "before-first-apply"')


def test_a_dry_run_of_an_apply_shows_the_result(api, core) -> None:
    path = f"{core}/configmaps/a"
    before = api.apply(path, config_map({"k": "1"}), manager="one").body
    shown = api.apply(path, config_map({"k": "2"}), manager="one", dryRun="All")
    assert shown.body["data"] == {"k": "2"}
    assert shown.body["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]
    assert api.get(path).body == before


def test_a_changed_value_moves_the_time_of_its_owner(api, core) -> None:
    """A policy may ask when a manager wrote last; a write that leaves its fields the same counts too."""

    def written(answer: Any) -> str:
        return str(next(one["time"] for one in answer.body["metadata"]["managedFields"] if one["manager"] == "editor"))

    path = f"{core}/configmaps/a"
    first = written(api.create(f"{core}/configmaps", config_map({"k": "0", "m": "0"}), fieldManager="editor"))

    changes = iter(range(1, 100))
    api.eventually(
        lambda: api.patch(path, {"data": {"k": str(next(changes))}}, fieldManager="editor"),
        lambda answer: answer.code == 200 and written(answer) > first,
    )
