"""Scalars with an explicit tag, as go-yaml decodes them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any

from render.errors import YamlError
from render.yaml.scalars import resolve as resolve_new
from render.yaml.scalars import timestamp

PREFIX = "tag:yaml.org,2002:"

TEXT, NULL = "!!str", "!!null"

_NAMES: dict[type, str] = {str: TEXT, int: "!!int", float: "!!float", bool: "!!bool", type(None): NULL}
_CHECKED = frozenset(("!!int", "!!float", "!!bool", NULL, "!!timestamp"))


def tag_of(value: Any) -> str:
    """The tag of a value that is a scalar."""
    return _NAMES[value.__class__]


def tagged(event: Any, resolve: Callable[[str], Any], fail: Callable[[str, Any], Any]) -> Any:
    """The value of a tagged scalar event. `fail` is called with a message and the event."""
    text, tag = event.value, event.tag
    if tag == "!":
        return text if event.style else resolve(text)
    tag = "!!" + tag.removeprefix(PREFIX) if tag.startswith(PREFIX) else tag
    try:
        return decode(text, tag, resolve)
    except YamlError as error:
        return fail(error.message, event)


def decode(text: str, tag: str, resolve: Callable[[str], Any] = resolve_new) -> Any:
    """The value of a text under a short tag. Raises `YamlError` if the two do not fit."""
    if tag == "!!binary":
        return _decoded(text)
    if tag not in _CHECKED:
        return text
    date = timestamp(text)
    value = resolve(text)
    found = "!!timestamp" if date is not None and tag == "!!timestamp" else tag_of(value)
    if found == tag:
        return date if tag == "!!timestamp" else value
    if found == "!!int" and tag == "!!float":
        return float(value)
    raise YamlError(f"cannot decode {found} `{text}` as a {tag}")


def _decoded(text: str) -> str:
    try:
        data = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise YamlError("!!binary value contains invalid base64 data") from None
    return data.decode("utf-8", "replace")
