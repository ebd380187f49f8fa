"""The same data can be written in several ways, and what Kustomize does may hang on quotes and flow style."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import yaml

from .choosing import Chooser


def write(choose: Chooser, *documents: Any) -> str:
    """Documents as a YAML text: in blocks, leaves in flow, all in flow, or as JSON."""
    style = choose.integer(0, 9)
    if style == 9 and len(documents) == 1:
        return json.dumps(documents[0], indent=choose.one([None, 2]))
    return in_style(documents, flow={7: None, 8: True}.get(style, False), quoted=choose.chance(10))


def in_style(documents: Sequence[Any], *, flow: bool | None = False, quoted: bool = False) -> str:
    """Documents as a YAML text. `flow` None puts leaves in flow only; `quoted` puts all texts in quotes."""
    dumper = _Quoting if quoted else _Dumper
    return "---\n".join(
        yaml.dump(document, Dumper=dumper, default_flow_style=flow, sort_keys=False, width=10000)
        for document in documents
    )


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


class _Quoting(_Dumper):
    pass


def _in_quotes(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')


_Quoting.add_representer(str, _in_quotes)
