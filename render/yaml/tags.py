"""Scalars with an explicit tag, as go-yaml decodes them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any

from render.yaml.scalars import timestamp

PREFIX = "tag:yaml.org,2002:"

_NAMES: dict[type, str] = {str: "!!str", int: "!!int", float: "!!float", bool: "!!bool", type(None): "!!null"}
_CHECKED = frozenset(("!!int", "!!float", "!!bool", "!!null", "!!timestamp"))


def tagged(event: Any, resolve: Callable[[str], Any], fail: Callable[[str, Any], Any]) -> Any:
    """The value of a tagged scalar event. `fail` is called with a message and the event."""
    text, tag = event.value, event.tag
    if tag == "!":
        return text if event.style else resolve(text)
    tag = "!!" + tag.removeprefix(PREFIX) if tag.startswith(PREFIX) else tag
    if tag == "!!binary":
        return _decoded(text, event, fail)
    if tag not in _CHECKED:
        return text
    date = timestamp(text)
    value = resolve(text)
    found = "!!timestamp" if date is not None and tag == "!!timestamp" else _NAMES[value.__class__]
    if found == tag:
        return date if tag == "!!timestamp" else value
    if found == "!!int" and tag == "!!float":
        return float(value)
    return fail(f"cannot decode {found} `{text}` as a {tag}", event)


def _decoded(text: str, event: Any, fail: Callable[[str, Any], Any]) -> Any:
    try:
        data = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return fail("!!binary value contains invalid base64 data", event)
    return data.decode("utf-8", "replace")
