"""Validation rules of CustomResourceDefinitions: CEL over `self` and, in an update, over `oldSelf`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.apiserver import expressions
from sandbox.apiserver.expressions import EvaluationError, compiled
from sandbox.apiserver.problems import cause, not_implemented

RULES = "x-kubernetes-validations"
UNCHECKED = (
    "Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing "
    "errors to complete validation"
)
BLOCKING = (
    "FieldValueRequired",
    "FieldValueTypeInvalid",
    "FieldValueTooLong",
    "FieldValueTooMany",
    "FieldValueNotSupported",
)
"""Causes after which an object is too far off for rules."""

MISSING: Any = object()

RESERVED = frozenset(
    [
        "as",
        "break",
        "const",
        "continue",
        "else",
        "false",
        "for",
        "function",
        "if",
        "import",
        "in",
        "let",
        "loop",
        "namespace",
        "null",
        "package",
        "return",
        "true",
        "void",
        "while",
    ]
)
"""Names that CEL keeps for itself; rules write `__namespace__` for the field `namespace`."""
ESCAPES = (("__", "__underscores__"), (".", "__dot__"), ("-", "__dash__"), ("/", "__slash__"))


def schemas(raw: Mapping[str, Any], path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every schema at and below one, with its place."""
    yield path, raw
    for name, child in raw.get("properties", {}).items():
        yield from schemas(child, f"{path}.properties[{name}]")
    for word in ("items", "additionalProperties"):
        if isinstance(raw.get(word), Mapping):
            yield from schemas(raw[word], f"{path}.{word}")


def check(raw: Mapping[str, Any], path: str) -> list[dict[str, str]]:
    """What is wrong with a schema's rules; 501 where the sandbox lacks what they use."""
    found: list[dict[str, str]] = []
    for place, schema in schemas(raw, path):
        for index, rule in enumerate(schema.get(RULES, ())):
            if rule.get("optionalOldSelf"):
                raise not_implemented(f"optionalOldSelf in {place}.{RULES}[{index}]")
            found += expressions.check(rule["rule"], f"{place}.{RULES}[{index}].rule")
            if "messageExpression" in rule:
                found += expressions.check(rule["messageExpression"], f"{place}.{RULES}[{index}].messageExpression")
    return found


def validate(raw: Mapping[str, Any], value: Any, old: Any, causes: list[dict[str, str]]) -> list[dict[str, str]]:
    """What the rules say of an object, or that they were not asked because of other causes."""
    if not any(RULES in schema for _, schema in schemas(raw, "")):
        return []
    if any(one["reason"] in BLOCKING for one in causes):
        return [cause("FieldValueInvalid", UNCHECKED, "<nil>")]
    return list(_walk(raw, value, MISSING if old is None else old, ""))


def _walk(raw: Mapping[str, Any], value: Any, old: Any, path: str) -> Iterator[dict[str, str]]:
    if value is None:
        return
    for rule in raw.get(RULES, ()):
        yield from _rule(raw, rule, value, old, path)
    if isinstance(value, dict):
        further = raw.get("additionalProperties")
        for name, child in value.items():
            below = raw.get("properties", {}).get(name, further)
            if isinstance(below, Mapping):
                before = old.get(name, MISSING) if isinstance(old, dict) else MISSING
                yield from _walk(below, child, before, f"{path}.{name}" if path else name)
    if isinstance(value, list) and isinstance(raw.get("items"), Mapping):
        for index, item in enumerate(value):
            yield from _walk(raw["items"], item, _counterpart(raw, item, old), f"{path}[{index}]")


def _counterpart(raw: Mapping[str, Any], item: Any, old: Any) -> Any:
    """The old item with the same keys; items of other lists have no counterpart."""
    keys = raw.get("x-kubernetes-list-map-keys") if raw.get("x-kubernetes-list-type") == "map" else None
    if not keys or not isinstance(old, list) or not isinstance(item, dict):
        return MISSING
    wanted = [item.get(key) for key in keys]
    return next((one for one in old if [one.get(key) for key in keys] == wanted), MISSING)


def _rule(raw: Mapping[str, Any], rule: Mapping[str, Any], value: Any, old: Any, path: str) -> Iterator[dict[str, str]]:
    expression = compiled(rule["rule"])
    if "oldSelf" in expression.names and old is MISSING:
        return
    values = {"self": _escaped(value)} | ({} if old is MISSING else {"oldSelf": _escaped(old)})
    try:
        if expression.evaluate(values) is True:
            return
        words = rule.get("message") or f"failed rule: {rule['rule'].strip()}"
        if "messageExpression" in rule:
            said = compiled(rule["messageExpression"]).evaluate(values)
            words = said if isinstance(said, str) and said.strip() else words
    except EvaluationError as error:
        words = str(error)
    place = f"{path}{rule.get('fieldPath', '')}".lstrip(".") or "<nil>"
    yield cause(
        rule.get("reason", "FieldValueInvalid"), f'Invalid value: "{raw.get("type", "object")}": {words}', place
    )


def _escaped(value: Any) -> Any:
    """The value with its fields as rules name them."""
    if isinstance(value, dict):
        return {_escaped_name(name): _escaped(child) for name, child in value.items()}
    return [_escaped(item) for item in value] if isinstance(value, list) else value


def _escaped_name(name: str) -> str:
    if name in RESERVED:
        return f"__{name}__"
    for plain, escape in ESCAPES:
        name = name.replace(plain, escape)
    return name
