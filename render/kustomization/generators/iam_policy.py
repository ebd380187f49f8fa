"""IAMPolicyGenerator: a service account that stands for one of a cloud provider's."""

from __future__ import annotations

from typing import Any

from render.errors import KustomizationError
from render.kustomization.draft import Draft
from render.kustomization.loader import Loader
from render.kustomization.model import Manifest, Origin


def make_service_account(loader: Loader, config: dict[str, Any], path: str) -> Draft:
    """The annotated service account. Raises `KustomizationError` for clouds that Kustomize does not know."""
    if config.get("cloud") != "gke":
        raise KustomizationError(f"cloud provider {config.get('cloud') or ''} not supported yet")
    account = config.get("serviceaccount") or {}
    service = config.get("kubernetesservice") or {}
    address = f"{account.get('name', '')}@{account.get('projectId', '')}.iam.gserviceaccount.com"
    metadata: dict[str, Any] = {
        "annotations": {"iam.gke.io/gcp-service-account": address},
        "name": service.get("name", ""),
    }
    if service.get("namespace"):
        metadata["namespace"] = service["namespace"]
    manifest: Manifest = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}
    return Draft(manifest, Origin(path), loader.context)
