"""Change single fields of YAML that people wrote and leave every other byte alone.

ruamel.yaml says where each value begins and ends; only that stretch of text is replaced. A round trip through its
printer would be shorter, but it re-indents lists and re-wraps long lines that nobody asked to change.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler.errors import SourceError

Value = str | int | bool | Sequence[str] | Mapping[str, str | int | Sequence[str]] | None
"""What a field can be set to; None takes the field away, its comments stay."""

Item = tuple[str, str]
"""A list of `spec`, and the name of one of its items."""

BOM = "\ufeff"

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9]*([-./][A-Za-z0-9]+)*|[0-9]+(ms|s|m|h|d)")
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
"""Text that some reader of YAML takes for something else."""


def set_fields(data: bytes, path: str, changes: Mapping[str, Value], item: Item | None = None) -> bytes:
    """The file with these fields of its `spec`, or of one item of a list in it, changed.

    Raises `SourceError` where that cannot be done faithfully.
    """
    from ruamel.yaml.error import YAMLError

    text = data.decode("utf-8")
    mark, text = (BOM, text[1:]) if text.startswith(BOM) else ("", text)
    try:
        wanted = _changed(_values(text), changes, item)
        for field, value in changes.items():
            text = _set(text, path, field, value, item)
        faithful = _values(text) == wanted
    except YAMLError:  # ruamel reads a little less than the fleet's own parser
        faithful = False
    if not faithful:
        raise SourceError(
            f"{path} is written in a way that cannot be edited safely: change {', '.join(changes)} by hand"
        )
    return (mark + text).encode("utf-8")


def _changed(spec: dict[str, Any], changes: Mapping[str, Value], item: Item | None) -> dict[str, Any]:
    """The values as they will be. Raises `SourceError` where there is no such item."""
    fields = spec
    if item is not None:
        found = [each for each in spec.get(item[0]) or () if isinstance(each, dict) and each.get("name") == item[1]]
        if len(found) != 1:
            raise SourceError(f"spec.{item[0]} has {len(found)} items with the name {item[1]}, expected one")
        fields = found[0]
    for field, value in changes.items():
        fields.pop(field, None) if value is None else fields.update({field: _plain(value)})
    return spec


def _plain(value: Any) -> Any:
    """A value as YAML is read."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    return list(value) if isinstance(value, tuple) else value


def _set(text: str, path: str, field: str, value: Value, item: Item | None) -> str:
    spec = _fields(text, item)
    if spec is None:
        return text if value is None else _append(text, f"spec:{_newline(text)}  {field}: {_written(value)}")
    pair = next(((key, node) for key, node in spec.value if key.value == field), None)
    if pair is None:
        return text if value is None else _add(text, spec, f"{field}: {_written(value)}")
    key, node = pair
    if node.start_mark.index < key.end_mark.index:
        raise SourceError(f"{path}: spec.{field} is an alias: write its value out, or change it by hand")
    if value is None:
        return _remove(text, spec, key, node)
    start, end = node.start_mark.index, _end(text, node)
    return text[:start] + _written(value, node.style if hasattr(node, "style") else None) + text[end:]


def _add(text: str, spec: Any, entry: str) -> str:
    """The entry as the last one of the mapping, indented as its first."""
    if spec.flow_style:
        start: int = spec.start_mark.index + 1
        end: int = spec.end_mark.index - 1
        at = start + len(text[start:end].rstrip().rstrip(",").rstrip())
        return text[:at] + (", " if spec.value else "") + entry + text[at:]
    last_key, last = spec.value[-1]
    line_end = _line_end(text, max(_end(text, last), last_key.end_mark.index))
    indent: str = " " * spec.value[0][0].start_mark.column
    newline = _newline(text)
    if line_end == len(text) and not text.endswith("\n"):
        return text + newline + indent + entry
    return text[:line_end] + indent + entry + newline + text[line_end:]


def _remove(text: str, spec: Any, key: Any, node: Any) -> str:
    """The mapping without the entry. Comments beside and inside the entry stay, as lines of their own."""
    start: int = key.start_mark.index
    end: int = max(_end(text, node), key.end_mark.index + 1)
    if spec.flow_style:
        before = text[:start].rstrip().rstrip(",").rstrip()
        after = re.compile(r"\s*,\s*").match(text, end)
        if after is not None:
            return text[:start] + text[after.end() :]
        return before + text[end:]
    line_start, line_end = text.rfind("\n", 0, start) + 1, _line_end(text, end)
    indent = text[line_start:start]
    comments = [f"{indent}{comment}{_newline(text)}" for comment in _comments(text[start:line_end])]
    return text[:line_start] + "".join(comments) + text[line_end:]


def _comments(entry: str) -> Iterator[str]:
    """The comments in the text of one entry."""
    from ruamel.yaml import YAML
    from ruamel.yaml.tokens import CommentToken

    seen: set[int] = set()
    for token in YAML(typ="rt", pure=True).scan(io.StringIO(entry)):
        waiting: list[Any] = [getattr(token, "_comment", None)]
        while waiting:
            found = waiting.pop(0)
            if isinstance(found, CommentToken) and id(found) not in seen:
                seen.add(id(found))
                yield from (line.strip() for line in found.value.splitlines() if line.strip())
            elif isinstance(found, list):
                waiting = [*found, *waiting]


def _append(text: str, entry: str) -> str:
    newline = _newline(text)
    return text + ("" if text.endswith("\n") or not text else newline) + entry + newline


def _end(text: str, node: Any) -> int:
    """Where a value's own text ends; a block collection's mark lies behind the blank lines and comments after it."""
    from ruamel.yaml.nodes import ScalarNode

    if isinstance(node, ScalarNode) or node.flow_style:
        end: int = node.end_mark.index
        return end if not (isinstance(node, ScalarNode) and node.style in ("|", ">")) else _trimmed(text, node)
    return _end(text, node.value[-1][1] if isinstance(node.value[-1], tuple) else node.value[-1])


def _trimmed(text: str, node: Any) -> int:
    start: int = node.start_mark.index
    return start + len(text[start : node.end_mark.index].rstrip())


def _line_end(text: str, index: int) -> int:
    """The index behind the line break that ends the line."""
    found = text.find("\n", index)
    return len(text) if found < 0 else found + 1


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _fields(text: str, item: Item | None) -> Any:
    """The mapping `spec`, or the one item of a list in it."""
    from ruamel.yaml import YAML

    root = YAML(typ="rt", pure=True).compose(io.StringIO(text))
    spec: Any = next((node for key, node in root.value if key.value == "spec"), None)
    if item is None:
        return spec
    items = next(node for key, node in spec.value if key.value == item[0])
    return next(
        node for node in items.value if any((key.value, name.value) == ("name", item[1]) for key, name in node.value)
    )


def _values(text: str) -> dict[str, Any]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        spec: dict[str, Any] = YAML(typ="safe", pure=True).load(io.StringIO(text)).get("spec") or {}
    except YAMLError:
        return {}
    return dict(spec)


def _written(value: Value, style: str | None = None) -> str:
    """A value as YAML, in the quotes that stood there before."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        if style == "'" and value.isprintable():
            return "'" + value.replace("'", "''") + "'"
        plain = _PLAIN.fullmatch(value) and value.lower() not in _WORDS
        return value if plain and style != '"' else json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_written(each)}" for key, each in value.items()) + "}"
    return "[" + ", ".join(_written(each) for each in value or ()) + "]"
