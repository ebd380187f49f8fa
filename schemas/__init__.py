"""What the fleet repository's kinds look like: JSON Schemas that the code validates with and editors complete from.

`crds/` holds the resources that a controller reports through. Knows no code but where its own files lie.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


def read(kind: str) -> dict[str, Any]:
    """The JSON Schema of a kind of the fleet repository: "Fleet", "Application" or "Placement"."""
    schema: dict[str, Any] = json.loads((FOLDER / f"{kind.lower()}.schema.json").read_bytes())
    return schema


def kubernetes() -> dict[str, Any]:
    """The schemas of Kubernetes' built-in kinds (Apache License 2.0): `kinds` names the definition of each
    "apiVersion kind", `definitions` are reduced OpenAPI schemas.

    Made by `sandbox.apiserver.schemas_from_kubernetes`.
    """
    found: dict[str, Any] = json.loads((FOLDER / "kubernetes.json").read_bytes())
    return found
