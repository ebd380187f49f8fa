"""What Kustomize makes of a folded block (`>`): it writes the text as another folded block and reads that.

The writer marks each end of a line with a blank line without looking at what follows, so text with more-indented lines
gains line breaks. Rendering the same bytes means doing the same.
"""

from __future__ import annotations

from yaml._yaml import CParser
from yaml.events import ScalarEvent

_SENSITIVE = ("\n ", "\n\t")


def as_folded_again(text: str) -> str:
    """The text of a folded block after Kustomize has written and read it once more."""
    if not any(part in text for part in _SENSITIVE) and text[:1] not in (" ", "\n", "") and text[-2:] != "\n\n":
        return text
    header = ">" + ("2" if text[:1] in (" ", "\n") else "")
    header += "+" if text in ("\n",) or text.endswith("\n\n") else "" if text.endswith("\n") else "-"
    return _read_block(f"{header}\n{_written(text)}\n")


def _written(text: str) -> str:
    """The lines of the block as go-yaml 3 writes them, indented by two."""
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
            out.append("  ")
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
