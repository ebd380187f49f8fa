"""What lint finds, what it leaves in peace, and that each finding has the place of what somebody wrote."""

from __future__ import annotations

import pytest

from render.linting import lint
from render.tree import MemoryTree, Tree
from render.tree.remote import RemoteTree

WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: "registry.example.com/web:1", envFrom: [{configMapRef: {name: used}}]}]
"""
CLUSTER_WIDE = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: reader}\n"
BINDING = """\
apiVersion: v1
kind: ServiceAccount
metadata: {name: worker}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: work}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: work}
subjects:
- {kind: User, name: worker}
- {kind: ServiceAccount, name: worker-of-old, namespace: old}
- {kind: ServiceAccount, name: worker, namespace: elsewhere}
"""

KUSTOMIZATION = "kustomization.yaml"
ADD = """'[{"op": "add", "path": "/a", "value": "b"}]'"""


def found(kustomization: str, *, run_levels: bool = False, **files: str) -> list[tuple[str, str, str]]:
    """Each finding's place, rule and message."""
    named = {name.replace("__", "/").replace("_yaml", ".yaml"): text for name, text in files.items()}
    tree = MemoryTree({KUSTOMIZATION: kustomization, "web.yaml": WEB, **named})
    return [
        (f"{finding.path}:{finding.line}:{finding.column}", finding.rule, finding.message)
        for finding in lint([(tree, "")], run_levels=run_levels)
    ]


DEPRECATED = {
    "bases": ("bases: [base]\nresources: [web.yaml]\n", "1:1"),
    "imageTags": ("resources: [web.yaml]\nimageTags: [{name: registry.example.com/web, newTag: '2'}]\n", "2:1"),
    "commonLabels": ("resources: [role.yaml, web.yaml]\ncommonLabels: {a: b}\n", "2:1"),
    "patchesStrategicMerge": ("resources: [web.yaml]\npatchesStrategicMerge: [patch.yaml]\n", "2:1"),
    "patchesJson6902": (
        "resources: [web.yaml]\npatchesJson6902:\n- target: {version: v1, group: apps, kind: Deployment, name: web}\n"
        f"  patch: {ADD}\n",
        "2:1",
    ),
    "vars": (
        "resources: [web.yaml]\nvars:\n- {name: A, objref: {apiVersion: apps/v1, kind: Deployment, name: web}}\n",
        "2:1",
    ),
}


@pytest.mark.parametrize("field", DEPRECATED)
def test_a_deprecated_field_is_found_where_it_stands(field: str) -> None:
    text, place = DEPRECATED[field]
    files = {
        "base__kustomization_yaml": "resources: [role.yaml]\n",
        "base__role_yaml": CLUSTER_WIDE,
        "patch_yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, labels: {a: b}}\n",
        "role_yaml": CLUSTER_WIDE,
    }
    assert (f"{KUSTOMIZATION}:{place}", "deprecated", f"the field {field} is deprecated") in found(text, **files)


def test_a_deprecated_field_of_a_generator_is_found() -> None:
    text = "resources: [web.yaml]\nconfigMapGenerator:\n- name: used\n  env: e.env\n"
    tree = MemoryTree({KUSTOMIZATION: text, "web.yaml": WEB, "e.env": "a=b\n"})
    assert [str(finding) for finding in lint([(tree, "")])] == [
        "kustomization.yaml:4:3: warning: the field env is deprecated\n  hint: use envs, which is a list"
    ]


