"""ConfigMapGenerator and SecretGenerator (K26 to K28)."""

from __future__ import annotations

import base64
from typing import Any

from render.errors import KustomizationError
from render.kustomization.accumulate import Accumulator
from render.kustomization.draft import Draft
from render.kustomization.generators.key_values import load_pairs
from render.kustomization.ids import require_text_key
from render.kustomization.loader import Loader
from render.kustomization.model import Manifest, Origin

_LINE = 70
"""Characters on a line of base64 text."""


def make_config_map(loader: Loader, args: dict[str, Any], path: str) -> Draft:
    """A ConfigMap; data that is not UTF-8 goes to `binaryData`."""
    manifest = _base("ConfigMap", args)
    for key, value in sorted(load_pairs(loader, args, args["name"]).items()):
        field, text = _config_map_value(value)
        manifest.setdefault(field, {})[key] = text
    return _finished(manifest, args, loader, path)


def make_secret(loader: Loader, args: dict[str, Any], path: str) -> Draft:
    """A Secret, of type Opaque unless `type` says otherwise."""
    manifest = _base("Secret", args)
    manifest["type"] = args.get("type") or "Opaque"
    pairs = load_pairs(loader, args, args["name"])
    manifest["data"] = {key: encode_base64(value) for key, value in sorted(pairs.items())}
    return _finished(manifest, args, loader, path)


def _base(kind: str, args: dict[str, Any]) -> Manifest:
    if not args.get("name"):
        raise KustomizationError("a configmap must have a name", hint=f"give the {kind} generator a name")
    metadata = {"name": args["name"]}
    if args.get("namespace"):
        metadata["namespace"] = args["namespace"]
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata}


def _finished(manifest: Manifest, args: dict[str, Any], loader: Loader, path: str) -> Draft:
    options = args.get("options") or {}
    for field in ("labels", "annotations"):
        if options.get(field):
            manifest["metadata"][field] = dict(options[field])
    for part in (*manifest["metadata"].values(), *manifest.values()):
        for key in part if isinstance(part, dict) else ():
            require_text_key(key)
    if options.get("immutable"):
        manifest["immutable"] = True
    draft = Draft(manifest, Origin(path), loader.context)
    draft.replace_all(manifest)
    draft.inline = b""
    draft.needs_hash = not options.get("disableNameSuffixHash")
    draft.behavior = args.get("behavior") or ""
    return draft


def _config_map_value(value: bytes) -> tuple[str, str]:
    try:
        return "data", value.decode("utf-8")
    except UnicodeDecodeError:
        return "binaryData", encode_base64(value)


def encode_base64(value: bytes) -> str:
    """Base64 text in lines; one line has no line break."""
    text = base64.b64encode(value).decode("ascii")
    if len(text) < _LINE:
        return text
    return "".join(f"{text[at : at + _LINE]}\n" for at in range(0, len(text), _LINE))


def with_global_options(args: dict[str, Any], options: dict[str, Any] | None) -> dict[str, Any]:
    """A generator's arguments with a kustomization's `generatorOptions` where it says nothing itself."""
    if not options:
        return args
    local = dict(args.get("options") or {})
    for field in ("labels", "annotations"):
        if options.get(field) is not None:
            local[field] = {**options[field], **(local.get(field) or {})}
    for field in ("disableNameSuffixHash", "immutable"):
        local[field] = bool(options.get(field) or local.get(field))
    return {**args, "options": local}


def absorb(accumulator: Accumulator, made: Draft) -> None:
    """Add a generated object, or merge it into the one that it names (K28).

    Raises `KustomizationError` if the behavior does not fit what is there.
    """
    matches = accumulator.with_any_id(made.id)
    if not matches:
        if made.behavior in ("merge", "replace"):
            raise KustomizationError(
                f"id {made.text} does not exist; cannot merge or replace",
                hint=f"behavior {made.behavior} needs a {made.kind} called {made.name} in the resources",
            )
        accumulator.append(made)
        return
    if len(matches) > 1:
        found = ", ".join(draft.text for draft in matches)
        raise KustomizationError(f"found multiple objects [{found}] that could accept merge of {made.text}")
    if made.behavior not in ("merge", "replace"):
        behavior = made.behavior if made.behavior == "create" else "unspecified"
        raise KustomizationError(
            f"id {made.text} exists; can not use behavior: '{behavior}', behavior must be merge or replace",
            hint=f"the other one comes from {matches[0].origin.path}",
        )
    _absorb_into(matches[0], made)


def _absorb_into(old: Draft, made: Draft) -> None:
    manifest = made.content
    merges = made.behavior == "merge"
    for field in ("labels", "annotations"):
        made.set_strings(field, {**old.strings(field), **made.strings(field)})
    manifest["metadata"]["name"] = old.name
    if old.namespace:
        manifest["metadata"]["namespace"] = old.namespace
    else:
        manifest["metadata"].pop("namespace", None)
    if merges:
        for field in ("data", "binaryData"):
            values = {**_texts(old, field), **_texts(made, field)}
            manifest.pop(field, None)
            if values:
                manifest[field] = values
    else:
        old.origin, old.provenance = made.origin, made.provenance
    old.replace_all(manifest)
    old.forget_styles()
    old.needs_hash = old.needs_hash and made.needs_hash


def _texts(draft: Draft, field: str) -> dict[str, str]:
    """Data as texts: those of numbers and dates are as they were written."""
    values = draft.content.get(field)
    if not isinstance(values, dict):
        return {}
    return {key: "" if value is None else draft.text_at((field, key), value) for key, value in values.items()}
