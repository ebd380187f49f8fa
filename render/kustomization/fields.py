"""Reading settings: values checked against their form, with the place of whatever does not fit.

Field names count without regard to case, as in Go's JSON decoder. Unknown ones are errors in a kustomization, but not
in what its transformers read.
"""

from __future__ import annotations

from typing import Any, Literal

from render.errors import KustomizationError
from render.kustomization.ids import text_of
from render.yaml.scalars import LOWEST_INTEGER

Trail = tuple[str | int, ...]

Names = Literal["known", "any", "exact"]
"""How field names are read: unknown ones are errors, or left out, or left out along with those in another case (where
Kustomize reads YAML without going through JSON, which also drops nulls from lists)."""

_TYPES = {"string": str, "text": str, "bool": bool, "int": int}
_ZERO: dict[str, Any] = {"string": "", "text": "", "bool": False, "int": 0, "any": None}


class FieldError(KustomizationError):
    """A setting is unknown or has the wrong form; `trail` says which."""

    def __init__(self, message: str, trail: Trail, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.trail = trail


def decode(value: Any, form: Any, name: str, trail: Trail = (), *, names: Names = "known") -> Any:
    """The value in its form: fields under their right names, nulls as if they were not there.

    `name` is what messages call the whole, `names` how its field names are read. Raises `FieldError`.
    """
    if isinstance(form, str):
        return _scalar(value, form, name, trail)
    if isinstance(form, dict):
        return {} if value is None else _fields(value, form, name, trail, names)
    container, inner = form
    if container == "list":
        if not isinstance(value, list):
            raise _mismatch(value, "a list", f"[]{_go_type(inner)}", name, trail)
        kept = (entry for entry in enumerate(value) if entry[1] is not None or names != "exact")
        return [decode(item, inner, name, (*trail, place), names=names) for place, item in kept]
    if not isinstance(value, dict):
        raise _mismatch(value, "a mapping", f"map[string]{_go_type(inner)}", name, trail)
    return {key: decode(item, inner, name, (*trail, key), names=names) for key, item in value.items()}


def _scalar(value: Any, form: str, name: str, trail: Trail) -> Any:
    if form == "any":
        return value
    if value is None:
        return _ZERO[form]
    if form == "text" and isinstance(value, bool | int | float):
        return text_of(value)
    if form == "int" and isinstance(value, float) and value.is_integer() and abs(value) < 2**63:
        return int(value)
    if type(value) is not _TYPES[form] or (isinstance(value, int) and not LOWEST_INTEGER <= value < -LOWEST_INTEGER):
        wanted = {"string": "text", "text": "text", "bool": "true or false", "int": "a whole number"}[form]
        raise _mismatch(value, wanted, _go_type(form), name, trail)
    return value


def _fields(value: Any, form: dict[str, Any], name: str, trail: Trail, names: Names) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _mismatch(value, "a mapping", name, name, trail)
    result: dict[str, Any] = {}
    lowered: dict[str, str] | None = None
    # Kustomize sorts the keys on the way: of several that differ by case alone, the last one counts
    for key, item in value.items() if value.keys() <= form.keys() else sorted(value.items()):
        known = key if key in form else None
        if known is None and names != "exact":
            lowered = lowered or {field.lower(): field for field in form}
            known = lowered.get(key.lower())
        if known is None:
            if names == "known":
                raise FieldError(f'unknown field "{key}"', (*trail, key), _suggestion(key, form))
        elif item is not None:
            result[known] = decode(item, form[known], name, (*trail, key), names=names)
    return result


def _suggestion(key: str, form: dict[str, Any]) -> str:
    import difflib

    near = difflib.get_close_matches(key, form, n=1, cutoff=0.6)
    return f'did you mean "{near[0]}"?' if near else f"it may have {', '.join(sorted(form))}"


def _mismatch(value: Any, wanted: str, go_type: str, name: str, trail: Trail) -> FieldError:
    found = {dict: "object", list: "array", str: "string", bool: "bool", int: "number", float: "number"}.get(
        type(value), "null"
    )
    field = ".".join(str(step) for step in trail if isinstance(step, str))
    where = f"Go struct field {name}.{field}" if field else "Go value"
    hint = f"{field or name} must be {wanted}"
    if isinstance(value, bool | int | float) and wanted == "text":
        hint += ": put it in quotes"
    return FieldError(f"json: cannot unmarshal {found} into {where} of type {go_type}", trail, hint)


def _go_type(form: Any) -> str:
    if form == "text":
        return "string"
    return form if isinstance(form, str) else "struct"