FOUND = {
    "patch-without-object": (
        f"resources: [web.yaml]\npatches:\n- target: {{kind: Deployment, name: wep}}\n  patch: {ADD}\n",
        (":3:3", "unmatched", "this patch changes nothing: no object matches {kind: Deployment, name: wep}"),
    ),
    "image-without-container": (
        "resources: [web.yaml]\nimages:\n- {name: registry.example.com/web, newTag: '2'}\n- {name: web, newTag: '2'}\n",
        (":4:3", "unmatched", 'no container has the image "web"'),
    ),
    "replacement-without-target": (
        "resources: [web.yaml]\nreplacements:\n- source: {kind: Deployment, name: web}\n"
        "  targets: [{select: {kind: Service}, fieldPaths: [metadata.name]}]\n",
        (":4:14", "unmatched", "nothing is replaced: no object matches {kind: Service}"),
    ),
    "labels-in-selectors": (
        "resources: [web.yaml]\nlabels:\n- pairs: {a: b}\n  includeSelectors: true\n",
        (
            ":4:3",
            "selectors",
            "includeSelectors also changes the selector of Deployment web, which cannot change once it is there",
        ),
    ),
    "generated-for-nobody": (
        "resources: [web.yaml]\nconfigMapGenerator:\n- {name: used, literals: [a=b]}\n- {name: idle, literals: [a=b]}"
        "\n",
        (":4:3", "unused", 'nothing refers to the generated ConfigMap "idle"'),
    ),
    "namespace-of-nothing": (
        "resources: [role.yaml]\nnamespace: prod\n",
        (":2:1", "namespace", "the namespace reaches nothing: every object here belongs to the whole cluster"),
    ),
    "namespace-over-another": (
        "resources: [base]\nnamespace: prod\n",
        (
            ":2:1",
            "namespace",
            "namespace prod replaces dev, which a kustomization below gives Deployment.v1.apps/web.dev",
        ),
    ),
    "replacing-a-whole-object": (
        "resources: [web.yaml]\npatches:\n- path: whole.yaml\n",
        (":3:3", "patch", "$patch: replace changes nothing at the top of Deployment.v1.apps/web.[noNs]"),
    ),
    "one-label-of-two": (
        "resources: [labelled]\npatches:\n- path: label.yaml\n",
        (":3:3", "patch", "this also changes tier in spec.template.metadata.labels of Deployment web"),
    ),
    "var-for-nobody": (
        "resources: [web.yaml]\nvars:\n- {name: WEB, objref: {apiVersion: apps/v1, kind: Deployment, name: web}}\n",
        (":3:3", "unused", "nothing holds $(WEB)"),
    ),
}
LAYERS = {
    "base/kustomization.yaml": "resources: [web.yaml]\nnamespace: dev\n",
    "base/web.yaml": WEB,
    "labelled/web.yaml": WEB,
    "labelled/kustomization.yaml": (
        "resources: [web.yaml]\nlabels: [{pairs: {tier: front}, includeTemplates: true}]\n"
    ),
    "whole.yaml": "$patch: replace\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n",
    "label.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, labels: {tier: back}}\n",
}


@pytest.mark.parametrize("case", FOUND)
def test_what_does_not_do_what_it_seems_to_is_found(case: str) -> None:
    text, (place, rule, message) = FOUND[case]
    files = {"role_yaml": CLUSTER_WIDE} if "role.yaml" in text else {}
    assert (f"{KUSTOMIZATION}{place}", rule, message) in found(text, **files, **LAYERS)


CLEAN = {
    "patch": f"resources: [web.yaml]\npatches: [{{target: {{name: w.*}}, patch: {ADD}}}]\n",
    "patch-by-name-at-first": "resources: [web.yaml]\nnamePrefix: p-\nnamespace: x\n",
    "image": "resources: [web.yaml]\nimages: [{name: registry.example.com/web, newTag: '1'}]\n",
    "labels": "resources: [web.yaml]\nlabels: [{pairs: {a: b}, includeTemplates: true}]\n",
    "generated": "resources: [web.yaml]\nconfigMapGenerator: [{name: used, literals: [a=b]}]\n",
    "generated-by-fixed-name": (
        "resources: [web.yaml]\nconfigMapGenerator: [{name: x, options: {disableNameSuffixHash: true}}]\n"
    ),
    "namespaces-that-agree": "resources: [base]\nnamespace: dev\n",
    "replacing-a-part": (
        "resources: [web.yaml]\npatches:\n- patch: |-\n    apiVersion: apps/v1\n    kind: Deployment\n"
        "    metadata: {name: web}\n    spec: {strategy: {$patch: replace, type: Recreate}}\n"
    ),
    "both-labels": (
        "resources: [labelled]\npatches:\n- patch: |-\n    apiVersion: apps/v1\n    kind: Deployment\n"
        "    metadata: {name: web, labels: {tier: back}}\n"
        "    spec: {template: {metadata: {labels: {tier: back}}}}\n"
    ),
    "var": (
        "resources: [web.yaml]\nvars: [{name: WEB, objref: {apiVersion: apps/v1, kind: Deployment, name: web}}]\n"
        "commonAnnotations: {note: $(WEB)}\n"
    ),
    "generated-for-a-label": "resources: [web.yaml]\nconfigMapGenerator: [{name: x, options: {labels: {a: b}}}]\n",
}


@pytest.mark.parametrize("case", CLEAN)
def test_what_does_what_it_says_is_left_in_peace(case: str) -> None:
    assert [finding for finding in found(CLEAN[case], **LAYERS) if finding[1] not in ("unread", "deprecated")] == []


