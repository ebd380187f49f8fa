"""The three patches besides server-side apply: JSON patch, JSON merge patch, strategic merge patch."""

from __future__ import annotations

import json
from typing import Any

from sandbox.apiserver.problems import Problem, not_implemented
from sandbox.apiserver.schema import Node


def merge_patch(value: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(value) if isinstance(value, dict) else {}
    for key, child in patch.items():
        if child is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), child)
    return merged


def json_patch(value: dict[str, Any], body: bytes) -> dict[str, Any]:
    """RFC 6902. A failing test or a path that is not there is 422, as in Kubernetes."""
    import jsonpatch
    import jsonpointer

    try:
        operations = json.loads(body)
        patched: dict[str, Any] = jsonpatch.apply_patch(value, operations)
    except ValueError as error:
        raise Problem("BadRequest", f"error decoding patch: {error}") from None
    except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException):
        raise Problem("Invalid", "the server rejected our request due to an error in our request", {}) from None
    return patched


def strategic_patch(node: Node, value: Any, patch: Any) -> Any:
    """Kubernetes' strategic merge: lists merge by their key where the schema says so; `$patch` directives."""
    if not isinstance(patch, dict):
        return patch
    directive = patch.get("$patch")
    if directive == "replace":
        return {key: child for key, child in patch.items() if key != "$patch"}
    if directive == "delete":
        return {}
    if directive not in (None, "merge"):
        raise Problem("BadRequest", f"invalid directive: $patch: {directive}")
    merged = dict(value) if isinstance(value, dict) else {}
    keep = patch.get("$retainKeys")
    if keep is not None:
        merged = {key: child for key, child in merged.items() if key in keep}
    for key, child in patch.items():
        if key.startswith("$deleteFromPrimitiveList/"):
            name = key.partition("/")[2]
            merged[name] = [item for item in merged.get(name, ()) if item not in child]
        elif key.startswith("$setElementOrder/") or key in ("$patch", "$retainKeys"):
            continue
        elif key.startswith("$"):
            raise not_implemented(f"the strategic merge directive {key}")
        elif child is None:
            merged.pop(key, None)
        else:
            merged[key] = _strategic_field(node, key, merged.get(key), child)
    for key, order in patch.items():
        if key.startswith("$setElementOrder/"):
            name = key.partition("/")[2]
            merged[name] = _ordered(node, name, merged.get(name) or [], order)
    return merged


def _strategic_field(node: Node, name: str, value: Any, patch: Any) -> Any:
    below = node.field(name)
    if isinstance(patch, list) and below is not None and "merge" in below.patch_strategy:
        return _strategic_list(below, value if isinstance(value, list) else [], patch)
    if isinstance(patch, dict) and below is not None and below.shape == "map" and "replace" not in below.patch_strategy:
        return strategic_patch(below, value, patch)
    return merge_patch(value, patch) if isinstance(patch, dict) else patch


def _strategic_list(node: Node, value: list[Any], patch: list[Any]) -> list[Any]:
    key = node.patch_key
    if not key:
        return value + [item for item in patch if item not in value]
    if any(isinstance(item, dict) and item.get("$patch") == "replace" for item in patch):
        return [item for item in patch if not (isinstance(item, dict) and item.get("$patch") == "replace")]
    merged = list(value)
    stated = [item.get(key) for item in patch if isinstance(item, dict)]
    for item in patch:
        if key not in item:
            raise Problem("BadRequest", f"map: {json.dumps(item)} does not contain declared merge key: {key}")
        places = [index for index, one in enumerate(merged) if one.get(key) == item[key]]
        if item.get("$patch") == "delete":
            merged = [one for one in merged if one.get(key) != item[key]]
        elif places:
            merged[places[0]] = strategic_patch(node.item, merged[places[0]], item)
        else:
            merged.append(strategic_patch(node.item, {}, item))
    return _interleaved(merged, [one.get(key) for one in value], stated, key)


def _interleaved(items: list[Any], before: list[Any], stated: list[Any], key: str) -> list[Any]:
    """What the patch states in its order, with the others among it as they stood before."""
    place = {one: index for index, one in enumerate(before)}
    left = sorted((one for one in items if one.get(key) in stated), key=lambda one: stated.index(one.get(key)))
    right = [one for one in items if one.get(key) not in stated]
    merged: list[Any] = []
    while left and right:
        position = place.get(left[0].get(key))
        first = left if position is None or position < place[right[0].get(key)] else right
        merged.append(first.pop(0))
    return merged + left + right


def _ordered(node: Node, name: str, items: list[Any], order: list[Any]) -> list[Any]:
    """Items in the order that the patch asks for; the server's own further items keep their place at the end."""
    below = node.field(name)
    key = below.patch_key if below else ""
    wanted = [one[key] if key else one for one in order]

    def place(item: Any) -> int:
        found = item.get(key) if key else item
        return wanted.index(found) if found in wanted else len(wanted)

    return sorted(items, key=place)
