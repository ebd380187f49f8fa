"""PatchJson6902Transformer: operations of JSON patches (RFC 6902) on one target (K13)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from render import yaml
from render.errors import KustomizationError, NotInTree
from render.kustomization import json_patch
from render.kustomization.accumulate import Accumulator
from render.kustomization.json_patch import Operation
from render.kustomization.loader import Loader
from render.kustomization.patching import carry_out
from render.kustomization.selector import Selector
from render.kustomization.values import parse_json


def read_json6902(loader: Loader, file: str, text: str, target: Any, path: str) -> list[Operation]:
    """The operations of an entry of `patchesJson6902`."""
    if not target or not target.get("name"):
        raise KustomizationError("must specify the target name")
    if not file and not text:
        raise KustomizationError("empty file path and empty jsonOp")
    if file and text:
        raise KustomizationError("must specify a file path or jsonOp, not both")
    if file:
        path = loader.load_path(file)
        try:
            text = loader.load_text(file)
        except NotInTree as error:
            raise KustomizationError(f"'{loader.context.display(path)}' doesn't exist") from error
        if not text:
            raise KustomizationError(f"patch file '{file}' empty seems to be empty")
    operations = read_operations(text.encode("utf-8", "surrogateescape"), path)
    if not operations:
        raise KustomizationError(f"patch appears to be empty; file={file}, JsonOp={text}")
    return operations


def read_operations(data: bytes, path: str) -> list[Operation]:
    """Operations in a text: JSON if it begins with a bracket, else YAML by the rules of kustomization.yaml."""
    return json_patch.parse_operations(
        parse_json(data, path) if data.startswith(b"[") else yaml.parse_kustomization(data, path)
    )


def apply_json6902(accumulator: Accumulator, target: Selector, operations: Sequence[Operation]) -> None:
    """Apply an entry of `patchesJson6902`."""
    for draft in accumulator.select(target):
        carry_out(accumulator, draft, operations)
