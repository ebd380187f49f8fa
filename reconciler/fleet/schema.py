"""Is a document what its JSON Schema says, and if not, what should its author change?

A quick check over the keywords that our schemas use accepts what is right without importing anything; only what it
does not accept is shown to jsonschema, whose findings are put into our words. The quick check never refuses: where
the two could differ, jsonschema decides.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import schemas

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, at which field."""

    field: tuple[str | int, ...]
    message: str
    hint: str | None = None


LATER: Mapping[tuple[str, ...], str] = {
    ("Fleet", "spec", "commits"): "every commit on the branch counts; protect the branch at the forge",
    ("Fleet", "spec", "starts", "perNode"): "maxInFlight and perMinute limit the whole site",
    ("Fleet", "spec", "starts", "perDriver"): "maxInFlight and perMinute limit the whole site",
    ("Fleet", "spec", "drills"): "remove it",
    ("Application", "spec", "retired"): "remove the application's folder: its objects are then reported, not deleted",
    ("Application", "spec", "drills"): "remove it",
    ("Placement", "spec", "weights"): "an application is active at one site",
}
"""Fields that the format foresees and this version does not know, and what to do meanwhile."""

LATER_VALUES: Mapping[tuple[str, ...], Mapping[str, str]] = {
    ("Fleet", "spec", "topology"): {"metro": "use active-passive or symmetric, with a cluster for each site"},
    ("Application", "spec", "volumes"): {
        "metadata": "use static, with the PersistentVolumes in sites/<site>",
        "driver": "use static, with the PersistentVolumes in sites/<site>",
    },
}
"""Values that the format foresees and this version does not know."""

TYPES: Mapping[str, tuple[tuple[type, ...], str]] = {
    "object": ((dict,), "a mapping of fields"),
    "array": ((list,), "a list"),
    "string": ((str,), "text"),
    "integer": ((int,), "a whole number"),
    "boolean": ((bool,), "true or false"),
}
"""JSON Schema's type: Python's types, and what to call it."""


def check(kind: str, value: Any) -> list[Problem]:
    """Everything that keeps a parsed document from being of this kind; empty if it is."""
    schema = _schema(kind)
    if _accepts(schema, value, schema):
        return []
    from jsonschema import Draft202012Validator

    problems: list[Problem] = []
    for error in Draft202012Validator(schema).iter_errors(value):
        problems += _WORDS[str(error.validator)](kind, tuple(error.absolute_path), error)
    return problems


@cache
def _schema(kind: str) -> Schema:
    return schemas.read(kind)


def _accepts(schema: Schema, value: Any, root: Schema) -> bool:
    return all(_KEYWORDS[keyword](rule, value, schema, root) for keyword, rule in schema.items())


def _is_type(rule: str, value: Any) -> bool:
    return isinstance(value, TYPES[rule][0]) and not (rule == "integer" and isinstance(value, bool))


def _accepts_ref(rule: str, value: Any, root: Schema) -> bool:
    return _accepts(root["$defs"][rule.removeprefix("#/$defs/")], value, root)


def _accepts_properties(rule: Schema, value: Any, root: Schema) -> bool:
    return isinstance(value, dict) and all(_accepts(rule[key], value[key], root) for key in value if key in rule)


def _accepts_items(rule: Schema, value: Any, root: Schema) -> bool:
    return isinstance(value, list) and all(_accepts(rule, item, root) for item in value)


def _distinct(values: list[Any]) -> bool:
    return all(isinstance(value, str) for value in values) and len(set(values)) == len(values)


