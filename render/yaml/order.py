"""The order in which Kustomize prints the keys of a mapping: "natural", with numbers inside names compared as numbers.

The relation is not transitive (`v10` < `v1z` < `v9` < `v10`), so the sort always starts from code-point order: one
input has one output.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cmp_to_key


def natural_order(keys: Iterable[str]) -> tuple[str, ...]:
    """The keys as Kustomize orders them."""
    ordered = sorted(keys)
    if not "".join(ordered).isalpha():  # among letters alone, code points decide
        ordered.sort(key=cmp_to_key(_compare))
    return tuple(ordered)


def _compare(one: str, other: str) -> int:
    for index, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return _compare_at(one, other, index)
    return len(one) - len(other)


def _compare_at(one: str, other: str, index: int) -> int:
    """At the first difference: letters by code point, a letter after anything else, digits by their number."""
    a, b = one[index], other[index]
    if a.isalpha() != b.isalpha():
        return 1 if a.isalpha() else -1
    if not a.isalpha():
        start = int("0" in (a, b) and _in_a_number(one, index))
        digits, others = _digits(one, index), _digits(other, index)
        mine, theirs = _value(start, digits), _value(start, others)
        if mine != theirs:
            return -1 if mine < theirs else 1
        if len(digits) != len(others):
            return len(digits) - len(others)
    return -1 if a < b else 1


def _in_a_number(text: str, index: int) -> bool:
    """Whether an earlier digit of the run that ends before `index` counts, so that a zero here is no leading zero."""
    while index > 0 and text[index - 1].isdecimal():
        index -= 1
        if text[index] != "0":
            return True
    return False


def _digits(text: str, index: int) -> str:
    end = index
    while end < len(text) and text[end].isdecimal():
        end += 1
    return text[index:end]


def _value(start: int, digits: str) -> int:
    """The number as go-yaml counts it: in 64 bits, and by code point for the digits of other scripts."""
    number = start
    for digit in digits:
        number = (number * 10 + ord(digit) - ord("0")) % 2**64
    return (number + 2**63) % 2**64 - 2**63
