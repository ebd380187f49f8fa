"""How Kustomize names objects: group, version, kind, name and namespace, and how these look in messages.

An id is a plain tuple so that thousands of them can be dictionary keys cheaply. Its namespace is the *effective* one:
`default` where none is given, `CLUSTER` for kinds that belong to no namespace.
"""

from __future__ import annotations

from typing import Any

from render.errors import KustomizationError
from render.yaml.scalars import is_string

Gvk = tuple[str, str, str]
Id = tuple[str, str, str, str, str]

MOST_REMEMBERED = 1 << 14
"""Entries after which a memory is emptied: a controller runs for months."""

_gvks: dict[tuple[str, str], Gvk] = {}

CLUSTER = "_non_namespaceable_"
DEFAULT_NAMESPACE = "default"


def split_api_version(api_version: str) -> tuple[str, str]:
    """Group and version; the core group is empty."""
    group, slash, version = api_version.partition("/")
    return (group, version) if slash else ("", group)


def join_api_version(group: str, version: str) -> str:
    """The opposite of `split_api_version`."""
    return f"{group}/{version}" if group else version


def gvk_of(api_version: Any, kind: Any) -> Gvk:
    """Group, version and kind of an object that has these fields."""
    if type(api_version) is str and type(kind) is str:
        found = _gvks.get((api_version, kind))
        if found is None:
            if len(_gvks) > MOST_REMEMBERED:
                _gvks.clear()
            found = _gvks[api_version, kind] = (*split_api_version(api_version), kind)
        return found
    texts = ("" if is_empty(value) else text_of(value) for value in (api_version, kind))
    return gvk_of(*texts)


def gvk_text(gvk: Gvk) -> str:
    """`Deployment.v1.apps`, as in messages."""
    group, version, kind = gvk
    return f"{kind or '[noKind]'}.{version or '[noVer]'}.{group or '[noGrp]'}"


def id_text(gvk: Gvk, name: str, namespace: str) -> str:
    """`Deployment.v1.apps/web.prod`, as in messages; the namespace is the written one."""
    return f"{gvk_text(gvk)}/{name or '[noName]'}.{namespace or '[noNs]'}"


def selects(selector: Gvk, gvk: Gvk) -> bool:
    """Whether each part that the selector has is equal; an empty part selects anything."""
    return (
        (not selector[0] or selector[0] == gvk[0])
        and (not selector[1] or selector[1] == gvk[1])
        and (not selector[2] or selector[2] == gvk[2])
    )


def text_of(value: Any) -> str:
    """The text of a scalar as YAML would have it; "" for lists and mappings, which have none."""
    if type(value) is str:
        return value
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return float_text(value)
    return str(value) if isinstance(value, str) else ""


def float_text(value: float) -> str:
    """A float as short as it can be read back, in the form that people write."""
    text = repr(value)
    return text[:-2] if text.endswith(".0") else text


def is_empty(value: Any) -> bool:
    """Null, an empty mapping or an empty list: what Kustomize treats as not there."""
    return value is None or (not value and isinstance(value, dict | list))


def field_text(mapping: Any, name: str) -> str:
    """The text of a field, "" if it is absent or empty."""
    value = mapping.get(name) if isinstance(mapping, dict) else None
    if type(value) is str:
        return value
    return "" if is_empty(value) else text_of(value)


_text_keys: set[str] = set()


def require_text_key(key: str) -> None:
    """Raise `KustomizationError` for a key that Kustomize would write without quotes and then read as no text."""
    if key in _text_keys:
        return
    if not key or key == "<<" or not is_string(key):
        raise KustomizationError(
            f"the key {key!r} cannot be set: YAML reads it as no text where it stands without quotes",
            hint="labels, annotations and data need keys that are neither numbers, dates nor words like true",
        )
    if len(_text_keys) > MOST_REMEMBERED:
        _text_keys.clear()
    _text_keys.add(key)


def metadata_text(manifest: dict[str, Any], field: str) -> str:
    """The same of a field of an object's metadata; the usual forms come first, as nothing is asked for more often."""
    metadata = manifest.get("metadata")
    if type(metadata) is dict:
        value = metadata.get(field)
        if type(value) is str:
            return value
        if value is None:
            return ""
    return field_text(metadata, field)