_KEYWORDS: Mapping[str, Callable[[Any, Any, Schema, Schema], bool]] = {
    **dict.fromkeys(("$schema", "$id", "$defs", "title", "description", "default"), lambda *_: True),
    "$ref": lambda rule, value, _, root: _accepts_ref(rule, value, root),
    "type": lambda rule, value, *_: _is_type(rule, value),
    "const": lambda rule, value, *_: isinstance(value, str) and value == rule,
    "enum": lambda rule, value, *_: isinstance(value, str) and value in rule,
    "pattern": lambda rule, value, *_: isinstance(value, str) and re.search(rule, value) is not None,
    "minLength": lambda rule, value, *_: isinstance(value, str) and len(value) >= rule,
    "minimum": lambda rule, value, *_: isinstance(value, int) and value >= rule,
    "maximum": lambda rule, value, *_: isinstance(value, int) and value <= rule,
    "minItems": lambda rule, value, *_: isinstance(value, list) and len(value) >= rule,
    "uniqueItems": lambda rule, value, *_: isinstance(value, list) and (not rule or _distinct(value)),
    "required": lambda rule, value, *_: isinstance(value, dict) and all(key in value for key in rule),
    "properties": lambda rule, value, _, root: _accepts_properties(rule, value, root),
    "additionalProperties": lambda rule, value, schema, root: (
        isinstance(value, dict)
        and all(
            key in schema.get("properties", {}) or (rule is not False and _accepts(rule, value[key], root))
            for key in value
        )
    ),
    "propertyNames": lambda rule, value, _, root: (
        isinstance(value, dict) and all(_accepts(rule, key, root) for key in value)
    ),
    "items": lambda rule, value, _, root: _accepts_items(rule, value, root),
}
"""Each keyword of our schemas: (its value, the document's value, the schema around it, the whole schema) → accepted."""


def dotted(field: tuple[str | int, ...]) -> str:
    """A field's path as people write it: spec.sites[0].name."""
    text = ""
    for part in field:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def shown(value: Any) -> str:
    """A value as it is shown in a message: short, and in JSON, so that "4" and 4 differ."""
    if value is None:
        return "empty"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


def _unknown(kind: str, field: tuple[str | int, ...], error: Any) -> Iterator[Problem]:
    known = list(error.schema["properties"])
    for key in error.instance:
        if key in known:
            continue
        at = (*field, key)
        later = LATER.get((kind, *(str(part) for part in at)))
        if later is not None:
            yield Problem(at, f"{dotted(at)} is not supported yet", later)
            continue
        where = f" in {dotted(field)}" if field else ""
        near = difflib.get_close_matches(str(key), known, n=1, cutoff=0.6)
        hint = f'did you mean "{near[0]}"?' if near else f"{dotted(field) or kind} has: {', '.join(known)}"
        yield Problem(at, f"unknown field {shown(key)}{where}", hint)


def _missing(_kind: str, field: tuple[str | int, ...], error: Any) -> Iterator[Problem]:
    # jsonschema reports each missing field of one mapping by itself; the field's name is only in its text.
    absent = next(key for key in error.validator_value if error.message.startswith(repr(key)))
    rule = error.schema["properties"][absent]
    hint = f"write {absent}: {rule['const']}" if "const" in rule else rule.get("description")
    yield Problem((*field, absent), f"{dotted((*field, absent))} is missing", hint)


def _wrong(kind: str, field: tuple[str | int, ...], error: Any) -> Iterator[Problem]:
    key = (kind, *(str(part) for part in field))
    later = LATER_VALUES.get(key, {}).get(error.instance) if isinstance(error.instance, str) else None
    if later is not None:
        yield Problem(field, f"{dotted(field)}: {error.instance} is not supported yet", later)
    elif key == ("Placement", "spec", "active") and isinstance(error.instance, list):
        yield Problem(
            field, "spec.active: a list of sites is not supported yet", "an application is active at one site"
        )
    else:
        yield Problem(
            field, f"{dotted(field) or 'the document'} is {shown(error.instance)}, expected {_expected(error)}"
        )


def _expected(error: Any) -> str:
    rule, limit = str(error.validator), error.validator_value
    title = str(error.schema.get("title", ""))
    # The title of a whole kind is its name, no description of a value.
    return (title if error.absolute_path and rule in ("type", "pattern") else "") or _EXPECTED[rule](limit)


_EXPECTED: Mapping[str, Callable[[Any], str]] = {
    "type": lambda name: TYPES[name][1],
    "const": shown,
    "enum": " or ".join,
    "pattern": lambda pattern: f"text like {pattern}",
    "minLength": lambda _: "some text",
    "minimum": lambda least: f"at least {least}",
    "maximum": lambda most: f"at most {most}",
    "minItems": lambda least: f"at least {least} entry",
    "uniqueItems": lambda _: "each entry once",
}
"""What a keyword of a schema wants, in words."""

_WORDS: Mapping[str, Callable[[str, tuple[str | int, ...], Any], Iterator[Problem]]] = {
    "additionalProperties": _unknown,
    "required": _missing,
    **dict.fromkeys(_EXPECTED, _wrong),
}
"""jsonschema's findings: which function puts them into words."""
