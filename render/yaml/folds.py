"""What Kustomize makes of a folded block (`>`): it writes the text as another folded block and reads that.

The writer marks each end of a line with a blank line without looking at what follows, so text with more-indented lines
gains line breaks. Rendering the same bytes means doing the same.
"""

from __future__ import annotations

import re

from yaml._yaml import CParser
from yaml.events import ScalarEvent

from render.yaml.styles import is_special

_SENSITIVE = re.compile(r"\n[ \t]|\A[ \n]|\n\n\Z")
"""What comes out of the second block changed."""


def as_folded_again(text: str) -> str:
    """The text of a folded block after Kustomize has written and read it once more."""
    if not _SENSITIVE.search(text) or _in_double_quotes(text):
        return text
    return _read_block(f"{folded_block(text, 2)}\n")


def folded_block(text: str, indent: int) -> str:
    """A folded block as go-yaml writes it: its header, then the lines at `indent`. It ends without a line break."""
    header = ">" + ("2" if text[:1] in (" ", "\n") else "")
    header += "+" if text in ("\n",) or text.endswith("\n\n") else "" if text.endswith("\n") else "-"
    body = _written(text, " " * indent).removesuffix("\n")
    return f"{header}\n{body}"


def _in_double_quotes(text: str) -> bool:
    """Whether go-yaml writes double quotes instead of the block, which change nothing."""
    return " \n" in text or text.endswith(" ") or is_special(text.replace("\t", ""))


def _written(text: str, margin: str) -> str:
    """The lines of the block as go-yaml 3 writes them."""
    first = text.lstrip("\n")[:1]
    marks_ends = first not in ("", " ", "\t")
    out: list[str] = []
    at_start, leading_space = True, True
    for character in text:
        if character == "\n":
            if not at_start and not leading_space and marks_ends:
                out.append("\n")
            out.append("\n")
            at_start = True
            continue
        if at_start:
            out.append(margin)
            leading_space = character in " \t"
        out.append(character)
        at_start = False
    return "".join(out)


def _read_block(block: str) -> str:
    parser = CParser(block.encode())
    while (event := parser.get_event()) is not None:
        if event.__class__ is ScalarEvent:
            return str(event.value)
    raise AssertionError("a block scalar is one scalar")
