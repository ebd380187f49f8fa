"""How a scalar looks when Kustomize prints it: which style, which escapes, where it folds.

Numbers and strings come from JSON data, so every style is derived anew. The analysis decides, as libyaml's does, which
styles would read back as the same text; the preference is plain, then single quotes, then double quotes, and a literal
block for what has several lines.
"""

from __future__ import annotations

import re

from render.errors import YamlError
from render.yaml.scalars import OLD_BOOLEANS, is_string

WIDTH = 80
"""The column after which a string is broken at its next single space."""

LITERAL = "|"

_SAFE = re.compile(r"[A-Za-z/][A-Za-z0-9_./@=+-]*(?:[ :,][A-Za-z0-9_./@=+(){}-]+)*", re.ASCII)
_BASE_60 = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?", re.ASCII)
_FIRST_INDICATORS = frozenset("#,[]{}&*!|>'\"%@`")
BREAKS = "\n\r\u0085\u2028\u2029"
_PIECE = f" |[{BREAKS}]|[^ {BREAKS}]+"
_REFUSED = "[\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]"
"""Compiled when it is first needed: such wide ranges take milliseconds."""
_NEXT_LINE = re.compile(" *\u0085(?: *\u0085)* *")
_ESCAPES = {
    "\0": "0", "\a": "a", "\b": "b", "\t": "t", "\n": "n", "\v": "v", "\f": "f", "\r": "r", "\x1b": "e", '"': '"',
    "\\": "\\", "\u0085": "N", "\u00a0": "_", "\u2028": "L", "\u2029": "P",
}  # fmt: skip


def number(value: float) -> str:
    """A float as Kustomize prints it: as an integer where 64 bits hold it exactly, else like C's `%g`."""
    if value != value or value in (float("inf"), float("-inf")):
        name = "NaN" if value != value else "+Inf" if value > 0 else "-Inf"
        raise YamlError(f"json: unsupported value: {name}", hint="quote it if it is meant as text")
    sign, digits, point = _shortest(value)
    if point >= len(digits) and point <= 21:
        whole = int(sign + digits.ljust(point, "0"))
        if -(2**63) <= whole < 2**64:
            return str(whole)
    if -4 < point <= 6:
        return sign + _positional(digits, point)
    exponent = point - 1
    mantissa = digits[0] + (f".{digits[1:]}" if len(digits) > 1 else "")
    return f"{sign}{mantissa}e{'-' if exponent < 0 else '+'}{abs(exponent):02}"


def _shortest(value: float) -> tuple[str, str, int]:
    """Sign, shortest digits that read back as the same number, and how many of them stand before the point."""
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    leading_zeros = len(whole + fraction) - len(digits)
    point = len(whole) - leading_zeros + int(exponent or 0)
    digits = digits.rstrip("0")
    return ("-" if value < 0 else ""), (digits or "0"), (point if digits else 1)


def _positional(digits: str, point: int) -> str:
    if point <= 0:
        return "0." + "0" * -point + digits
    if point >= len(digits):
        return digits.ljust(point, "0")
    return f"{digits[:point]}.{digits[point:]}"


def as_read_again(text: str) -> str:
    """The text after Kustomize's way through JSON, which turns a NEL into a fold. Raises `YamlError` for what it
    cannot carry."""
    if text.isascii() and "\x7f" not in text:
        return text
    if refused := re.search(_REFUSED, text):
        raise YamlError(
            f"control characters are not allowed: U+{ord(refused[0]):04X}", hint="Kustomize cannot print it either"
        )
    if "\u0085" not in text:
        return text
    return _NEXT_LINE.sub(lambda match: "\n" * (match[0].count("\u0085") - 1) or " ", text)


def inline(text: str) -> str | None:
    """The text on one line in the style that Kustomize gives it; None if it needs several (a block, a bare break)."""
    if _SAFE.fullmatch(text) and text not in OLD_BOOLEANS and is_string(text):
        return text
    style = style_of(text)
    if style == "":
        return text
    if style == '"':
        return double_quoted(text)
    if style == "'" and not has_breaks(text):
        return "'" + text.replace("'", "''") + "'"
    return None


def has_breaks(text: str) -> bool:
    """Whether libyaml sees more than one line."""
    if text.isascii():
        return "\n" in text or "\r" in text
    return any(character in text for character in BREAKS)


def is_special(text: str) -> bool:
    """Whether libyaml calls a character of the text not printable."""
    if text.isascii():
        return not text.replace("\n", "").isprintable()
    return any(map(_special, set(text)))


def _special(character: str) -> bool:
    code = ord(character)
    return not (
        0x20 <= code <= 0x7E
        or character == "\n"
        or 0xA0 <= code <= 0xD7FF
        or (0xE000 <= code <= 0xFFFD and code != 0xFEFF)
    )


def style_of(text: str) -> str:
    """The style: `""` plain, `'`, `"` or `|`."""
    special = is_special(text) or _space_before_break(text)
    if "\n" in text:
        return '"' if special or text.endswith(" ") else LITERAL
    if text in OLD_BOOLEANS or not is_string(text) or _BASE_60.fullmatch(text):
        return '"'
    if not (special or has_breaks(text) or " " in (text[0], text[-1]) or has_indicator(text)):
        return ""
    return '"' if special or _break_before_space(text) else "'"


