"""What a kustomization.yaml may hold: every field of Kustomization and Component, and the form of its value.

Facts of Kustomize 5.8.1 (kubernetes-sigs/kustomize, Apache-2.0), written down as a table. A form is "string", "bool",
"int", "any", ("list", form), ("map", form) or a mapping of fields.
"""

from __future__ import annotations

from typing import Any

Form = Any

STRINGS: Form = ("list", "string")
STRING_MAP: Form = ("map", "string")

ID: dict[str, Form] = {
    "group": "string",
    "version": "string",
    "kind": "string",
    "name": "string",
    "namespace": "string",
}
SELECTOR: dict[str, Form] = {**ID, "annotationSelector": "string", "labelSelector": "string"}
FIELD_SPEC: dict[str, Form] = {
    "group": "string",
    "version": "string",
    "kind": "string",
    "path": "string",
    "create": "bool",
}
PATCH: dict[str, Form] = {
    "path": "string",
    "patch": "string",
    "target": SELECTOR,
    "options": {"allowNameChange": "bool", "allowKindChange": "bool"},
}
IMAGE: dict[str, Form] = {
    "name": "string",
    "newName": "string",
    "tagSuffix": "string",
    "newTag": "string",
    "digest": "string",
}
FIELD_OPTIONS: dict[str, Form] = {"delimiter": "string", "index": "int", "encoding": "string", "create": "bool"}
REPLACEMENT: dict[str, Form] = {
    "source": {**ID, "fieldPath": "string", "options": FIELD_OPTIONS},
    "sourceValue": "string",
    "targets": (
        "list",
        {"select": SELECTOR, "reject": ("list", SELECTOR), "fieldPaths": STRINGS, "options": FIELD_OPTIONS},
    ),
}
GENERATOR_OPTIONS: dict[str, Form] = {
    "labels": STRING_MAP,
    "annotations": STRING_MAP,
    "disableNameSuffixHash": "bool",
    "immutable": "bool",
}
CONFIG_MAP: dict[str, Form] = {
    "namespace": "string",
    "name": "string",
    "behavior": "string",
    "literals": STRINGS,
    "files": STRINGS,
    "envs": STRINGS,
    "env": "string",
    "options": GENERATOR_OPTIONS,
}
SECRET: dict[str, Form] = {**CONFIG_MAP, "type": "string"}
HELM_GLOBALS: dict[str, Form] = {"chartHome": "string", "configHome": "string"}
HELM_CHART: dict[str, Form] = {
    "name": "string",
    "version": "string",
    "repo": "string",
    "releaseName": "string",
    "namespace": "string",
    "additionalValuesFiles": STRINGS,
    "valuesFile": "string",
    "valuesInline": "any",
    "valuesMerge": "string",
    "includeCRDs": "bool",
    "skipHooks": "bool",
    "apiVersions": STRINGS,
    "kubeVersion": "string",
    "nameTemplate": "string",
    "skipTests": "bool",
    "debug": "bool",
    "devel": "bool",
}
HELM_CHART_OF_OLD: dict[str, Form] = {
    "chartName": "string",
    "chartVersion": "string",
    "chartRepoUrl": "string",
    "chartHome": "string",
    "chartRepoName": "string",
    "helmBin": "string",
    "helmHome": "string",
    "values": "string",
    "valuesLocal": "any",
    "valuesMerge": "string",
    "releaseName": "string",
    "releaseNamespace": "string",
    "extraArgs": STRINGS,
}
METADATA: dict[str, Form] = {
    "name": "string",
    "namespace": "string",
    "labels": STRING_MAP,
    "annotations": STRING_MAP,
}
LEGACY_SORT: dict[str, Form] = {"orderFirst": STRINGS, "orderLast": STRINGS}

KUSTOMIZATION: dict[str, Form] = {
    "kind": "string",
    "apiVersion": "string",
    "metadata": METADATA,
    "openapi": STRING_MAP,
    "namePrefix": "string",
    "nameSuffix": "string",
    "namespace": "string",
    "commonLabels": STRING_MAP,
    "labels": (
        "list",
        {
            "pairs": STRING_MAP,
            "includeSelectors": "bool",
            "includeTemplates": "bool",
            "fields": ("list", FIELD_SPEC),
        },
    ),
    "commonAnnotations": STRING_MAP,
    "patchesStrategicMerge": STRINGS,
    "patchesJson6902": ("list", PATCH),
    "patches": ("list", PATCH),
    "images": ("list", IMAGE),
    "imageTags": ("list", IMAGE),
    "replacements": ("list", {**REPLACEMENT, "path": "string"}),
    "replicas": ("list", {"name": "string", "count": "int"}),
    "vars": (
        "list",
        {
            "name": "string",
            "objref": {**ID, "apiVersion": "string"},
            "fieldref": {"fieldPath": "string"},
        },
    ),
    "sortOptions": {"order": "string", "legacySortOptions": LEGACY_SORT},
    "resources": STRINGS,
    "components": STRINGS,
    "crds": STRINGS,
    "bases": STRINGS,
    "configMapGenerator": ("list", CONFIG_MAP),
    "secretGenerator": ("list", SECRET),
    "helmGlobals": HELM_GLOBALS,
    "helmCharts": ("list", HELM_CHART),
    "helmChartInflationGenerator": ("list", HELM_CHART_OF_OLD),
    "generatorOptions": GENERATOR_OPTIONS,
    "configurations": STRINGS,
    "generators": STRINGS,
    "transformers": STRINGS,
    "validators": STRINGS,
    "buildMetadata": STRINGS,
}
