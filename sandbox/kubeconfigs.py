"""One kubeconfig for several embedded sites, so that `kubectl --context b` means site b."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def write_kubeconfig(path: Path, contexts: dict[str, Path]) -> Path:
    """One kubeconfig with a context for each site, from the kubeconfigs of one site each; the first is the current."""
    found: dict[str, list[Any]] = {"clusters": [], "users": [], "contexts": []}
    for name, source in contexts.items():
        config = json.loads(source.read_text())
        found["clusters"].append({**config["clusters"][0], "name": name})
        found["users"].append({**config["users"][0], "name": name})
        found["contexts"].append({"name": name, "context": {"cluster": name, "user": name, "namespace": "default"}})
    whole = {"apiVersion": "v1", "kind": "Config", **found, "current-context": next(iter(contexts))}
    path.touch(mode=0o600)
    path.write_text(json.dumps(whole, indent=2) + "\n")
    return path