def _space_before_break(text: str) -> bool:
    if text.isascii():
        return " \n" in text or " \r" in text
    return re.search(f" [{BREAKS}]", text) is not None


def _break_before_space(text: str) -> bool:
    return re.search(f"[{BREAKS}] ", text) is not None


def has_indicator(text: str) -> bool:
    """Whether a character of the text means something to YAML where it stands."""
    first = text[0]
    return (
        first in _FIRST_INDICATORS
        or (first in "?:-" and text[1:2] in ("", " ", "\t"))
        or text.startswith(("---", "..."))
        or ": " in text
        or " #" in text
        or text.endswith(":")
        or ("\t" in text and (":\t" in text or "\t#" in text))
    )


def double_quoted(text: str) -> str:
    """The text in double quotes, on one line."""
    return f'"{"".join(escape_all(text))}"'


def escape_all(text: str) -> list[str]:
    """Each character as it stands in double quotes. A text that begins with a BOM is escaped as a whole, as in
    go-yaml."""
    if text.startswith("\ufeff"):
        return [_escape(character) for character in text]
    return _escaped_where_needed(text)


def _escaped_where_needed(text: str) -> list[str]:
    return [_escape(character) if _is_escaped(character) else character for character in text]


def _is_escaped(character: str) -> bool:
    return (character in _ESCAPES and character != "\u00a0") or _special(character)


def _escape(character: str) -> str:
    if character in _ESCAPES:
        return "\\" + _ESCAPES[character]
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02X}"
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"


def folded(text: str, style: str, column: int, indent: int) -> str:
    """A string of the given style, broken at single spaces past the width.

    `column` is where it begins, `indent` the column where its further lines begin. In single quotes, LINE and
    PARAGRAPH SEPARATORs stand for themselves and begin a line.
    """
    margin = " " * indent
    if style != '"' and not has_breaks(text):
        return _folded_line(text.replace("'", "''") if style else text, style, column, margin)
    pieces = _pieces(text, style)
    out = [style]
    column += len(style)
    after_space = after_break = False
    last = len(pieces) - 1
    for index, piece in enumerate(pieces):
        if piece == " ":
            before_space = index < last and pieces[index + 1] == " "
            breakable = column > WIDTH and not after_space and 0 < index < last
            if breakable and (style == '"' or not before_space):
                out.append("\n" + margin + ("\\" if before_space else ""))
                column = indent + before_space
            else:
                out.append(" ")
                column += 1
            after_space = True
            continue
        if piece in BREAKS:
            after_break, column = True, indent
        elif after_break:
            out.append(margin)
            after_break = False
        out.append(piece)
        column += len(piece) if not after_break else 0
        after_space = False
    return "".join([*out, style])


def _folded_line(text: str, style: str, column: int, margin: str) -> str:
    """One line of text, broken at the first single space past the width, again and again."""
    lines: list[str] = []
    start, last = 0, len(text) - 1
    place = text.find(" ", max(WIDTH + 1 - column - len(style), 1))
    while 0 < place < last:
        if text[place - 1] == " " or text[place + 1] == " ":
            place = text.find(" ", place + 1)
            continue
        lines.append(text[start:place])
        start = place + 1
        place = text.find(" ", start + max(WIDTH + 1 - len(margin), 0))
    lines.append(text[start:])
    return style + f"\n{margin}".join(lines) + style


def _pieces(text: str, style: str) -> list[str]:
    """The text as it stands in a style, cut into words, single spaces and single line breaks."""
    if style == '"':
        if text.startswith("\ufeff"):
            return escape_all(text)
        return [_word_in_double_quotes(piece) for piece in re.findall(_PIECE, text)]
    return re.findall(_PIECE, text.replace("'", "''") if style == "'" else text)


def _word_in_double_quotes(piece: str) -> str:
    if piece.isascii() and piece.isprintable() and '"' not in piece and "\\" not in piece:
        return piece
    return "".join(_escaped_where_needed(piece))


def literal(text: str, indent: int) -> str:
    """A block scalar: its header, then the lines at `indent`. It ends without a line break."""
    margin = " " * indent
    hint = "2" if text[0] in f" {BREAKS}" else ""
    body = text[:-1] if text[-1] in BREAKS else text
    chomp = "-" if body == text else "+" if not body or body[-1] in BREAKS else ""
    text = text.removesuffix("\n")
    if not text.isascii():
        lines = re.sub(f"(?:(?<=[{BREAKS}])|\\A)(?=[^{BREAKS}])", margin, text)
    elif "\n\n" in text or text[:1] in ("", "\n") or text[-1] == "\n":
        lines = "\n".join([margin + line if line else "" for line in text.split("\n")])
    else:
        lines = margin + text.replace("\n", f"\n{margin}")
    return f"|{hint}{chomp}\n{lines}"
