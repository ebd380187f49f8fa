"""How a scalar is written, and what Kustomize makes of it in the end: it prints what it holds and reads that again.

Kustomize keeps text, tag and style of a scalar apart. A transformer may change one of the three alone, so what comes
out depends on all of them: `5` in the place of a quoted text is a text, and a folded block is folded twice.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from render.errors import YamlError
from render.yaml.folds import as_folded_again
from render.yaml.scalars import OutsideTime, resolve, timestamp
from render.yaml.tags import PREFIX, TEXT, decode, tag_of


class Scalar(NamedTuple):
    """A scalar as Kustomize holds it: `style` is "" (plain), a quote, `|` or `>`; `tag` is short, "" for none."""

    text: str
    tag: str = TEXT
    style: str = ""
    is_tagged: bool = False
    """Whether the tag is written out."""


def scalar_of(text: str, tag: str | None, style: str | None) -> Scalar:
    """What a scalar of a file is to Kustomize, from what libyaml says of it."""
    style = style or ""
    if tag and tag != "!":
        return Scalar(text, "!!" + tag.removeprefix(PREFIX) if tag.startswith(PREFIX) else tag, style, is_tagged=True)
    return Scalar(text, TEXT if style else tag_of_plain(text), style)


def tag_of_plain(text: str) -> str:
    """The tag that go-yaml gives a plain text."""
    return "!!timestamp" if timestamp(text) is not None else tag_of(resolve(text))


def value_of(scalar: Scalar, *, flow: bool = False) -> Any:
    """The value that comes out, inside `{}` or `[]` where `flow` says so. Raises `YamlError` if tag and text differ."""
    text, tag, style, is_tagged = scalar
    if not is_tagged and tag:
        if (tag == TEXT and style) or tag_of_plain(text) == tag:
            tag = ""
        elif tag == TEXT:
            return text
    if tag:
        return decode(text, tag)
    if style == ">" and not flow:
        return as_folded_again(text)
    if style or "\n" in text or (flow and (not text or ":" in text)):
        return text
    try:
        return resolve(text)
    except OutsideTime:
        raise YamlError(f"the time {text} has a zone outside of 0 to 23 hours", hint="quote it") from None
