"""JSON as Go reads and writes it, for the few places that read it strictly or where its text is part of a result."""

from __future__ import annotations

import re
from typing import Any, NoReturn

from render.errors import YamlError
from render.yaml.anchors import MOST_DEPTH

_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_ESCAPED = "[<>&\u2028\u2029]"


_HALF = re.compile(rb"\\u[dD][89a-fA-F]")


def go_json(value: Any, *, indent: int | None = None) -> str:
    """JSON with sorted keys, no spaces (unless indented), and what browsers could misread escaped."""
    import json  # costs as much as a small build; many need none

    separators = (",", ": ") if indent else (",", ":")
    text = json.dumps(
        whole_floats(value), sort_keys=True, separators=separators, indent=indent, ensure_ascii=False, allow_nan=False
    )
    return re.sub(_ESCAPED, lambda match: _ESCAPES[match[0]], text)


def whole_floats(value: Any) -> Any:
    """The value with floats that are whole numbers as integers, as JSON encoders of Go print them."""
    if isinstance(value, dict):
        return {key: whole_floats(item) for key, item in value.items()}
    if isinstance(value, list):
        return [whole_floats(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return int(value)
    return value


def parse_json(data: bytes, path: str) -> Any:
    """The value of a JSON text, whole numbers beyond 64 bits as floats. Raises `YamlError` for anything else."""
    import json

    try:
        value = json.loads(data.decode("utf-8", "replace"), parse_constant=_refuse_constant, parse_int=_number)
    except json.JSONDecodeError as error:
        raise YamlError(
            f"this begins like JSON and is none: {error.msg}",
            path=path,
            line=error.lineno,
            column=error.colno,
            hint="put quotes around keys and texts, or write YAML with a line for each operation",
        ) from None
    except RecursionError:
        raise YamlError(f"nested more than {MOST_DEPTH} levels deep", path=path) from None
    return _finite(_whole_characters(value) if _HALF.search(data) else value, path)


def _whole_characters(value: Any) -> Any:
    """The value with halves of surrogate pairs replaced, as Go reads them."""
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, dict):
        return {_whole_characters(key): _whole_characters(item) for key, item in value.items()}
    return [_whole_characters(item) for item in value] if isinstance(value, list) else value


def _number(text: str) -> int | float:
    number = float(text)
    return int(text) if abs(number) < 2**65 and -(2**63) <= int(text) < 2**64 else number


def _refuse_constant(name: str) -> NoReturn:
    from json import JSONDecodeError

    raise JSONDecodeError(f"invalid character in {name}", name, 0)


def _finite(value: Any, path: str, depth: int = 0) -> Any:
    if depth > MOST_DEPTH:
        raise YamlError(f"nested more than {MOST_DEPTH} levels deep", path=path)
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            _finite(item, path, depth + 1)
    elif isinstance(value, float) and value in (float("inf"), float("-inf")):
        raise YamlError("a number is too large for a 64-bit float", path=path)
    return value
