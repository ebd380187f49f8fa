"""The chain of files and transformers that gave an object or a field its value."""

from __future__ import annotations

import pytest

from render.errors import InputError
from render.explanation import explain, text
from render.places import ABSENT, at, differences, resolve, steps_of
from render.tree import MemoryTree

FILES = {
    "base/kustomization.yaml": """\
resources: [web.yaml, secret.yaml]
configMapGenerator:
- name: settings
  literals: [app.level=debug]
patches:
- path: patch.yaml
""",
    "base/web.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  template:
    spec:
      containers:
      - name: side
        image: side:1
      - name: web
        image: web:1
        envFrom: [{configMapRef: {name: settings}}]
""",
    "base/secret.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: key}\nstringData: {token: hush}\n",
    "base/patch.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      containers:
      - name: web
        args: [--fast]
  replicas: 2
""",
    "over/kustomization.yaml": """\
resources: [../base]
namePrefix: p-
replicas:
- name: web
  count: 3
images:
- name: other
  newTag: "9"
- name: web
  newTag: "2"
patches:
- target: {kind: Deployment}
  path: ops.yaml
labels:
- pairs: {tier: front}
""",
    "over/ops.yaml": "- {op: test, path: /kind, value: Deployment}\n- {op: replace, path: /spec/replicas, value: 7}\n",
}

CHAINS = {
    "Deployment/web.spec.replicas": """\
Deployment/p-web.spec.replicas is 3
  base/web.yaml:5:3: written: 1
  base/kustomization.yaml:6:3: patches[0] (PatchTransformer): 1 > 2
    base/patch.yaml:10:3
  over/kustomization.yaml:12:3: patches[0] (PatchTransformer): 2 > 7
    over/ops.yaml:2:3
  over/kustomization.yaml:4:3: replicas[0] (ReplicaCountTransformer): 7 > 3
""",
    "deployment/p-web.spec.template.spec.containers[name=web].image": """\
Deployment/p-web.spec.template.spec.containers[name=web].image is web:2
  base/web.yaml:12:9: written: web:1
  over/kustomization.yaml:9:3: images[1] (ImageTagTransformer): web:1 > web:2
""",
    "Deployment/web.spec.template.spec.containers[0].args": """\
Deployment/p-web.spec.template.spec.containers[0].args is ["--fast"]
  base/kustomization.yaml:6:3: patches[0] (PatchTransformer): ["--fast"]
    base/patch.yaml:9:9
""",
    "ConfigMap/settings.data.app.level": """\
ConfigMap/p-settings-kg5c45g9k7.data.app.level is debug
  base/kustomization.yaml:3:3: configMapGenerator[0] (ConfigMapGenerator): debug
""",
    "Deployment/web.spec.template.spec.containers[name=web].envFrom[0].configMapRef.name": """\
Deployment/p-web.spec.template.spec.containers[name=web].envFrom[0].configMapRef.name is p-settings-kg5c45g9k7
  base/web.yaml:13:35: written: settings
  after all layers: name reference: settings > p-settings-kg5c45g9k7
""",
    "Secret/key.stringData.token": """\
Secret/p-key.stringData.token is ***
  base/secret.yaml:4:14: written: ***
""",
    "ConfigMap/settings": """\
ConfigMap/p-settings-kg5c45g9k7
  base/kustomization.yaml:3:3: configMapGenerator[0] (ConfigMapGenerator): the whole object
  over/kustomization.yaml:2:1: namePrefix (PrefixTransformer): metadata.name
  over/kustomization.yaml:15:3: labels[0] (LabelTransformer): metadata.labels
  after all layers: hash of the content: metadata.name
""",
}


@pytest.mark.parametrize("subject", CHAINS)
def test_a_chain_tells_each_step_with_its_place(subject: str) -> None:
    assert text(explain(MemoryTree(FILES), "over", subject)) == CHAINS[subject]


def test_nothing_is_told_of_what_is_not_there() -> None:
    assert explain(MemoryTree(FILES), "over", "Deployment/other") == ()


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        ("Deployment/web.spec.nothing", "base/web.yaml: error: Deployment/p-web has no field spec.nothing"),
        ("web", 'error: "web" names no object'),
    ],
    ids=["no-field", "no-kind"],
)
def test_what_cannot_be_told_is_an_error(subject: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        explain(MemoryTree(FILES), "over", subject)
    assert str(caught.value).splitlines()[0] == said


def test_every_object_of_a_name_is_told() -> None:
    files = {"kustomization.yaml": "resources: [r.yaml]\n", "r.yaml": "".join(
        f"---\nkind: A\nmetadata: {{name: a, namespace: {space}}}\n" for space in "xy"
    )}  # fmt: skip
    lines = [found.links[0].line for found in explain(MemoryTree(files), "", "A/a.metadata.namespace")]
    assert lines == [3, 6]


NODE = {"a.b": {"c": 1}, "a": {"b": {"c": 2}}, "list": [{"name": "x", "v": 1}, {"name": "y"}, 5]}


@pytest.mark.parametrize(
    ("field", "trail", "steps"),
    [
        ("a.b.c", ("a.b", "c"), ("a.b", "c")),
        ("list[name=y].name", ("list", 1, "name"), ("list", ("name", "y"), "name")),
        ("list[0].v", ("list", 0, "v"), ("list", ("name", "x"), "v")),
        ("list.2", ("list", 2), ("list", 2)),
        ("", (), ()),
    ],
    ids=["longest-key", "by-name", "by-position", "scalar", "whole"],
)
def test_a_written_field_is_found(field: str, trail: tuple[object, ...], steps: tuple[object, ...]) -> None:
    found = resolve([NODE], field)
    assert found == trail
    assert steps_of(NODE, found) == steps
    assert at(NODE, steps) is not ABSENT


@pytest.mark.parametrize("field", ["b", "list[9]", "list[name=z]", "a.b.c.d"])
def test_a_field_that_is_not_there_is_none(field: str) -> None:
    assert resolve([NODE], field) is None


def test_differences_name_the_deepest_places() -> None:
    old, new = {"a": {"b": 1, "c": 2}, "l": [1, 2]}, {"a": {"b": 1, "c": 3, "d": 4}, "l": [1, 3]}
    assert differences(old, new) == ["a.c", "a.d", "l[1]"]
    assert differences({"a": 1}, {"a": True}) == ["a"]
