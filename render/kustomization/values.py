"""Values as Go's JSON encoder writes them, for the few places where that text is part of a result."""

from __future__ import annotations

import json
import re
from typing import Any

_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_ESCAPED = re.compile("[<>&\u2028\u2029]")


def go_json(value: Any, *, indent: int | None = None) -> str:
    """JSON with sorted keys, no spaces (unless indented), and what browsers could misread escaped."""
    separators = (",", ": ") if indent else (",", ":")
    text = json.dumps(
        whole_floats(value), sort_keys=True, separators=separators, indent=indent, ensure_ascii=False, allow_nan=False
    )
    return _ESCAPED.sub(lambda match: _ESCAPES[match[0]], text)


def whole_floats(value: Any) -> Any:
    """The value with floats that are whole numbers as integers, as JSON encoders of Go print them."""
    if isinstance(value, dict):
        return {key: whole_floats(item) for key, item in value.items()}
    if isinstance(value, list):
        return [whole_floats(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return int(value)
    return value
