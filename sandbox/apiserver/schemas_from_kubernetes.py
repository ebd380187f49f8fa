"""Makes `schemas/kubernetes.json`: what is known of the built-in kinds, taken from Kubernetes' own OpenAPI.

Run with a folder that holds Kubernetes' published `api/openapi-spec/v3` documents:

    python -m sandbox.apiserver.schemas_from_kubernetes FOLDER > schemas/kubernetes.json

Kept of each schema: types, required fields, defaults that are not Go's zero value (but `{}`, which marks a struct that
is always written), enumerations, the keys of lists and the keys of strategic merges. Left out: descriptions. The data
is Kubernetes', under the Apache License 2.0.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ORIGIN = (
    "Kubernetes 1.34 OpenAPI (api/openapi-spec/v3), Apache License 2.0, reduced to the kinds that the sandbox serves"
)

DOCUMENTS = (
    "api__v1",
    "apis__apps__v1",
    "apis__batch__v1",
    "apis__rbac.authorization.k8s.io__v1",
    "apis__coordination.k8s.io__v1",
    "apis__storage.k8s.io__v1",
    "apis__admissionregistration.k8s.io__v1",
    "apis__autoscaling__v1",
    "apis__autoscaling__v2",
    "apis__policy__v1",
    "apis__networking.k8s.io__v1",
    "apis__scheduling.k8s.io__v1",
    "apis__discovery.k8s.io__v1",
    "apis__apiextensions.k8s.io__v1",
)

ROOTS = {
    "v1": "Namespace ConfigMap Secret Service ServiceAccount Pod PersistentVolumeClaim PersistentVolume Event Node"
    " Endpoints LimitRange ResourceQuota",
    "apps/v1": "Deployment StatefulSet ReplicaSet DaemonSet ControllerRevision",
    "batch/v1": "Job CronJob",
    "rbac.authorization.k8s.io/v1": "Role RoleBinding ClusterRole ClusterRoleBinding",
    "coordination.k8s.io/v1": "Lease",
    "storage.k8s.io/v1": "StorageClass VolumeAttachment",
    "admissionregistration.k8s.io/v1": "ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding"
    " ValidatingWebhookConfiguration MutatingWebhookConfiguration",
    "autoscaling/v1": "Scale",
    "autoscaling/v2": "HorizontalPodAutoscaler",
    "policy/v1": "PodDisruptionBudget",
    "networking.k8s.io/v1": "NetworkPolicy Ingress IngressClass",
    "scheduling.k8s.io/v1": "PriorityClass",
    "discovery.k8s.io/v1": "EndpointSlice",
    "apiextensions.k8s.io/v1": "CustomResourceDefinition",
}

KEPT: tuple[str, ...] = (
    "type",
    "format",
    "required",
    "enum",
    "oneOf",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
)
KEPT += ("x-kubernetes-map-type", "x-kubernetes-patch-strategy", "x-kubernetes-patch-merge-key")
KEPT += ("x-kubernetes-preserve-unknown-fields", "x-kubernetes-int-or-string", "x-kubernetes-embedded-resource")
PREFIX = "#/components/schemas/"


def reduce(schema: dict[str, Any]) -> dict[str, Any]:
    """One OpenAPI schema with only what the sandbox uses; references become `{"$ref": name}`."""
    if len(schema.get("allOf", ())) == 1:
        schema = {**schema, **schema["allOf"][0]}
    if "$ref" in schema:
        reference: dict[str, Any] = {"$ref": schema["$ref"].removeprefix(PREFIX)}
        if schema.get("default") == {}:
            reference["default"] = {}
        return reference | {key: schema[key] for key in KEPT if key in schema and key.startswith("x-")}
    reduced = {key: schema[key] for key in KEPT if key in schema}
    if schema.get("default"):
        reduced["default"] = schema["default"]
    if "properties" in schema:
        reduced["properties"] = {name: reduce(child) for name, child in schema["properties"].items()}
    if isinstance(schema.get("additionalProperties"), dict):
        reduced["additionalProperties"] = reduce(schema["additionalProperties"])
    if "items" in schema:
        reduced["items"] = reduce(schema["items"])
    return reduced


def references(schema: Any) -> set[str]:
    """The names that a reduced schema refers to."""
    if isinstance(schema, dict):
        found = {schema["$ref"]} if isinstance(schema.get("$ref"), str) else set()
        return found.union(*(references(child) for child in schema.values())) if schema else found
    return set().union(*(references(child) for child in schema)) if isinstance(schema, list) and schema else set()


def collect(folder: Path) -> dict[str, Any]:
    """The reduced definitions that the shipped kinds reach, and the definition's name of each kind."""
    everything: dict[str, Any] = {}
    for document in DOCUMENTS:
        everything |= json.loads((folder / f"{document}_openapi.json").read_text("utf-8"))["components"]["schemas"]
    kinds: dict[str, str] = {}
    for name, schema in everything.items():
        for gvk in schema.get("x-kubernetes-group-version-kind", ()):
            api_version = f"{gvk['group']}/{gvk['version']}".lstrip("/")
            if gvk["kind"] in ROOTS.get(api_version, "").split():
                kinds[f"{api_version} {gvk['kind']}"] = name
    definitions: dict[str, Any] = {}
    waiting = set(kinds.values())
    while waiting:
        name = waiting.pop()
        definitions[name] = reduce(everything[name])
        waiting |= references(definitions[name]) - definitions.keys()
    return {"origin": ORIGIN, "kinds": dict(sorted(kinds.items())), "definitions": dict(sorted(definitions.items()))}


def main() -> int:
    """Print the data for the folder named on the command line."""
    data = collect(Path(sys.argv[1]))
    lines = [
        f"    {json.dumps(name)}: {json.dumps(body, sort_keys=True)}" for name, body in data["definitions"].items()
    ]
    head = json.dumps({"origin": data["origin"], "kinds": data["kinds"]}, indent=2).removesuffix("\n}")
    print(head + ',\n  "definitions": {\n' + ",\n".join(lines) + "\n  }\n}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
