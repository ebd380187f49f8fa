"""The same data can be written in several ways, and what Kustomize does may hang on quotes and flow style."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import yaml

from .choosing import Chooser

STYLES = (None, "'", '"', "|", ">")
SPELLINGS = {"true": ["True", "TRUE"], "false": ["False"], "null": ["", "~", "Null"], "2.5": ["2.50", "25e-1"]}
"""Other texts of the same value."""


def write(choose: Chooser, *documents: Any) -> str:
    """Documents as a YAML text: in blocks, leaves in flow, all in flow, in every style, or as JSON."""
    style = choose.integer(0, 9)
    if style == 9 and len(documents) == 1:
        return json.dumps(documents[0], indent=choose.one([None, 2]))
    if style == 6:
        return "---\n".join(_in_every_style(choose, document) for document in documents)
    return in_style(documents, flow={7: None, 8: True}.get(style, False), quoted=choose.chance(10))


def in_style(documents: Sequence[Any], *, flow: bool | None = False, quoted: bool = False) -> str:
    """Documents as a YAML text. `flow` None puts leaves in flow only; `quoted` puts all texts in quotes."""
    dumper = _Quoting if quoted else _Dumper
    return "---\n".join(
        yaml.dump(document, Dumper=dumper, default_flow_style=flow, sort_keys=False, width=10000)
        for document in documents
    )


def _in_every_style(choose: Chooser, document: Any) -> str:
    """A document whose values are in quotes, in blocks, or spelt otherwise, a few of them each."""
    root = yaml.compose(in_style([document], flow=choose.one([False, False, None])), Loader=yaml.SafeLoader)
    for value in _values(root):
        if not choose.chance(40):
            continue
        if value.tag == "tag:yaml.org,2002:str":
            value.style = choose.one(STYLES)
        elif value.value.isdigit():
            value.value = choose.one([hex(int(value.value)), f"0o{int(value.value):o}", f"+{value.value}"])
        else:
            value.value = choose.one(SPELLINGS.get(value.value, [value.value]))
    return str(yaml.serialize(root, Dumper=_AsItStands, width=10000))


def _values(node: Any) -> Iterator[yaml.ScalarNode]:
    if isinstance(node, yaml.MappingNode):
        for _, value in node.value:
            yield from _values(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _values(value)
    else:
        yield node


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


class _AsItStands(_Dumper):
    """Plain texts are left as they are: who wrote them chose their spelling."""

    def serialize_node(self, node: Any, parent: Any, index: Any) -> None:
        if isinstance(node, yaml.ScalarNode) and node.tag != "tag:yaml.org,2002:str":
            self.emit(yaml.ScalarEvent(None, None, (True, False), node.value))
        else:
            super().serialize_node(node, parent, index)


class _Quoting(_Dumper):
    pass


def _in_quotes(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')


_Quoting.add_representer(str, _in_quotes)
