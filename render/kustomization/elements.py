"""Elements of lists that merge by keys: finding, setting and joining them as Kustomize does, first match and all."""

from __future__ import annotations

from typing import Any

from render.errors import KustomizationError
from render.kustomization.fieldspec import node_kind, wrong_kind
from render.kustomization.ids import field_text, text_of


class Mark:
    """A value that no manifest can hold."""


MISSING: Any = Mark()
"""Not there; as a result of a merge: take it away."""


def key_values(sides: list[Any], keys: tuple[str, ...]) -> list[list[str]]:
    """The keys' values of all elements, the patch's first, each combination once."""
    found: dict[tuple[str, ...], None] = {}
    for side in sides:
        for element in side or ():
            found.setdefault(tuple(field_text(element, key) for key in keys))
    return [list(values) for values in found]


def plain_values(sides: list[Any]) -> list[list[str]]:
    """The texts of plain elements, the patch's first, each once."""
    return [[value] for value in dict.fromkeys(text_of(element) for side in sides for element in side or ())]


def complete_values(wanted: list[list[str]]) -> None:
    """Combinations that agree where both have a value take the missing values from each other."""
    for first, left in enumerate(wanted):
        for second in range(len(wanted)):
            both = _agreed(left, wanted[second])
            if both is not None:
                wanted[first] = wanted[second] = both


def _agreed(left: list[str], right: list[str]) -> list[str] | None:
    if len(left) != len(right) or any(a and b and a != b for a, b in zip(left, right, strict=True)):
        return None
    if not any(a == b for a, b in zip(left, right, strict=True)):
        return None
    return [a or b for a, b in zip(left, right, strict=True)]


def keys_in_use(wanted: list[list[str]], values: list[str], keys: list[str]) -> tuple[list[str], list[str]]:
    """The keys that any element has at all, and this element's values of them."""
    present = {keys[place] for combination in wanted for place, value in enumerate(combination) if value}
    if not present:
        return keys, values
    return (
        [key for key in keys if key in present],
        [value for place, value in enumerate(values) if value or keys[place] in present],
    )


def find_element(elements: Any, keys: list[str], values: list[str]) -> Any:
    """The first element with these values, MISSING if there is none."""
    keys, values = keys_in_use([values], values, keys)
    if not isinstance(elements, list):
        return MISSING
    if not keys or not keys[0]:
        wanted = values[0] if values else ""
        return next((element for element in elements if text_of(element) == wanted), MISSING)
    if len(keys) != len(values):
        return MISSING
    for element in elements:
        if isinstance(element, dict) and all(
            key in element and text_of(element[key]) == value for key, value in zip(keys, values, strict=True)
        ):
            return element
    return MISSING


def set_element(elements: list[Any], new: Any, keys: list[str], values: list[str]) -> None:
    """Put `new` in the place of the elements with these values, or at the end; None takes them away."""
    by_mapping = bool(keys and keys[0] and values and values[0])
    kept: list[Any] = []
    found_one = False
    for element in elements:
        if element is None or element == {}:
            continue
        if by_mapping and not isinstance(element, dict):
            kept.append(element)
            continue
        if not _has_values(element, keys, values):
            if values:
                kept.append(element)
            continue
        found_one = True
        if new is not None:
            kept.append(new)
    elements[:] = kept
    if new is not None and not found_one:
        elements.append(new)


def _has_values(element: Any, keys: list[str], values: list[str]) -> bool:
    found = False
    for place, key in enumerate(keys or [""]):
        if place < len(values):
            found = _has_value(element, key, values[place])
        if not found:
            return False
    return found


def _has_value(element: Any, key: str, value: str) -> bool:
    if not key:
        if isinstance(element, dict | list):
            raise KustomizationError(wrong_kind("ScalarNode", element))
        return text_of(element) == value
    if not isinstance(element, dict):
        raise KustomizationError(f"{wrong_kind('MappingNode', element)} ({node_kind(element)} in a list of mappings)")
    return key in element and (not value or text_of(element[key]) == value)


def append_elements(added: list[Any], dest: list[Any], keys: list[str]) -> list[Any]:
    """The merged elements, then the target's own; the target's replace merged ones with the same keys."""
    for element in dest:
        if not keys or not keys[0]:
            set_element(added, element, [""], [text_of(element)])
            continue
        if element is not None and not isinstance(element, dict):
            raise KustomizationError(wrong_kind("MappingNode", element), hint="a list of mappings holds something else")
        values: list[str] = []
        for key in keys:
            value = element.get(key, MISSING) if isinstance(element, dict) else MISSING
            if value is MISSING:
                added.append(element)
            else:
                values.append(text_of(value))
        if len(keys) > 1:
            set_element(added, None, keys, values)
        set_element(added, element, keys, values)
    return added
