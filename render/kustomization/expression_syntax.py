"""The syntax of Go's regular expressions (RE2): text to a tree of parts, with Go's complaints.

Only whether a text matches is ever asked, so groups are for grouping and lazy repetition is repetition.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple, NoReturn

from render.errors import KustomizationError

Test = Callable[[str], bool]

MOST_REPEATS = 1_000
"""How often a part may be asked for by number, also by repetitions inside each other."""

MOST_DEPTH = 50
"""Groups inside each other; Go allows 1,000."""


class Node(NamedTuple):
    """A part: a `test` of one character, a `look` around, a `sequence` or `choice` of parts, or a `repeat` of one."""

    kind: str
    test: Test | None = None
    look: str = ""
    parts: tuple[Node, ...] = ()
    least: int = 0
    most: int | None = None
    weight: int = 1
    """How often the part asks for its innermost one by number."""


class _Flags(NamedTuple):
    fold: bool = False
    lines: bool = False
    dot_all: bool = False


_REPEAT = re.compile(r"\{([0-9]{1,9})(?:(,)([0-9]{0,9}))?\}", re.ASCII)
_GROUP_NAME = re.compile(r"\(\?P?<([A-Za-z0-9_]+)>", re.ASCII)
_FLAG_GROUP = re.compile(r"\(\?([imsU]*)(?:(-)([imsU]+))?([:)])", re.ASCII)
_POSIX = re.compile(r"\[:(\^?)(.*?):\]", re.DOTALL)
_SIMPLE = {"a": "\a", "f": "\f", "t": "\t", "n": "\n", "r": "\r", "v": "\v"}
_LOOKS = {"A": "begin", "z": "end", "b": "boundary", "B": "no boundary"}
_RANGES = {
    "d": "09",
    "w": "09AZ__az",
    "s": "\t\n\f\r  ",
    "alnum": "09AZaz",
    "alpha": "AZaz",
    "ascii": "\0\x7f",
    "blank": "\t\t  ",
    "cntrl": "\0\x1f\x7f\x7f",
    "digit": "09",
    "graph": "!~",
    "lower": "az",
    "print": " ~",
    "punct": "!/:@[`{~",
    "space": "\t\r  ",
    "upper": "AZ",
    "word": "09AZ__az",
    "xdigit": "09AFaf",
}
"""Named classes as first and last characters of ranges."""


def parse_expression(pattern: str) -> Node:
    """The parts of an expression. Raises `KustomizationError` for one that Go refuses."""
    return _Parser(pattern).parse()


def _in_ranges(ranges: str) -> Test:
    pairs = list(zip(ranges[::2], ranges[1::2], strict=True))
    return lambda character: any(low <= character <= high for low, high in pairs)


def _not(test: Test) -> Test:
    return lambda character: not test(character)


def _folded(test: Test) -> Test:
    return lambda character: (
        test(character) or any(test(form) for form in (character.lower(), character.upper()) if len(form) == 1)
    )


class _Parser:
    """One pass over one expression."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._depth = 0
        self._flags = _Flags()

    def parse(self) -> Node:
        """The whole expression."""
        node = self._choice()
        if self._at < len(self._pattern):
            self._fail("unexpected )", self._pattern)
        return node

    def _fail(self, reason: str, what: str) -> NoReturn:
        raise KustomizationError(
            f"error parsing regexp: {reason}: `{what[:80]}`", hint="expressions follow Go's rules (RE2)"
        )

    def _rest(self) -> str:
        return self._pattern[self._at : self._at + 80]

    def _choice(self) -> Node:
        """Alternatives up to the end or a closing parenthesis; flags that are set inside end with them."""
        flags = self._flags
        choices = [self._sequence()]
        while self._pattern.startswith("|", self._at):
            self._at += 1
            choices.append(self._sequence())
        self._flags = flags
        weight = max(node.weight for node in choices)
        return choices[0] if len(choices) == 1 else Node("choice", parts=tuple(choices), weight=weight)

    def _sequence(self) -> Node:
        parts: list[Node] = []
        while self._at < len(self._pattern) and self._pattern[self._at] not in "|)":
            repeat = self._repetition()
            if repeat is None:
                self._part(parts)
                continue
            operator, least, most, counted = repeat
            if not parts:
                self._fail("missing argument to repetition operator", operator)
            parts[-1] = self._repeat(parts[-1], operator, least, most, counted=counted)
            following = self._pattern[self._at : self._at + 1]
            if following in ("*", "+", "?") or (following == "{" and _REPEAT.match(self._pattern, self._at)):
                self._fail("invalid nested repetition operator", operator + following)
        return Node("sequence", parts=tuple(parts), weight=max((part.weight for part in parts), default=1))

    def _repetition(self) -> tuple[str, int, int | None, bool] | None:
        """The repetition that stands here, its `?` for laziness passed over."""
        character = self._pattern[self._at]
        found: tuple[str, int, int | None, bool]
        if character in "*+?":
            found = (character, int(character == "+"), 1 if character == "?" else None, False)
            self._at += 1
        else:
            match = _REPEAT.match(self._pattern, self._at) if character == "{" else None
            if match is None:
                return None
            least = int(match[1])
            most = (int(match[3]) if match[3] else None) if match[2] else least
            if least > MOST_REPEATS or (most is not None and not least <= most <= MOST_REPEATS):
                self._fail("invalid repeat count", match[0])
            found = (match[0], least, most, True)
            self._at = match.end()
        if self._pattern.startswith("?", self._at):
            self._at += 1
        return found

    def _repeat(self, node: Node, operator: str, least: int, most: int | None, *, counted: bool) -> Node:
        weight = node.weight * max(least, most or 0, 1) if counted else node.weight
        if weight > MOST_REPEATS:
            self._fail("invalid repeat count", operator)
        return Node("repeat", parts=(node,), least=least, most=most, weight=weight)

    def _part(self, parts: list[Node]) -> None:
        """Add what stands here, if it is anything but flags."""
        character = self._pattern[self._at]
        if character == "(":
            self._group(parts)
        elif character == "[":
            parts.append(self._test(self._class()))
        elif character == "\\":
            self._escape(parts)
        else:
            self._at += 1
            if character == ".":
                parts.append(Node("test", test=_anything if self._flags.dot_all else _no_line_end))
            elif character in "^$":
                name = "begin" if character == "^" else "end"
                parts.append(Node("look", look=f"line {name}" if self._flags.lines else name))
            else:
                parts.append(self._literal(character))

    def _literal(self, character: str) -> Node:
        return self._test(lambda other: other == character)

    def _test(self, test: Test) -> Node:
        return Node("test", test=_folded(test) if self._flags.fold else test)

    def _group(self, parts: list[Node]) -> None:
        if self._pattern.startswith("(?", self._at):
            name = _GROUP_NAME.match(self._pattern, self._at)
            flags = _FLAG_GROUP.match(self._pattern, self._at)
            if name is not None:
                self._at = name.end()
            elif flags is not None and (flags[1] or flags[2] or flags[4] == ":"):
                self._at = flags.end()
                before = self._flags
                self._set_flags(flags[1], flags[3] or "")
                if flags[4] == ")":
                    return
                parts.append(self._inside(before))
                return
            else:
                self._fail("invalid or unsupported Perl syntax", self._pattern[self._at : self._at + 4])
        else:
            self._at += 1
        parts.append(self._inside(self._flags))

    def _inside(self, flags_after: _Flags) -> Node:
        self._depth += 1
        if self._depth > MOST_DEPTH:
            self._fail("expression nests too deeply", self._pattern)
        node = self._choice()
        if not self._pattern.startswith(")", self._at):
            self._fail("missing closing )", self._pattern)
        self._at += 1
        self._depth -= 1
        self._flags = flags_after
        return node

    def _set_flags(self, on: str, off: str) -> None:
        fold, lines, dot_all = self._flags
        self._flags = _Flags(
            (fold or "i" in on) and "i" not in off,
            (lines or "m" in on) and "m" not in off,
            (dot_all or "s" in on) and "s" not in off,
        )

    def _escape(self, parts: list[Node]) -> None:
        letter = self._pattern[self._at + 1 : self._at + 2]
        if letter in _LOOKS and letter:
            self._at += 2
            parts.append(Node("look", look=_LOOKS[letter]))
        elif letter == "Q":
            text, _, _ = self._pattern[self._at + 2 :].partition("\\E")
            self._at = min(len(self._pattern), self._at + 4 + len(text))
            parts += [self._literal(character) for character in text]
        else:
            test = self._named_class()
            parts.append(self._test(test) if test is not None else self._literal(self._escaped()))

    def _named_class(self) -> Test | None:
        """What `\\d` and its like, or `\\p{...}`, stands for; None if no such thing is here."""
        letter = self._pattern[self._at + 1 : self._at + 2]
        if letter and letter.lower() in "dsw" and letter.isascii():
            self._at += 2
            test = _in_ranges(_RANGES[letter.lower()])
            return _not(test) if letter.isupper() else test
        if letter not in ("p", "P"):
            return None
        match = re.compile(r"\\[pP](?:\{(\^?)([^}]*)\}|([A-Z]))").match(self._pattern, self._at)
        if match is None:
            self._fail("invalid character class range", self._rest())
        self._at = match.end()
        property_test = self._property(match[3] or match[2], match[0])
        return _not(property_test) if (letter == "P") != bool(match[1]) else property_test

    def _property(self, name: str, what: str) -> Test:
        import unicodedata

        categories = {"L", "M", "N", "P", "S", "Z", "C"}
        if name == "Any":
            return _anything
        if name[:1] in categories and len(name) <= 2:
            return lambda character: unicodedata.category(character).startswith(name)
        script = {"Han": "CJK"}.get(name, name.upper().replace("_", " "))
        if not name.isalpha() or not name[0].isupper():
            self._fail("invalid character class range", what)
        return lambda character: unicodedata.name(character, "").startswith(f"{script} ")

    def _escaped(self) -> str:
        """The one character that an escape stands for."""
        start = self._at
        self._at += 2
        letter = self._pattern[start + 1 : start + 2]
        if not letter:
            self._fail("trailing backslash at end of expression", "")
        octal = re.compile(r"0[0-7]{0,2}|[1-7][0-7]{1,2}").match(self._pattern, start + 1)
        if octal is not None:
            self._at = octal.end()
            return chr(int(octal[0], 8))
        if letter == "x":
            number = re.compile(r"x(?:\{([0-9A-Fa-f]{1,6})\}|([0-9A-Fa-f]{2}))").match(self._pattern, start + 1)
            value = int(number[1] or number[2], 16) if number is not None else -1
            if number is None or value > 0x10FFFF:
                self._fail("invalid escape sequence", self._pattern[start : start + 4])
            self._at = number.end()
            return chr(value)
        if letter not in _SIMPLE and (letter.isalnum() or not letter.isascii()):
            self._fail("invalid escape sequence", self._pattern[start : start + 2])
        return _SIMPLE.get(letter, letter)

    def _class(self) -> Test:
        start = self._at
        self._at += 1
        negated = self._pattern.startswith("^", self._at)
        self._at += negated
        tests: list[Test] = []
        first = True
        while first or not self._pattern.startswith("]", self._at):
            if self._at >= len(self._pattern):
                self._fail("missing closing ]", self._pattern[start:])
            self._class_part(tests, start)
            first = False
        self._at += 1

        def test(character: str) -> bool:
            return any(part(character) for part in tests)

        folded = _folded(test) if self._flags.fold else test
        return _not(folded) if negated else folded

    def _class_part(self, tests: list[Test], start: int) -> None:
        posix = _POSIX.match(self._pattern, self._at)
        if posix is not None:
            if posix[2] not in _RANGES or posix[2] in "dsw":
                self._fail("invalid character class range", posix[0])
            self._at = posix.end()
            test = _in_ranges(_RANGES[posix[2]])
            tests.append(_not(test) if posix[1] else test)
            return
        if self._pattern.startswith("\\", self._at):
            named = self._named_class()
            if named is not None:
                tests.append(named)
                return
        begin = self._at
        low = self._class_character(start)
        high = low
        following = self._pattern[self._at : self._at + 2]
        if following[:1] == "-" and following[1:] not in ("", "]"):
            self._at += 1
            high = self._class_character(start)
            if high < low:
                self._fail("invalid character class range", self._pattern[begin : self._at])
        tests.append(_in_ranges(low + high))

    def _class_character(self, start: int) -> str:
        if self._at >= len(self._pattern):
            self._fail("missing closing ]", self._pattern[start:])
        if self._pattern[self._at] == "\\":
            return self._escaped()
        self._at += 1
        return self._pattern[self._at - 1]


def _anything(_character: str) -> bool:
    return True


def _no_line_end(character: str) -> bool:
    return character != "\n"
