"""IAMPolicyGenerator: a service account that stands for one of a cloud provider's.

Kustomize makes it as a text, so that a name like `5` or `true` is no text in it.
"""

from __future__ import annotations

from typing import Any

from render.errors import KustomizationError, YamlError
from render.kustomization.draft import Draft
from render.kustomization.loader import Loader


def make_service_account(loader: Loader, config: dict[str, Any], path: str) -> Draft:
    """The annotated service account. Raises `KustomizationError` for clouds that Kustomize does not know."""
    if config.get("cloud") != "gke":
        raise KustomizationError(f"cloud provider {config.get('cloud') or ''} not supported yet")
    account = config.get("serviceAccount", {})
    service = config.get("kubernetesService", {})
    address = f"{account.get('name', '')}@{account.get('projectId', '')}.iam.gserviceaccount.com"
    lines = [
        *("apiVersion: v1", "kind: ServiceAccount", "metadata:", "  annotations:"),
        f"    iam.gke.io/gcp-service-account: {address}",
        f"  name: {service.get('name', '')}",
        *([f"  namespace: {service['namespace']}"] if service.get("namespace") else []),
    ]
    try:
        (draft,) = loader.inline_drafts("\n".join(lines), path)
    except (YamlError, ValueError) as error:
        raise KustomizationError(
            f"names that YAML cannot take as they are: {address}, {service.get('name', '')}",
            hint="serviceAccount and kubernetesService need a plain name each",
        ) from error
    return draft
