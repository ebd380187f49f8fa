"""What the configuration of each built-in generator and transformer may hold, and how Kustomize reads it.

Facts of Kustomize 5.8.1 (kubernetes-sigs/kustomize, Apache-2.0), written down as a table. Where a form says "text",
numbers and booleans count as text. Fields that Kustomize's types share through embedding are "string": text only.
"""

from __future__ import annotations

from render.kustomization.tables.fields import (
    CONFIG_MAP,
    HELM_CHART,
    HELM_GLOBALS,
    ID,
    REPLACEMENT,
    SECRET,
    Form,
)

_TEXTS: Form = ("list", "text")
_TEXT_MAP: Form = ("map", "text")
_METADATA: dict[str, Form] = {"name": "text", "namespace": "text", "labels": _TEXT_MAP, "annotations": _TEXT_MAP}
_KIND: dict[str, Form] = {"group": "string", "version": "string", "kind": "string"}
_SPECS: Form = ("list", {**_KIND, "path": "text", "create": "bool"})
_TEXT_SPECS: Form = ("list", {**dict.fromkeys(_KIND, "text"), "path": "text", "create": "bool"})
_SELECTOR: dict[str, Form] = {**ID, "annotationSelector": "text", "labelSelector": "text"}
_FIELD_OPTIONS: dict[str, Form] = {"delimiter": "text", "index": "int", "encoding": "text", "create": "bool"}

REPLACEMENT_IN_FILE: dict[str, Form] = {
    "source": {**ID, "fieldPath": "text", "options": _FIELD_OPTIONS},
    "sourceValue": "text",
    "targets": (
        "list",
        {"select": _SELECTOR, "reject": ("list", _SELECTOR), "fieldPaths": _TEXTS, "options": _FIELD_OPTIONS},
    ),
}
VALUE_TARGETS: Form = ("list", {"selector": _SELECTOR, "fieldPath": "text", "filePathPosition": "int"})

_PREFIX: dict[str, Form] = {"prefix": "text", "fieldSpecs": _TEXT_SPECS}
_SUFFIX: dict[str, Form] = {"suffix": "text", "fieldSpecs": _TEXT_SPECS}
_CONFIG_MAP: dict[str, Form] = {key: form for key, form in CONFIG_MAP.items() if key != "env"}
_SECRET: dict[str, Form] = {key: form for key, form in SECRET.items() if key != "env"}

PLUGIN_FIELDS: dict[str, dict[str, Form]] = {
    "AnnotationsTransformer": {"annotations": _TEXT_MAP, "fieldSpecs": _SPECS},
    "ConfigMapGenerator": {"metadata": _METADATA, **_CONFIG_MAP},
    "HashTransformer": {},
    "HelmChartInflationGenerator": {**HELM_CHART, **HELM_GLOBALS},
    "IAMPolicyGenerator": {
        "cloud": "string",
        "kubernetesService": {"name": "string", "namespace": "string"},
        "serviceAccount": {"name": "string", "projectId": "string"},
    },
    "ImageTagTransformer": {
        "imageTag": dict.fromkeys(("name", "newName", "tagSuffix", "newTag", "digest"), "text"),
        "fieldSpecs": _SPECS,
    },
    "LabelTransformer": {"labels": _TEXT_MAP, "fieldSpecs": _SPECS},
    "NamespaceTransformer": {
        "metadata": _METADATA,
        "unsetOnly": "bool",
        "setRoleBindingSubjects": "text",
        "fieldSpecs": _SPECS,
    },
    "PatchJson6902Transformer": {"path": "text", "jsonOp": "text", "target": _SELECTOR},
    "PatchStrategicMergeTransformer": {"paths": _TEXTS, "patches": "text"},
    "PatchTransformer": {
        "path": "text",
        "patch": "text",
        "target": _SELECTOR,
        "options": {"allowNameChange": "bool", "allowKindChange": "bool"},
    },
    "PrefixSuffixTransformer": {**_PREFIX, **_SUFFIX},
    "PrefixTransformer": _PREFIX,
    "ReplacementTransformer": {"replacements": ("list", {**REPLACEMENT, "path": "text"})},
    "ReplicaCountTransformer": {"replica": {"name": "text", "count": "int"}, "fieldSpecs": _SPECS},
    "SecretGenerator": {"metadata": _METADATA, **_SECRET},
    "SuffixTransformer": _SUFFIX,
    "ValueAddTransformer": {"value": "text", "targets": VALUE_TARGETS, "targetFilePath": "text"},
}

READ_TO_THE_LETTER = ("PrefixSuffixTransformer", "PrefixTransformer", "SuffixTransformer")
"""Kinds whose field names count with their case."""
