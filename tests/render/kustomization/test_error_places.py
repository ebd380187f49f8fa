"""Errors name the file, line and column of what somebody wrote: the part of an entry, the document of a file."""

from __future__ import annotations

import pytest

from render import yaml
from render.errors import InputError, KustomizationError, within
from render.kustomization import build
from render.tree import MemoryTree

WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template: {}
"""
OTHER = WEB.replace("web", "other")
OPERATIONS = "- {op: add, path: /a, value: b}\n- {op: remove, path: /spec/nothing}\n"
TWO = "kind: A\nmetadata: {name: a}\n---\nkind: A\n%s\n"

PLACES: dict[str, tuple[str, dict[str, str], str, str]] = {
    "patch-file-of-nothing": ("patches:\n- path: p.yaml\n", {"p.yaml": OTHER}, "p.yaml:4:3", "no resource matches"),
    "second-patch-of-a-file": (
        "patches:\n- path: p.yaml\n",
        {"p.yaml": f"{WEB}---\n{OTHER}"},
        "p.yaml:11:3",
        "no resource matches",
    ),
    "inline-patch-of-nothing": (
        "patches:\n- options: {}\n  patch: |\n    kind: A\n    metadata: {name: a}\n",
        {},
        "kustomization.yaml:4:3",
        "no resource matches",
    ),
    "merge-file-of-nothing": (
        "patchesStrategicMerge:\n- p.yaml\n",
        {"p.yaml": OTHER},
        "p.yaml:4:3",
        "failed to find unique target",
    ),
    "patch-that-is-none": (
        "patches:\n- path: p.yaml\n",
        {"p.yaml": "a: b\n"},
        "p.yaml:1:1",
        "unable to parse SM or JSON",
    ),
    "patch-that-is-not-there": (
        "patches:\n- target: {kind: A}\n  path: p.yaml\n",
        {},
        "kustomization.yaml:4:3",
        "failed to get the patch file",
    ),
    "operation-in-a-file": (
        "patches:\n- target: {kind: Deployment}\n  path: p.yaml\n",
        {"p.yaml": OPERATIONS},
        "p.yaml:2:3",
        "remove operation does not apply",
    ),
    "target": (
        "patches:\n- path: p.yaml\n  target: {kind: '('}\n",
        {"p.yaml": "[]"},
        "kustomization.yaml:4:3",
        "regexp",
    ),
    "replicas": ("replicas:\n- count: 1\n  name: x\n", {}, "kustomization.yaml:4:3", "resource with name x"),
    "image": ("images:\n- newTag: a\n  name: '('\n", {}, "kustomization.yaml:4:3", "no valid regular expression"),
    "replacement-source": (
        "replacements:\n- targets: [{select: {kind: A}}]\n  source: {kind: B}\n",
        {},
        "kustomization.yaml:4:3",
        "nothing selected by B",
    ),
    "replacement-target": (
        "replacements:\n- source: {kind: Deployment}\n  targets:\n  - select: {kind: A}\n  - fieldPaths: [a]\n",
        {},
        "kustomization.yaml:6:5",
        "target must specify resources to select",
    ),
    "replacement-field": (
        "replacements:\n- source: {kind: Deployment}\n  targets:\n  - select: {kind: Deployment}\n    fieldPaths:\n"
        "    - metadata.name\n    - spec.x.y\n",
        {},
        "kustomization.yaml:8:7",
        "unable to find field",
    ),
    "replacement-selection": (
        "replacements:\n- source: {kind: Deployment}\n  targets:\n  - select: {kind: '('}\n",
        {},
        "kustomization.yaml:5:5",
        "regexp",
    ),
    "literal": (
        "configMapGenerator:\n- name: a\n  literals:\n  - a=b\n  - c\n",
        {},
        "kustomization.yaml:6:5",
        "invalid literal source c",
    ),
    "file": ("configMapGenerator:\n- name: a\n  files:\n  - x.txt\n", {}, "kustomization.yaml:5:5", "doesn't exist"),
    "envs": ("secretGenerator:\n- name: a\n  envs:\n  - x.env\n", {}, "kustomization.yaml:5:5", "doesn't exist"),
    "env": ("secretGenerator:\n- name: a\n  env: x.env\n", {}, "kustomization.yaml:4:3", "doesn't exist"),
    "repeated-key": (
        "configMapGenerator:\n- name: a\n  literals:\n  - a=b\n  - a=c\n",
        {},
        "kustomization.yaml:6:5",
        "illegally repeats the key `a`",
    ),
    "var-of-nothing": (
        "vars:\n- name: V\n  objref: {kind: A, name: a}\n",
        {},
        "kustomization.yaml:4:3",
        "var 'V' cannot be mapped",
    ),
    "var-field": (
        "vars:\n- name: V\n  objref: {kind: Deployment, name: web, apiVersion: apps/v1}\n  fieldref:\n"
        "    fieldPath: x.y\n",
        {},
        "kustomization.yaml:6:5",
        "field specified in var 'V' not found",
    ),
    "object-without-a-name": (
        "components: []\nnamePrefix: a-\n",
        {"web.yaml": TWO % "metadata: {labels: {a: b}}"},
        "web.yaml:5:1",
        "missing metadata.name",
    ),
    "element-without-a-name": (
        "namePrefix: a-\n",
        {"web.yaml": "kind: List\nitems:\n- kind: A\n  metadata: {name: a}\n- kind: B\n  metadata: {labels: {}}\n"},
        "web.yaml:6:3",
        "missing metadata.name",
    ),
    "no-object": (
        "namePrefix: a-\n",
        {"web.yaml": "kind: A\nmetadata: {name: a}\n---\n- b\n"},
        "web.yaml:4:1",
        "metadata",
    ),
    "transformer-in-a-file": (
        "transformers:\n- t.yaml\n",
        {"t.yaml": "# first\napiVersion: builtin\nkind: PrefixTransformer\nmetadata: {name: t}\nprefix: a\n"},
        "t.yaml:2:1",
        "fieldSpecs is not expected to be nil",
    ),
    "transformer-in-place": (
        "transformers:\n- |\n  apiVersion: builtin\n  kind: Unknown\n  metadata: {name: t}\n",
        {},
        "kustomization.yaml:2:1",
        "unable to load builtin Unknown",
    ),
}


@pytest.mark.parametrize("case", PLACES)
def test_an_error_stands_where_its_cause_is_written(case: str) -> None:
    fields, files, place, said = PLACES[case]
    with pytest.raises(InputError) as caught:
        build(MemoryTree({"web.yaml": WEB, **files, "kustomization.yaml": f"resources: [web.yaml]\n{fields}"}), "")
    error = caught.value
    assert f"{error.path}:{error.line}:{error.column}" == place
    assert said in error.message


def test_an_error_of_a_base_stands_in_the_base() -> None:
    files = {
        "base/kustomization.yaml": "resources: [web.yaml]\nvars:\n- name: V\n  objref: {kind: A, name: a}\n",
        "base/web.yaml": WEB,
        "kustomization.yaml": "namePrefix: p-\nresources:\n- base\n",
    }
    with pytest.raises(KustomizationError) as caught:
        build(MemoryTree(files), "")
    assert (caught.value.path, caught.value.line) == ("base/kustomization.yaml", 4)


def test_steps_are_put_together_from_the_inside_out() -> None:
    with pytest.raises(KustomizationError) as caught, within("a", 1), within("b"):
        raise KustomizationError("wrong", within=("c",))
    assert caught.value.within == ("a", 1, "b", "c")


def test_an_error_that_knows_its_file_takes_no_steps() -> None:
    with pytest.raises(KustomizationError) as caught, within("a"):
        raise KustomizationError("wrong", path="x.yaml")
    assert caught.value.within == ()
    assert yaml.position(b"a: b\n", "x.yaml", 0, caught.value.within) == (1, 1)