def test_a_near_name_is_proposed() -> None:
    text = f"resources: [web.yaml]\npatches: [{{target: {{kind: Deployment, name: wep}}, patch: {ADD}}}]\n"
    tree = MemoryTree({KUSTOMIZATION: text, "web.yaml": WEB})
    assert [finding.hint for finding in lint([(tree, "")])] == ['did you mean "web"?']


def test_an_entry_that_means_something_in_one_overlay_is_left_in_peace() -> None:
    part = "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\n"
    part += f"patches: [{{target: {{kind: Deployment}}, patch: {ADD}}}]\n"
    files = {
        "part/kustomization.yaml": part,
        "one/kustomization.yaml": "resources: [role.yaml]\ncomponents: [../part]\n",
        "one/role.yaml": CLUSTER_WIDE,
        "two/kustomization.yaml": "resources: [web.yaml]\ncomponents: [../part]\n",
        "two/web.yaml": WEB,
    }
    tree = MemoryTree(files)
    assert [finding.rule for finding in lint([(tree, "one")])] == ["unmatched"]
    assert lint([(tree, "one"), (tree, "two")]) == ()
    assert lint([(tree, "two"), (tree, "one")]) == ()


def test_a_subject_elsewhere_is_found_at_the_subject() -> None:
    text = "resources: [web.yaml, rbac.yaml]\nnamespace: prod\n"
    message = "RoleBinding work is for ServiceAccount worker in elsewhere, but it is in prod"
    assert found(text, rbac_yaml=BINDING) == [("rbac.yaml:12:3", "namespace", message)]


def test_files_that_nobody_reads_are_found_down_to_the_next_kustomization() -> None:
    files = {
        "more__old_yaml": WEB,
        "other__kustomization_yaml": "resources: [x.yaml]\n",
        "other__unseen_yaml": WEB,
        "chart__Chart_yaml": "name: chart\n",
        "chart__values_yaml": "",
        ".hidden__x_yaml": "",
    }
    assert found("resources: [web.yaml]\n", **files) == [
        ("more/old.yaml:1:1", "unread", "no kustomization reads this file")
    ]


def test_what_cannot_be_built_is_an_error_and_hides_nothing_else() -> None:
    files = {
        "bad/kustomization.yaml": "commonLabels: {a: b}\nresources: [nope.yaml]\n",
        "bad/unread.yaml": WEB,
        "good/kustomization.yaml": "bases: [../base]\n",
        "base/kustomization.yaml": "resources: [web.yaml]\n",
        "base/web.yaml": WEB,
    }
    tree = MemoryTree(files)
    assert [(finding.level, finding.rule, finding.path) for finding in lint([(tree, "bad"), (tree, "good")])] == [
        ("warning", "deprecated", "bad/kustomization.yaml"),
        ("error", "build", "bad/kustomization.yaml"),
        ("warning", "deprecated", "good/kustomization.yaml"),
    ]


@pytest.mark.parametrize(
    ("name", "almost"),
    [
        ("0000_50_web_01_x.yaml", False),
        ("0000_5O_web_x.yaml", True),
        ("0000-50-web-x.yaml", True),
        ("000_50_web_x.yaml", True),
        ("0000_50_web.yaml", True),
        ("00_50_web_x.yaml", True),
        ("01-namespace.yaml", False),
        ("web.yaml", False),
    ],
)
def test_a_name_that_is_almost_a_run_level_is_found(name: str, almost: bool) -> None:
    tree = MemoryTree({KUSTOMIZATION: f"resources: [{name}]\n", name: WEB})
    assert [finding.rule for finding in lint([(tree, "")], run_levels=True)] == (["run-level"] if almost else [])
    assert lint([(tree, "")]) == ()


@pytest.mark.parametrize(
    ("ref", "message"),
    [
        ("", "this base is not pinned: it follows the server's own branch"),
        ("?ref=v1", 'this base is not pinned: "v1" can be moved'),
        (f"?ref={'a' * 40}", None),
    ],
    ids=["no-ref", "tag", "commit"],
)
def test_a_base_elsewhere_should_be_pinned(ref: str, message: str | None) -> None:
    def fetch(_: object) -> Tree:
        return MemoryTree({"kustomization.yaml": "resources: [web.yaml]\n", "web.yaml": WEB, "unread.yaml": WEB})

    text = f"resources:\n- https://host.example/org/repo{ref}\n"
    findings = lint([(RemoteTree(MemoryTree({KUSTOMIZATION: text}), fetch), "")])
    assert [finding.message for finding in findings] == ([] if message is None else [message])
    assert all((finding.line, finding.column) == (2, 3) for finding in findings)
