"""Fields inside text: a path may go on into JSON or YAML that a string holds, as in a ConfigMap's data.

JSON is written anew. YAML keeps its order and its quotes, and its comments if only scalars change.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

from render import yaml
from render.errors import KustomizationError, YamlError
from render.kustomization.copied import Value
from render.kustomization.copying import deep_copy
from render.kustomization.draft import Trail
from render.kustomization.fieldpath import Place, find_places, look_up
from render.kustomization.limits import Budget
from render.kustomization.values import go_json
from render.yaml import nodes
from render.yaml.scalars import resolve
from render.yaml.written import Scalar

_WIDEST = (1 << 31) - 1


def set_in_text(manifest: Any, steps: Sequence[str], value: Value, budget: Budget, *, create: bool) -> bool:
    """Set a field inside a string that the path leads through; False if there is none or it has no such field."""
    for length in range(1, len(steps)):
        trail, held = _text_at(manifest, steps[:length])
        if not trail:
            continue
        budget.made(len(held))
        with contextlib.suppress(KustomizationError):
            changed = _changed(held, steps[length:], value, create=create)
            if changed is not None:
                _at(manifest, trail[:-1])[trail[-1]] = changed
            return changed is not None
    return False


def _text_at(manifest: Any, steps: Sequence[str]) -> tuple[Trail, str]:
    """Where a path leads to a text, and the text; nowhere if it does not."""
    with contextlib.suppress(KustomizationError):
        trail = look_up(manifest, steps)
        held = _at(manifest, trail) if trail else None
        if trail and isinstance(held, str):
            return trail, held
    return (), ""


def _changed(held: str, steps: Sequence[str], value: Value, *, create: bool) -> str | None:
    data, text = value.data, value.text
    document = _read(held)
    if document is None:
        return None
    places = find_places(document, steps, data if create else None, create=create)
    if not places:
        return None
    if held.strip()[:1] in ("{", "["):
        if not all(_fits(place, text) for place in places):
            return None
        for place in places:
            place.set(_value(place, data, text))
        return go_json(document, indent=2 if "\n" in held and "  " in held else None)
    return _rewritten(held, document, places, value)


def _read(held: str) -> Any:
    """What the text holds, None if it cannot be read; tags that an earlier replacement has made wrong do not count."""
    try:
        documents = yaml.parse(held.encode("utf-8", "surrogatepass"), "")
    except YamlError:
        with contextlib.suppress(nodes.Unprintable):
            return nodes.data_of(nodes.read_node(held))
        return None
    return deep_copy(documents[0]) if documents else None


def _fits(place: Place, text: str) -> bool:
    """Whether the text can stand in the place with the type that stands there."""
    old = place.value
    if isinstance(old, dict | list | str) or place.made_scalar:
        return True
    new = resolve(text) if text else None
    return type(new) is type(old) or (isinstance(old, float) and type(new) is int)


def _value(place: Place, data: Any, text: str) -> Any:
    if isinstance(place.value, dict | list):
        return deep_copy(data)
    if isinstance(place.value, str) and not place.made_scalar:
        return text
    return resolve(text) if text else None


def _rewritten(held: str, document: Any, places: list[Place], value: Value) -> str:
    """The YAML with its places set, in its own styles. With comments, scalars change where they stand."""
    with contextlib.suppress(nodes.Unprintable):
        root = nodes.read_node(held)
        for place in places:
            root = _with_node(root, place.trail, value)
        return nodes.print_node(root).strip()
    return _rewritten_in_place(held, document, places, value.data, value.text)


def _with_node(node: Any, trail: Sequence[str | int], value: Value) -> Any:
    """The node with the one at the trail set: a scalar keeps its style and tag, all else is replaced or made."""
    if not trail:
        return node._replace(text=value.text) if isinstance(node, Scalar) else value.node()
    step, rest = trail[0], trail[1:]
    if isinstance(node, nodes.Sequence) and isinstance(step, int) and step < len(node.items):
        items = list(node.items)
        items[step] = _with_node(items[step], rest, value)
        return node._replace(items=items)
    if not isinstance(node, nodes.Mapping) or isinstance(step, int):
        raise nodes.Unprintable
    entries = list(node.entries)
    place = next((place for place, (key, _) in enumerate(entries) if key.text == step), None)
    if place is None:
        entries.append((Scalar(step, tag=""), _made(rest, value)))
        place = -1
    entries[place] = (entries[place][0], _with_node(entries[place][1], rest, value))
    return node._replace(entries=entries)


def _made(rest: Sequence[str | int], value: Value) -> Any:
    """What is made where the path goes on with `rest`: a scalar that waits for its text, or a collection."""
    if not rest:
        return value.node() if isinstance(value.data, dict | list) else Scalar("", tag="")
    return nodes.Sequence([], False) if isinstance(rest[0], int) else nodes.Mapping([], False)


def _rewritten_in_place(held: str, document: Any, places: list[Place], data: Any, text: str) -> str:
    import yaml as pyyaml

    root = pyyaml.compose(held, Loader=pyyaml.CSafeLoader)
    nodes = [_node(root, place.trail) for place in places]
    if "#" in held and all(isinstance(node, pyyaml.ScalarNode) for node in nodes):
        for node in sorted(nodes, key=lambda node: -node.start_mark.index):
            held = held[: node.start_mark.index] + _quoted(text, node) + held[node.end_mark.index :]
        return held.strip()
    if None in nodes:
        for place in places:
            place.set(_value(place, data, text))
        return pyyaml.dump(document, Dumper=pyyaml.CSafeDumper, width=_WIDEST, sort_keys=False).strip()
    for node in nodes:
        if isinstance(node, pyyaml.ScalarNode):
            node.value = text
            if node.style is None and node.tag.endswith(":str") and not isinstance(resolve(text or "~"), str):
                node.style = '"'
        else:
            new = pyyaml.compose(pyyaml.dump(data, sort_keys=False), Loader=pyyaml.CSafeLoader)
            node.__class__, node.__dict__ = new.__class__, new.__dict__
    printed: str = pyyaml.serialize(root, Dumper=pyyaml.CSafeDumper, width=_WIDEST, allow_unicode=True)
    return printed.strip().removesuffix("\n...")


def _quoted(text: str, node: Any) -> str:
    """The text as a scalar in the style of the one that it replaces."""
    if node.style == "'":
        return "'" + text.replace("'", "''") + "'"
    if node.style == '"' or (node.tag.endswith(":str") and not isinstance(resolve(text or "~"), str)):
        return go_json(text)
    kind = node.tag.rpartition(":")[2]
    new, old = resolve(text or "~"), resolve(node.value or "~")
    return text if kind == "str" or type(new) is type(old) else f"!!{kind} {text}"


def _node(root: Any, trail: Sequence[str | int]) -> Any:
    """The node at a trail, None where the text has none."""
    node = root
    for step in trail:
        if isinstance(step, int):
            node = node.value[step] if isinstance(node.value, list) and step < len(node.value) else None
        else:
            pairs = node.value if isinstance(node.value, list) else []
            node = next((value for key, value in pairs if key.value == step), None)
        if node is None:
            return None
    return node


def _at(node: Any, trail: Sequence[str | int]) -> Any:
    for step in trail:
        node = node[step]
    return node
