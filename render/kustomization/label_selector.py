"""Label selectors as Kubernetes writes them: `app=web,tier in (front,back),!old`.

The grammar is Kubernetes' own, its limits on keys and values included, so that a selector which a cluster would refuse
is refused here and none is understood otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NoReturn

from render.errors import KustomizationError

Requirement = Callable[[Mapping[str, str]], bool]

_TOKEN = re.compile(r"[ \t\r\n]*(==|!=|[=!(),<>]|[^ \t\r\n=!(),<>]+|$)")
_NAME = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?", re.ASCII)
_DOMAIN = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*", re.ASCII)
_INTEGER = re.compile(r"[-+]?[0-9]{1,19}", re.ASCII)
_SYMBOLS = frozenset(("=", "==", "!=", "!", "(", ")", ",", "<", ">", ""))
_LONGEST_NAME, _LONGEST_DOMAIN = 63, 253


@lru_cache(1024)
def label_selector(text: str) -> Requirement:
    """A test for labels. Raises `KustomizationError` for a text that is no selector."""
    requirements = _Parser(text).requirements()
    return lambda labels: all(requirement(labels) for requirement in requirements)


class _Parser:
    """One selector's tokens, from left to right. The empty token is the end."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = [match[1] for match in _TOKEN.finditer(text)]
        self._place = 0

    def requirements(self) -> list[Requirement]:
        """All of them; none for an empty text."""
        found: list[Requirement] = []
        if self._next() == "":
            return found
        while True:
            found.append(self._requirement())
            token = self._take()
            if token == "":
                return found
            if token != ",":
                self._fail(token, "',' or the end")
            if self._next() in _SYMBOLS - {"!"}:
                self._fail(self._next(), "a key after ','")

    def _next(self) -> str:
        return self._tokens[self._place] if self._place < len(self._tokens) else ""

    def _take(self) -> str:
        token = self._next()
        self._place += 1
        return token

    def _requirement(self) -> Requirement:
        absent = self._next() == "!"
        if absent:
            self._take()
        key = self._take()
        if key in _SYMBOLS:
            self._fail(key, "a key")
        self._check_key(key)
        if absent:
            return lambda labels: key not in labels
        if self._next() in ("", ","):
            return lambda labels: key in labels
        operator = self._take()
        if operator in ("in", "notin"):
            return self._membership(key, self._set(), wanted=operator == "in")
        if operator not in ("=", "==", "!=", "<", ">"):
            self._fail(operator, "in, notin, =, ==, !=, < or >")
        value = "" if self._next() in ("", ",") else self._take()
        if value in _SYMBOLS and value:
            self._fail(value, "a value")
        if operator in ("<", ">"):
            return self._comparison(key, operator, value)
        return self._membership(key, [value], wanted=operator != "!=")

    def _set(self) -> list[str]:
        if self._take() != "(":
            self._fail(self._tokens[self._place - 1], "'('")
        values: list[str] = []
        if self._next() == ")":
            self._take()
            return [""]
        while True:
            values.append("" if self._next() in (",", ")") else self._take())
            if values[-1] and values[-1] in _SYMBOLS:
                self._fail(values[-1], "a value")
            token = self._take()
            if token == ")":
                return values
            if token != ",":
                self._fail(token, "',' or ')'")

    def _membership(self, key: str, values: list[str], *, wanted: bool) -> Requirement:
        for value in values:
            if value and (len(value) > _LONGEST_NAME or not _NAME.fullmatch(value)):
                raise KustomizationError(
                    f'unable to parse requirement: invalid label value: "{value}": at key: "{key}"'
                )
        if wanted:
            return lambda labels: key in labels and labels[key] in values
        return lambda labels: key not in labels or labels[key] not in values

    def _comparison(self, key: str, operator: str, value: str) -> Requirement:
        wanted = _integer(value)
        if wanted is None:
            raise KustomizationError(
                f"unable to parse requirement: {self._text}: for 'Gt', 'Lt' operators, the value must be an integer"
            )

        def compares(labels: Mapping[str, str]) -> bool:
            found = _integer(labels.get(key, ""))
            return found is not None and (found > wanted if operator == ">" else found < wanted)

        return compares

    def _check_key(self, key: str) -> None:
        domain, slash, name = key.rpartition("/")
        fits = len(name) <= _LONGEST_NAME and _NAME.fullmatch(name)
        if slash and fits:
            fits = len(domain) <= _LONGEST_DOMAIN and _DOMAIN.fullmatch(domain)
        if not fits:
            raise KustomizationError(f'unable to parse requirement: invalid label key "{key}"')

    def _fail(self, found: str, expected: str) -> NoReturn:
        raise KustomizationError(
            f"unable to parse requirement: {self._text}: found '{found}', expected: {expected}",
            hint="write it like app=web,tier!=cache",
        )


def _integer(text: str) -> int | None:
    number = int(text) if _INTEGER.fullmatch(text) else None
    return number if number is not None and -(2**63) <= number < 2**63 else None
