"""Vars: `$(NAME)` in known fields becomes the value of another object's field (K36)."""

from __future__ import annotations

import re
from typing import Any

from render.errors import KustomizationError
from render.kustomization.accumulate import Accumulator
from render.kustomization.draft import Draft, Trail
from render.kustomization.fieldpath import look_up, split_field_path
from render.kustomization.fieldspec import find, value_at
from render.kustomization.ids import text_of
from render.yaml.scalars import LOWEST_INTEGER

Values = dict[str, Any]

_SLICE = re.compile(r"(.*)\[([0-9]+)\]", re.DOTALL)
_DECIMAL = re.compile(r"[-+]?[0-9]{1,64}", re.ASCII)


def resolve_variables(accumulator: Accumulator) -> None:
    """Expand the vars everywhere. Raises `KustomizationError` for one whose source is not there."""
    holders = {name: draft for draft in reversed(accumulator.drafts) for name in draft.variables}
    values = {}
    for name, var in sorted(accumulator.vars.items()):
        try:
            values[name] = _value(var, holders.get(name))
        except KustomizationError as error:
            path, place = accumulator.places_of_vars[name]
            error.path, error.within = path, ("vars", place, *error.within)
            raise
    specs = accumulator.config.specs("varReference")
    for draft in accumulator.drafts:
        for spec in specs.of(draft.gvk):
            for trail in find(draft, spec):
                _expand_at(draft, trail, value_at(draft.content, trail), values)


def _value(var: dict[str, Any], holder: Draft | None) -> Any:
    field = (var.get("fieldref") or {}).get("fieldPath") or "metadata.name"
    if holder is None:
        raise KustomizationError(
            f"var '{var['name']}' cannot be mapped to a field in the set of known resources",
            hint="its objref must name an object of this kustomization",
            within=("objref",),
        )
    trail = look_up(holder.content, _steps(field))
    if trail is None:
        raise KustomizationError(
            f"field specified in var '{var['name']}' not found in corresponding resource",
            hint=f"{holder.text} has no field {field}",
            within=("fieldref", "fieldPath"),
        )
    value = value_at(holder.content, trail)
    if isinstance(value, dict | list | bool):
        return value
    text = holder.text_at(trail, value)
    if type(value) is not int:
        return value if type(value) is float else text
    if _DECIMAL.fullmatch(text) is None or not LOWEST_INTEGER <= int(text) <= -LOWEST_INTEGER - 1:
        raise KustomizationError(
            f"field specified in var '{var['name']}' not found in corresponding resource",
            hint=f"Kustomize takes only decimal numbers of 64 bits for a var, not {text}",
        )
    return int(text)


def _steps(field: str) -> list[str]:
    """The steps of a path; `args[0]` is two of them."""
    steps: list[str] = []
    for step in split_field_path(field):
        match = _SLICE.fullmatch(step)
        if match is None:
            steps.append(step)
        else:
            steps += [part for part in match.groups() if part]
    return steps


def _expand_at(draft: Draft, trail: Trail, value: Any, values: Values) -> None:
    """Expand a text, or the texts of a mapping or list; all of them lose the style that they had."""
    if isinstance(value, dict):
        places: list[Trail] = [(*trail, key) for key in value]
    elif isinstance(value, list):
        places = [(*trail, place) for place in range(len(value))]
    else:
        places = [trail]
    longest = max((len(text_of(value)) for value in values.values()), default=0)
    for place in places:
        old = draft.value(place)
        if not draft.is_text(place, old):
            if isinstance(value, list):
                raise KustomizationError("invalid value type expect a string")
            continue
        text = draft.text_at(place, old)
        draft.context.budget.made(text.count("$(") * longest + len(text) if "$" in text else 0)
        expanded = expand(text, values)
        if expanded != old or type(expanded) is not type(old):
            draft.set(place, expanded)


def expand(text: str, values: Values) -> Any:
    """The text with its variables; a text that is one variable takes the value with its type. `$$` is a `$`."""
    result: list[str] = []
    start = cursor = 0
    while cursor < len(text):
        if text[cursor] == "$" and cursor + 1 < len(text):
            result.append(text[start:cursor])
            read, is_variable, length = _read(text, cursor + 1)
            if is_variable:
                value = values.get(read, f"$({read})")
                if isinstance(value, dict | list):
                    value = f"$({read})"
                if text == f"$({read})":
                    return value
                result.append(text_of(value))
            else:
                result.append(read)
            cursor += length
            start = cursor + 1
        cursor += 1
    return "".join(result) + text[start:]


def _read(text: str, start: int) -> tuple[str, bool, int]:
    """What follows a `$`: the text that it stands for, whether that is a variable's name, and how much it takes."""
    if text[start] == "$":
        return "$", False, 1
    if text[start] == "(":
        end = text.find(")", start)
        return (text[start + 1 : end], True, end + 1 - start) if end > 0 else ("$(", False, 1)
    return f"${text[start]}", False, 1
